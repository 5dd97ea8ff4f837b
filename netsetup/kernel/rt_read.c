/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dumps of rtnetlink(7). The kernel filters where it can; what is not ours
 * and comes nevertheless is passed over.
 */
#include "netsetup/kernel/rt_read.h"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/kernel/rt_attr.h"

enum { MESSAGE_LEN = 256 };

struct reader {
	struct nl *nl;
	struct arena *arena;
	struct kstate *state;
	/* interfaces and addresses as they come */
	struct facts_iface *ifaces;
	uint32_t *indexes; /* beside ifaces */
	size_t n_ifaces;
	struct addr *addrs;
	size_t n_addrs;
};

static char *
get_string(struct reader *r, const struct rt_attrs *a, int type)
{
	const struct nlattr *attr = a->by_type[type];

	if (!attr)
		return NULL;
	return arena_strndup(r->arena, mnl_attr_get_str(attr),
			     mnl_attr_get_payload_len(attr));
}

static int
take_iprule(const struct nlmsghdr *nlh, void *data)
{
	const struct fib_rule_hdr *h = mnl_nlmsg_get_payload(nlh);
	struct reader *r = data;
	struct kstate *s = r->state;
	struct kiprule *rule;
	struct rt_attrs a;

	if (!rt_attrs(nlh, RTM_NEWRULE, sizeof(*h), &a) || !rt_is_ip(h->family))
		return MNL_CB_OK;
	if (!a.by_type[FRA_PROTOCOL] ||
	    mnl_attr_get_u8(a.by_type[FRA_PROTOCOL]) != RTPROT_INTERPOSE)
		return MNL_CB_OK;
	s->iprules =
		arena_push(r->arena, s->iprules, s->n_iprules, sizeof(*rule));
	rule = &s->iprules[s->n_iprules++];
	rule->family = h->family;
	rule->action = h->action;
	rule->priority = rt_attrs_u32(&a, FRA_PRIORITY, 0);
	rule->mark = rt_attrs_u32(&a, FRA_FWMARK, 0);
	rule->mask = rt_attrs_u32(&a, FRA_FWMASK, 0);
	if (h->action == FR_ACT_TO_TBL)
		rule->table = rt_attrs_u32(&a, FRA_TABLE, h->table);
	rule->target = rt_attrs_u32(&a, FRA_GOTO, 0);
	rule->iif = get_string(r, &a, FRA_IIFNAME);
	return MNL_CB_OK;
}

static int
take_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *h = mnl_nlmsg_get_payload(nlh);
	struct reader *r = data;
	struct kstate *s = r->state;
	struct kroute *route;
	char name[IF_NAMESIZE];
	struct rt_attrs a;

	if (!rt_attrs(nlh, RTM_NEWROUTE, sizeof(*h), &a) ||
	    !rt_is_ip(h->rtm_family) || h->rtm_protocol != RTPROT_INTERPOSE)
		return MNL_CB_OK;
	s->routes =
		arena_push(r->arena, s->routes, s->n_routes, sizeof(*route));
	route = &s->routes[s->n_routes++];
	route->family = h->rtm_family;
	route->type = h->rtm_type;
	route->to.addr = rt_attr_addr(a.by_type[RTA_DST], h->rtm_family);
	route->to.addr.family = h->rtm_family;
	route->to.len = h->rtm_dst_len;
	route->table = rt_attrs_u32(&a, RTA_TABLE, h->rtm_table);
	route->metric = rt_attrs_u32(&a, RTA_PRIORITY, 0);
	route->ifindex = rt_attrs_u32(&a, RTA_OIF, 0);
	if (route->ifindex && if_indextoname(route->ifindex, name))
		route->iface = arena_strdup(r->arena, name);
	return MNL_CB_OK;
}

static int
dump_routes(struct reader *r, uint8_t family, uint8_t protocol, mnl_cb_t cb)
{
	char buf[MESSAGE_LEN];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *h = mnl_nlmsg_put_extra_header(nlh, sizeof(*h));

	h->rtm_family = family;
	h->rtm_protocol = protocol;
	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	return nl_dump(r->nl, nlh, cb, r);
}

