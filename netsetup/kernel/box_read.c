/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dumps of rtnetlink(7), filtered by table where the kernel can.
 */
#include "netsetup/kernel/box_read.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/kernel/rt_attr.h"

enum { MESSAGE_LEN = 256, TABLES_MAX = 32 };

#define NONE UINT32_MAX

struct reader {
	struct nl *nl;
	struct arena *arena;
	struct box *box;
	uint32_t table; /* ours */
};

/* --- interfaces ---------------------------------------------------------- */

static int
take_kind(const struct nlattr *attr, void *data)
{
	bool *ret_bridge = data;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		*ret_bridge = !strcmp(mnl_attr_get_str(attr), "bridge");
	return MNL_CB_OK;
}

static int
take_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *h = mnl_nlmsg_get_payload(nlh);
	struct reader *r = data;
	struct box *b = r->box;
	struct box_iface *i;
	struct rt_attrs a;

	if (!rt_attrs(nlh, RTM_NEWLINK, sizeof(*h), &a) ||
	    !a.by_type[IFLA_IFNAME])
		return MNL_CB_OK;
	b->ifaces = arena_push(r->arena, b->ifaces, b->n_ifaces, sizeof(*i));
	i = &b->ifaces[b->n_ifaces++];
	snprintf(i->name, sizeof(i->name), "%s",
		 mnl_attr_get_str(a.by_type[IFLA_IFNAME]));
	i->index = (uint32_t)h->ifi_index;
	i->mtu = rt_attrs_u32(&a, IFLA_MTU, 0);
	i->up = h->ifi_flags & IFF_UP;
	if (a.by_type[IFLA_CARRIER] &&
	    mnl_attr_get_u8(a.by_type[IFLA_CARRIER]) == 0)
		i->up = false;
	i->loopback = h->ifi_flags & IFF_LOOPBACK;
	if (a.by_type[IFLA_LINKINFO])
		mnl_attr_parse_nested(a.by_type[IFLA_LINKINFO], take_kind,
				      &i->bridge);
	return MNL_CB_OK;
}

static struct box_iface *
by_index(struct box *b, uint32_t index)
{
	size_t i;

	for (i = 0; i < b->n_ifaces; i++) {
		if (b->ifaces[i].index == index)
			return &b->ifaces[i];
	}
	return NULL;
}

/* The network that an address is in. */
static struct prefix
network(struct addr addr, uint8_t len)
{
	struct prefix p = {.addr = addr, .len = len};
	unsigned int i, bits = addr_bits(&addr);

	for (i = len; i < bits; i++)
		p.addr.bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return p;
}

static int
take_addr(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *h = mnl_nlmsg_get_payload(nlh);
	struct reader *r = data;
	struct box_iface *i;
	struct addr addr;
	struct rt_attrs a;

	if (!rt_attrs(nlh, RTM_NEWADDR, sizeof(*h), &a) ||
	    !rt_is_ip(h->ifa_family))
		return MNL_CB_OK;
	i = by_index(r->box, h->ifa_index);
	/* the peer's, on a point-to-point link: that is who is there */
	addr = rt_attr_addr(
		a.by_type[a.by_type[IFA_ADDRESS] ? IFA_ADDRESS : IFA_LOCAL],
		h->ifa_family);
	if (!i || addr_is_link_local(&addr))
		return MNL_CB_OK;
	addr.family = h->ifa_family;
	i->nets = arena_push(r->arena, i->nets, i->n_nets, sizeof(*i->nets));
	i->nets[i->n_nets++] = network(addr, h->ifa_prefixlen);
	return MNL_CB_OK;
}

/* --- ip rules ------------------------------------------------------------ */

static int
take_iprule(const struct nlmsghdr *nlh, void *data)
{
	const struct fib_rule_hdr *h = mnl_nlmsg_get_payload(nlh);
	struct reader *r = data;
	struct box *b = r->box;
	struct box_iprule *rule;
	struct rt_attrs a;

	if (!rt_attrs(nlh, RTM_NEWRULE, sizeof(*h), &a) || !rt_is_ip(h->family))
		return MNL_CB_OK;
	if (a.by_type[FRA_PROTOCOL] &&
	    mnl_attr_get_u8(a.by_type[FRA_PROTOCOL]) == RTPROT_INTERPOSE)
		return MNL_CB_OK;
	b->iprules =
		arena_push(r->arena, b->iprules, b->n_iprules, sizeof(*rule));
	rule = &b->iprules[b->n_iprules++];
	rule->family = h->family;
	rule->action = h->action;
	rule->priority = rt_attrs_u32(&a, FRA_PRIORITY, 0);
	rule->mark = rt_attrs_u32(&a, FRA_FWMARK, 0);
	rule->mask = rt_attrs_u32(&a, FRA_FWMASK, 0);
	rule->table = rt_attrs_u32(&a, FRA_TABLE, h->table);
	rule->narrow = h->src_len || h->dst_len || h->tos ||
		       h->flags & FIB_RULE_INVERT || rule->mask ||
		       a.by_type[FRA_IIFNAME] || a.by_type[FRA_OIFNAME] ||
		       a.by_type[FRA_UID_RANGE] || a.by_type[FRA_IP_PROTO] ||
		       a.by_type[FRA_SPORT_RANGE] ||
		       a.by_type[FRA_DPORT_RANGE] ||
		       rt_attrs_u32(&a, FRA_SUPPRESS_PREFIXLEN, NONE) != NONE;
	if (h->flags & FIB_RULE_INVERT)
		rule->mask = 0; /* "not these" uses none of their bits */
	return MNL_CB_OK;
}

