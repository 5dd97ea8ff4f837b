/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words for what the kernel says about routes. Errors have the meaning that
 * its routing gives them.
 */
#include "netsetup/state/hop.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

bool
hop_is_local(const struct hop *r)
{
	return r->error == 0 && r->type == RTN_LOCAL;
}

bool
hop_is_forward(const struct hop *r)
{
	return r->error == 0 && r->type == RTN_UNICAST;
}

static const char *
error_text(int error)
{
	switch (error) {
	case -EXDEV:
	case -EINVAL: /* since Linux 6.14 whatever is wrong with the source */
		return "the kernel does not accept that source there";
	case -EHOSTUNREACH:
		return "forwarding is off, or a route says unreachable";
	default:
		return strerror(-error);
	}
}

static const char *
type_text(uint8_t type)
{
	switch (type) {
	case RTN_BROADCAST:
		return "to all on the link (broadcast)";
	case RTN_MULTICAST:
		return "to a group (multicast)";
	case RTN_BLACKHOLE:
		return "nowhere: a route says blackhole";
	case RTN_UNREACHABLE:
		return "nowhere: a route says unreachable";
	case RTN_PROHIBIT:
		return "nowhere: a route says prohibit";
	default:
		return "nowhere";
	}
}

void
hop_format(const struct hop *r, struct str *out)
{
	char text[ADDR_TEXT_LEN];

	if (r->error) {
		str_addf(out, "nowhere: %s", error_text(r->error));
		return;
	}
	if (hop_is_local(r)) {
		str_add(out, "to this box");
	} else if (!hop_is_forward(r)) {
		str_add(out, type_text(r->type));
		return;
	} else {
		str_addf(out, "by %s", r->oif);
		if (r->gateway.family)
			str_addf(out, " via %s",
				 addr_format(&r->gateway, text));
	}
	if (r->table && r->table != RT_TABLE_MAIN && r->table != RT_TABLE_LOCAL)
		str_addf(out, " (table %u)", r->table);
}