int
rt_read_state(struct nl *nl, struct arena *arena, struct kstate *s)
{
	struct reader r = {.nl = nl, .arena = arena, .state = s};
	static const uint8_t families[] = {AF_INET, AF_INET6};
	size_t i;
	int error = 0;

	for (i = 0; i < 2 && error == 0; i++) {
		error = rt_dump(nl, RTM_GETRULE, families[i],
				sizeof(struct fib_rule_hdr), take_iprule, &r);
		if (error == 0)
			error = dump_routes(&r, families[i], RTPROT_INTERPOSE,
					    take_route);
		error = rt_unless_absent(error);
	}
	return error;
}

/* --- facts --------------------------------------------------------------- */

static int
take_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *h = mnl_nlmsg_get_payload(nlh);
	struct reader *r = data;
	struct facts_iface *f;
	const char *name;
	struct rt_attrs a;

	if (!rt_attrs(nlh, RTM_NEWLINK, sizeof(*h), &a))
		return MNL_CB_OK;
	name = get_string(r, &a, IFLA_IFNAME);
	if (!name)
		return MNL_CB_OK;
	r->ifaces = arena_push(r->arena, r->ifaces, r->n_ifaces, sizeof(*f));
	r->indexes = arena_push(r->arena, r->indexes, r->n_ifaces,
				sizeof(*r->indexes));
	f = &r->ifaces[r->n_ifaces];
	snprintf(f->name, sizeof(f->name), "%s", name);
	r->indexes[r->n_ifaces++] = (uint32_t)h->ifi_index;
	return MNL_CB_OK;
}

static struct facts_iface *
iface_by_index(struct reader *r, uint32_t ifindex)
{
	size_t i;

	for (i = 0; i < r->n_ifaces; i++) {
		if (r->indexes[i] == ifindex)
			return &r->ifaces[i];
	}
	return NULL;
}

static int
take_addr(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *h = mnl_nlmsg_get_payload(nlh);
	struct reader *r = data;
	struct facts_iface *f;
	struct addr addr;
	struct rt_attrs a;

	if (!rt_attrs(nlh, RTM_NEWADDR, sizeof(*h), &a) ||
	    !rt_is_ip(h->ifa_family))
		return MNL_CB_OK;
	/* on a point-to-point link IFA_ADDRESS is the peer's */
	addr = rt_attr_addr(
		a.by_type[a.by_type[IFA_LOCAL] ? IFA_LOCAL : IFA_ADDRESS],
		h->ifa_family);
	f = iface_by_index(r, h->ifa_index);
	if (f && h->ifa_family == AF_INET)
		f->ipv4 = true;
	r->addrs = arena_push(r->arena, r->addrs, r->n_addrs, sizeof(addr));
	r->addrs[r->n_addrs++] = addr;
	return MNL_CB_OK;
}

static int
take_ra_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *h = mnl_nlmsg_get_payload(nlh);
	struct facts_iface *f;
	struct rt_attrs a;

	if (!rt_attrs(nlh, RTM_NEWROUTE, sizeof(*h), &a) ||
	    h->rtm_protocol != RTPROT_RA || h->rtm_dst_len != 0)
		return MNL_CB_OK;
	f = iface_by_index(data, rt_attrs_u32(&a, RTA_OIF, 0));
	if (f)
		f->ra_route = true;
	return MNL_CB_OK;
}

int
rt_read_facts(struct nl *nl, struct arena *arena, struct facts *facts)
{
	struct reader r = {.nl = nl, .arena = arena};
	int error;

	error = rt_dump(nl, RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg),
			take_link, &r);
	if (error == 0)
		error = rt_dump(nl, RTM_GETADDR, AF_UNSPEC,
				sizeof(struct ifaddrmsg), take_addr, &r);
	if (error == 0)
		error = rt_unless_absent(
			dump_routes(&r, AF_INET6, RTPROT_RA, take_ra_route));
	facts->ifaces = r.ifaces;
	facts->n_ifaces = r.n_ifaces;
	facts->addrs = r.addrs;
	facts->n_addrs = r.n_addrs;
	return error;
}
