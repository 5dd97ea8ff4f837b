/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares two policies. Pure: no system calls.
 */
#include "netsetup/state/cuts.h"

enum cut
cuts(const struct policy *was, const struct policy *will)
{
	const struct policy_gateway *a = &was->gateway, *b;

	if (!policy_spoofs(was))
		return CUT_NOTHING;
	if (!will || !policy_spoofs(will))
		return CUT_RETURN_PATH;
	b = &will->gateway;
	if (a->mark_deliver != b->mark_deliver ||
	    a->mark_upstream != b->mark_upstream)
		return CUT_MARK;
	if (a->zone != b->zone)
		return CUT_ZONE;
	return CUT_NOTHING;
}

void
cuts_format(const struct policy *was, const struct policy *will, size_t n_flows,
	    struct str *out)
{
	str_addf(out, "cuts %zu flow%s", n_flows, n_flows == 1 ? "" : "s");
	switch (cuts(was, will)) {
	case CUT_NOTHING:
		break;
	case CUT_MARK:
		str_addf(out, ": the marks change from 0x%x 0x%x to 0x%x 0x%x",
			 was->gateway.mark_deliver, was->gateway.mark_upstream,
			 will->gateway.mark_deliver,
			 will->gateway.mark_upstream);
		break;
	case CUT_ZONE:
		str_addf(out, ": the conntrack zone changes from %u to %u",
			 was->gateway.zone, will->gateway.zone);
		break;
	case CUT_RETURN_PATH:
		str_add(out, ": the return path of what is sent from clients' "
			     "addresses goes");
		break;
	}
}
