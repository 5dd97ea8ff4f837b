/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * route.c - rtnetlink questions of route.h, through libmnl.
 *
 * Dumps of routes are limited by the kernel to the one table (strict
 * checking): a router may hold a million routes in the others.
 */
#include "proxyd/net/route.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/hash.h"

enum { ASK_SIZE = 256, ANSWER_SIZE = 32768, KNOWN_MS = 1000 };

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK 12
#endif

int
route_init(struct route *r)
{
	int on = 1, e;

	memset(r, 0, sizeof(*r));
	r->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!r->nl)
		return -errno;
	if (mnl_socket_bind(r->nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_setsockopt(r->nl, NETLINK_GET_STRICT_CHK, &on,
				  sizeof(on)) < 0) {
		e = errno;
		route_fini(r);
		return -e;
	}
	return 0;
}

void
route_fini(struct route *r)
{
	if (r->nl)
		mnl_socket_close(r->nl);
	r->nl = NULL;
}

/* Send one request and give each message of the answer to `cb`. */
static int
talk(struct route *r, struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	char buf[ANSWER_SIZE];
	unsigned int port = mnl_socket_get_portid(r->nl);
	ssize_t n;
	int end = 1;

	nlh->nlmsg_seq = ++r->seq;
	if (mnl_socket_sendto(r->nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		n = mnl_socket_recvfrom(r->nl, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		end = mnl_cb_run(buf, (size_t)n, r->seq, port, cb, data);
		/* what is left of an answer that was given up */
		if (end < 0 && (errno == ESRCH || errno == EPROTO))
			end = 1;
	} while (end > 0);
	return end < 0 ? -errno : 0;
}

/* --- the return path ------------------------------------------------------ */

struct seek {
	uint32_t mark;
	uint32_t mask;
	uint32_t table;
	bool found;
};

static int
is_integer(const struct nlattr *attr)
{
	return mnl_attr_validate(attr, MNL_TYPE_U32) >= 0;
}

static int
see_rule(const struct nlmsghdr *nlh, void *data)
{
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nlh);
	uint32_t mark = 0, mask = 0, table;
	struct seek *seek = data;
	struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWRULE)
		return MNL_CB_OK;
	table = frh->table;
	mnl_attr_for_each(attr, nlh, sizeof(*frh))
	{
		switch (mnl_attr_get_type(attr)) {
		case FRA_FWMARK:
			mark = is_integer(attr) ? mnl_attr_get_u32(attr) : 0;
			break;
		case FRA_FWMASK:
			mask = is_integer(attr) ? mnl_attr_get_u32(attr) : 0;
			break;
		case FRA_TABLE:
			table = is_integer(attr) ? mnl_attr_get_u32(attr) : 0;
			break;
		}
	}
	if (frh->action == FR_ACT_TO_TBL && mark == seek->mark &&
	    mask == seek->mask && table == seek->table)
		seek->found = true;
	return MNL_CB_OK;
}

static int
see_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct seek *seek = data;
	struct nlattr *attr;
	uint32_t table;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	table = rtm->rtm_table;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
	{
		if (mnl_attr_get_type(attr) == RTA_TABLE && is_integer(attr))
			table = mnl_attr_get_u32(attr);
	}
	if (rtm->rtm_type == RTN_LOCAL && rtm->rtm_dst_len == 0 &&
	    table == seek->table)
		seek->found = true;
	return MNL_CB_OK;
}

static int
dump_rules(struct route *r, int family, struct seek *seek)
{
	char buf[ASK_SIZE];
	struct fib_rule_hdr *frh;
	struct nlmsghdr *nlh;

	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_GETRULE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	frh = mnl_nlmsg_put_extra_header(nlh, sizeof(*frh));
	frh->family = (uint8_t)family;
	seek->found = false;
	return talk(r, nlh, see_rule, seek);
}

static int
dump_routes(struct route *r, int family, struct seek *seek)
{
	char buf[ASK_SIZE];
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;
	int e;

	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = (uint8_t)family;
	mnl_attr_put_u32(nlh, RTA_TABLE, seek->table);
	seek->found = false;
	e = talk(r, nlh, see_route, seek);
	/* no such table */
	return e == -ENOENT ? 0 : e;
}

static int
look(struct route *r, const struct policy *p, int family, bool *ret_found)
{
	struct seek seek = {
		.mark = p->gateway.mark_deliver,
		.mask = p->gateway.mark_mask,
		.table = p->gateway.table,
	};
	int e;

	*ret_found = false;
	e = dump_rules(r, family, &seek);
	if (e < 0 || !seek.found)
		return e;
	e = dump_routes(r, family, &seek);
	*ret_found = e == 0 && seek.found;
	return e;
}

int
route_return_path(struct route *r, const struct policy *p,
		  unsigned int *ret_families)
{
	bool v4, v6;
	int e;

	e = look(r, p, AF_INET, &v4);
	if (e < 0)
		return e;
	/* a kernel without IPv6 says so by an error */
	if (look(r, p, AF_INET6, &v6) < 0)
		v6 = false;
	*ret_families = (v4 ? FAMILY_IPV4 : 0) | (v6 ? FAMILY_IPV6 : 0);
	return 0;
}

/* --- is it ours? ---------------------------------------------------------- */

static int
see_answer(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	bool *local = data;

	if (nlh->nlmsg_type == RTM_NEWROUTE)
		*local = rtm->rtm_type == RTN_LOCAL;
	return MNL_CB_STOP;
}

static bool
ask_local(struct route *r, const struct addr *addr)
{
	char buf[ASK_SIZE];
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;
	bool local = false;

	nlh = mnl_nlmsg_put_header(buf);
	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = addr->family;
	rtm->rtm_dst_len = (uint8_t)addr_bits(addr);
	mnl_attr_put(nlh, RTA_DST, addr_bits(addr) / 8, addr->bytes);
	if (talk(r, nlh, see_answer, &local) < 0)
		return false;
	return local;
}

bool
route_is_local(struct route *r, const struct addr *addr, uint64_t now_ms)
{
	struct route_known *k;

	k = &r->known[hash64(addr, sizeof(*addr), 0) % ROUTE_CACHE];
	if (now_ms < k->until_ms && addr_equal(&k->addr, addr))
		return k->local;
	k->addr = *addr;
	k->local = ask_local(r, addr);
	k->until_ms = now_ms + KNOWN_MS;
	return k->local;
}