/* --- routes -------------------------------------------------------------- */

static void
name_iface(struct reader *r, const struct rt_attrs *a,
	   char ret[POLICY_IFACE_LEN])
{
	const struct box_iface *i =
		by_index(r->box, rt_attrs_u32(a, RTA_OIF, 0));

	snprintf(ret, POLICY_IFACE_LEN, "%s", i ? i->name : "");
}

static int
take_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *h = mnl_nlmsg_get_payload(nlh);
	struct reader *r = data;
	struct box *b = r->box;
	struct box_route *route;
	struct rt_attrs a;
	uint32_t table;

	if (!rt_attrs(nlh, RTM_NEWROUTE, sizeof(*h), &a) ||
	    !rt_is_ip(h->rtm_family))
		return MNL_CB_OK;
	table = rt_attrs_u32(&a, RTA_TABLE, h->rtm_table);
	if (h->rtm_protocol == RTPROT_INTERPOSE ||
	    (h->rtm_dst_len > 0 && table != r->table))
		return MNL_CB_OK;
	b->routes =
		arena_push(r->arena, b->routes, b->n_routes, sizeof(*route));
	route = &b->routes[b->n_routes++];
	route->family = h->rtm_family;
	route->protocol = h->rtm_protocol;
	route->table = table;
	route->metric = rt_attrs_u32(&a, RTA_PRIORITY, 0);
	route->to.addr = rt_attr_addr(a.by_type[RTA_DST], h->rtm_family);
	route->to.addr.family = h->rtm_family;
	route->to.len = h->rtm_dst_len;
	name_iface(r, &a, route->iface);
	return MNL_CB_OK;
}

static int
dump_table(struct reader *r, uint8_t family, uint32_t table)
{
	char buf[MESSAGE_LEN];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *h = mnl_nlmsg_put_extra_header(nlh, sizeof(*h));

	h->rtm_family = family;
	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_attr_put_u32(nlh, RTA_TABLE, table);
	return rt_unless_absent(nl_dump(r->nl, nlh, take_route, r));
}

/* The tables to look into: each once. */
struct tables {
	uint32_t list[TABLES_MAX];
	size_t n;
};

static void
add_table(struct tables *t, uint32_t table)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (t->list[i] == table)
			return;
	}
	if (t->n < TABLES_MAX)
		t->list[t->n++] = table;
}

static int
read_routes(struct reader *r, uint8_t family)
{
	struct tables t = {0};
	size_t i;
	int error = 0;

	add_table(&t, RT_TABLE_MAIN);
	if (r->table)
		add_table(&t, r->table);
	for (i = 0; i < r->box->n_iprules; i++) {
		const struct box_iprule *rule = &r->box->iprules[i];

		if (rule->family == family && rule->table &&
		    rule->action == FR_ACT_TO_TBL &&
		    rule->table != RT_TABLE_LOCAL)
			add_table(&t, rule->table);
	}
	for (i = 0; i < t.n && error == 0; i++)
		error = dump_table(r, family, t.list[i]);
	return error;
}

int
box_read(struct nl *nl, struct arena *arena, uint32_t table, struct box *b)
{
	struct reader r = {.nl = nl, .arena = arena, .box = b, .table = table};
	static const uint8_t families[] = {AF_INET, AF_INET6};
	size_t i;
	int error;

	error = rt_dump(nl, RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg),
			take_link, &r);
	if (error == 0)
		error = rt_dump(nl, RTM_GETADDR, AF_UNSPEC,
				sizeof(struct ifaddrmsg), take_addr, &r);
	for (i = 0; i < 2 && error == 0; i++)
		error = rt_unless_absent(rt_dump(nl, RTM_GETRULE, families[i],
						 sizeof(struct fib_rule_hdr),
						 take_iprule, &r));
	for (i = 0; i < 2 && error == 0; i++)
		error = read_routes(&r, families[i]);
	return error;
}
