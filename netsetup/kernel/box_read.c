/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dumps of rtnetlink(7), filtered by table where the kernel can.
 */
#include "netsetup/kernel/box_read.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"

enum { MESSAGE_LEN = 256, ATTRS_MAX = 64, TABLES_MAX = 32 };

#define NONE UINT32_MAX

struct reader {
	struct nl *nl;
	struct arena *arena;
	struct box *box;
	uint32_t table; /* ours */
};

struct attrs {
	const struct nlattr *by_type[ATTRS_MAX];
};

static int
take_attr(const struct nlattr *attr, void *data)
{
	struct attrs *a = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < ATTRS_MAX)
		a->by_type[type] = attr;
	return MNL_CB_OK;
}

/* Attributes of a message of this type; false if it is another or short. */
static bool
parse(const struct nlmsghdr *nlh, uint16_t type, size_t header_len,
      struct attrs *ret)
{
	if (nlh->nlmsg_type != type ||
	    nlh->nlmsg_len < mnl_nlmsg_size(header_len))
		return false;
	memset(ret, 0, sizeof(*ret));
	mnl_attr_parse(nlh, (unsigned int)header_len, take_attr, ret);
	return true;
}

static uint32_t
get_u32(const struct attrs *a, int type, uint32_t otherwise)
{
	const struct nlattr *attr = a->by_type[type];

	if (!attr || mnl_attr_get_payload_len(attr) < sizeof(uint32_t))
		return otherwise;
	return mnl_attr_get_u32(attr);
}

static struct addr
get_addr(const struct attrs *a, int type, uint8_t family)
{
	const struct nlattr *attr = a->by_type[type];
	struct addr addr = {.family = family};

	if (attr && mnl_attr_get_payload_len(attr) >= addr_bits(&addr) / 8)
		memcpy(addr.bytes, mnl_attr_get_payload(attr),
		       addr_bits(&addr) / 8);
	return addr;
}

static bool
is_ip(uint8_t family)
{
	return family == AF_INET || family == AF_INET6;
}

static int
dump(struct reader *r, uint16_t type, uint8_t family, size_t len, mnl_cb_t cb)
{
	char buf[MESSAGE_LEN];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	uint8_t *h = mnl_nlmsg_put_extra_header(nlh, len);

	h[0] = family;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	return nl_dump(r->nl, nlh, cb, r);
}

/* A kernel without IPv6 refuses to list it; a table may not be there. */
static int
unless_absent(int error)
{
	if (error == -EAFNOSUPPORT || error == -EOPNOTSUPP || error == -ENOENT)
		return 0;
	return error;
}

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
	struct attrs a;

	if (!parse(nlh, RTM_NEWLINK, sizeof(*h), &a) || !a.by_type[IFLA_IFNAME])
		return MNL_CB_OK;
	b->ifaces = arena_push(r->arena, b->ifaces, b->n_ifaces, sizeof(*i));
	i = &b->ifaces[b->n_ifaces++];
	snprintf(i->name, sizeof(i->name), "%s",
		 mnl_attr_get_str(a.by_type[IFLA_IFNAME]));
	i->index = (uint32_t)h->ifi_index;
	i->mtu = get_u32(&a, IFLA_MTU, 0);
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
	struct attrs a;

	if (!parse(nlh, RTM_NEWADDR, sizeof(*h), &a) || !is_ip(h->ifa_family))
		return MNL_CB_OK;
	i = by_index(r->box, h->ifa_index);
	/* the peer's, on a point-to-point link: that is who is there */
	addr = get_addr(&a, a.by_type[IFA_ADDRESS] ? IFA_ADDRESS : IFA_LOCAL,
			h->ifa_family);
	if (!i || addr_is_link_local(&addr))
		return MNL_CB_OK;
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
	struct attrs a;

	if (!parse(nlh, RTM_NEWRULE, sizeof(*h), &a) || !is_ip(h->family))
		return MNL_CB_OK;
	if (a.by_type[FRA_PROTOCOL] &&
	    mnl_attr_get_u8(a.by_type[FRA_PROTOCOL]) == RTPROT_INTERPOSE)
		return MNL_CB_OK;
	b->iprules =
		arena_push(r->arena, b->iprules, b->n_iprules, sizeof(*rule));
	rule = &b->iprules[b->n_iprules++];
	rule->family = h->family;
	rule->action = h->action;
	rule->priority = get_u32(&a, FRA_PRIORITY, 0);
	rule->mark = get_u32(&a, FRA_FWMARK, 0);
	rule->mask = get_u32(&a, FRA_FWMASK, 0);
	rule->table = get_u32(&a, FRA_TABLE, h->table);
	rule->narrow = h->src_len || h->dst_len || h->tos ||
		       h->flags & FIB_RULE_INVERT || rule->mask ||
		       a.by_type[FRA_IIFNAME] || a.by_type[FRA_OIFNAME] ||
		       a.by_type[FRA_UID_RANGE] || a.by_type[FRA_IP_PROTO] ||
		       a.by_type[FRA_SPORT_RANGE] ||
		       a.by_type[FRA_DPORT_RANGE] ||
		       get_u32(&a, FRA_SUPPRESS_PREFIXLEN, NONE) != NONE;
	if (h->flags & FIB_RULE_INVERT)
		rule->mask = 0; /* "not these" uses none of their bits */
	return MNL_CB_OK;
}

/* --- routes -------------------------------------------------------------- */

static void
name_iface(struct reader *r, const struct attrs *a, char ret[POLICY_IFACE_LEN])
{
	const struct box_iface *i = by_index(r->box, get_u32(a, RTA_OIF, 0));

	snprintf(ret, POLICY_IFACE_LEN, "%s", i ? i->name : "");
}

static int
take_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *h = mnl_nlmsg_get_payload(nlh);
	struct reader *r = data;
	struct box *b = r->box;
	struct box_route *route;
	struct attrs a;
	uint32_t table;

	if (!parse(nlh, RTM_NEWROUTE, sizeof(*h), &a) || !is_ip(h->rtm_family))
		return MNL_CB_OK;
	table = get_u32(&a, RTA_TABLE, h->rtm_table);
	if (h->rtm_protocol == RTPROT_INTERPOSE ||
	    (h->rtm_dst_len > 0 && table != r->table))
		return MNL_CB_OK;
	b->routes =
		arena_push(r->arena, b->routes, b->n_routes, sizeof(*route));
	route = &b->routes[b->n_routes++];
	route->family = h->rtm_family;
	route->protocol = h->rtm_protocol;
	route->table = table;
	route->metric = get_u32(&a, RTA_PRIORITY, 0);
	route->to.addr = get_addr(&a, RTA_DST, h->rtm_family);
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
	return unless_absent(nl_dump(r->nl, nlh, take_route, r));
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

	error = dump(&r, RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg),
		     take_link);
	if (error == 0)
		error = dump(&r, RTM_GETADDR, AF_UNSPEC,
			     sizeof(struct ifaddrmsg), take_addr);
	for (i = 0; i < 2 && error == 0; i++)
		error = unless_absent(dump(&r, RTM_GETRULE, families[i],
					   sizeof(struct fib_rule_hdr),
					   take_iprule));
	for (i = 0; i < 2 && error == 0; i++)
		error = read_routes(&r, families[i]);
	return error;
}
