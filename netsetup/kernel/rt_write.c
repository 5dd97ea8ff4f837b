/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of rtnetlink(7) for ip rules and routes.
 */
#include "netsetup/kernel/rt_write.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

enum { MESSAGE_LEN = 1024 };

static struct nlmsghdr *
header(char *buf, uint16_t type, bool add)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	if (add)
		nlh->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
	return nlh;
}

int
rt_write_iprule(struct nl *nl, const struct kiprule *rule, bool add,
		struct nl_error *ret_error)
{
	char buf[MESSAGE_LEN];
	struct nlmsghdr *nlh =
		header(buf, add ? RTM_NEWRULE : RTM_DELRULE, add);
	struct fib_rule_hdr *h = mnl_nlmsg_put_extra_header(nlh, sizeof(*h));

	h->family = rule->family;
	h->action = rule->action;
	mnl_attr_put_u32(nlh, FRA_PRIORITY, rule->priority);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, RTPROT_INTERPOSE);
	if (rule->mask) {
		mnl_attr_put_u32(nlh, FRA_FWMARK, rule->mark);
		mnl_attr_put_u32(nlh, FRA_FWMASK, rule->mask);
	}
	if (rule->action == FR_ACT_TO_TBL)
		mnl_attr_put_u32(nlh, FRA_TABLE, rule->table);
	if (rule->action == FR_ACT_GOTO)
		mnl_attr_put_u32(nlh, FRA_GOTO, rule->target);
	if (rule->iif)
		mnl_attr_put_strz(nlh, FRA_IIFNAME, rule->iif);
	return nl_request(nl, nlh, ret_error);
}

int
rt_write_route(struct nl *nl, const struct kroute *route, bool add,
	       struct nl_error *ret_error)
{
	char buf[MESSAGE_LEN];
	struct nlmsghdr *nlh =
		header(buf, add ? RTM_NEWROUTE : RTM_DELROUTE, add);
	struct rtmsg *h = mnl_nlmsg_put_extra_header(nlh, sizeof(*h));
	uint32_t ifindex = route->ifindex;

	if (ifindex == 0 && route->iface)
		ifindex = if_nametoindex(route->iface);
	h->rtm_family = route->family;
	h->rtm_dst_len = route->to.len;
	h->rtm_table = RT_TABLE_UNSPEC; /* RTA_TABLE says which */
	h->rtm_protocol = RTPROT_INTERPOSE;
	h->rtm_type = route->type;
	h->rtm_scope =
		route->type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_NOWHERE;
	if (add && route->type != RTN_LOCAL)
		h->rtm_scope = RT_SCOPE_UNIVERSE;
	mnl_attr_put_u32(nlh, RTA_TABLE, route->table);
	if (route->to.len > 0)
		mnl_attr_put(nlh, RTA_DST, addr_bits(&route->to.addr) / 8,
			     route->to.addr.bytes);
	if (ifindex)
		mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
	if (route->metric)
		mnl_attr_put_u32(nlh, RTA_PRIORITY, route->metric);
	return nl_request(nl, nlh, ret_error);
}
