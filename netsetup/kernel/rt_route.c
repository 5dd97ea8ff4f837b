/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One RTM_GETROUTE. IPv4 answers a way that leads nowhere with an error, IPv6
 * with a route that carries one.
 */
#include "netsetup/kernel/rt_route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include "netsetup/kernel/rt_attr.h"

enum { MESSAGE_LEN = 512 };

static void
put_addr(struct nlmsghdr *nlh, uint16_t type, const struct addr *a)
{
	mnl_attr_put(nlh, type, addr_bits(a) / 8, a->bytes);
}

/* 0 or -ENODEV */
static int
put_iif(struct nlmsghdr *nlh, const char *name)
{
	unsigned int index = if_nametoindex(name);

	if (index == 0)
		return -ENODEV;
	mnl_attr_put_u32(nlh, RTA_IIF, index);
	return 0;
}

static void
put_ports(struct nlmsghdr *nlh, const struct hop_query *q)
{
	if (q->protocol == 0)
		return;
	mnl_attr_put_u8(nlh, RTA_IP_PROTO, q->protocol);
	if (q->from_port)
		mnl_attr_put_u16(nlh, RTA_SPORT, htons(q->from_port));
	if (q->to_port)
		mnl_attr_put_u16(nlh, RTA_DPORT, htons(q->to_port));
}

static int
build(char *buf, const struct hop_query *q)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = q->to.family;
	rtm->rtm_dst_len = (unsigned char)addr_bits(&q->to);
	if (q->to.family == AF_INET) /* IPv6 names the table anyway */
		rtm->rtm_flags = RTM_F_LOOKUP_TABLE;
	put_addr(nlh, RTA_DST, &q->to);
	if (q->from.family) {
		rtm->rtm_src_len = (unsigned char)addr_bits(&q->from);
		put_addr(nlh, RTA_SRC, &q->from);
	}
	if (q->mark)
		mnl_attr_put_u32(nlh, RTA_MARK, q->mark);
	put_ports(nlh, q);
	return q->iif ? put_iif(nlh, q->iif) : 0;
}

/* struct rtvia: a gateway of the other family */
static struct addr
get_via(const struct nlattr *attr)
{
	const struct rtvia *via = mnl_attr_get_payload(attr);
	struct addr a = {.family = (uint8_t)AF_INET6};

	if (mnl_attr_get_payload_len(attr) < sizeof(*via) + sizeof(a.bytes) ||
	    via->rtvia_family != AF_INET6)
		return (struct addr){0};
	memcpy(a.bytes, via->rtvia_addr, sizeof(a.bytes));
	return a;
}

struct answer {
	struct hop *hop;
	uint8_t family;
};

static int
take_attr(const struct nlattr *attr, void *data)
{
	struct answer *a = data;
	struct hop *r = a->hop;
	const struct rta_cacheinfo *info;

	switch (mnl_attr_get_type(attr)) {
	case RTA_OIF:
		if (!if_indextoname(mnl_attr_get_u32(attr), r->oif))
			r->oif[0] = '\0';
		break;
	case RTA_GATEWAY:
		r->gateway = rt_attr_addr(attr, a->family);
		break;
	case RTA_VIA:
		r->gateway = get_via(attr);
		break;
	case RTA_PREFSRC:
		r->source = rt_attr_addr(attr, a->family);
		break;
	case RTA_TABLE:
		r->table = mnl_attr_get_u32(attr);
		break;
	case RTA_CACHEINFO:
		info = mnl_attr_get_payload(attr);
		if (mnl_attr_get_payload_len(attr) >= sizeof(*info) &&
		    (int)info->rta_error < 0)
			r->error = (int)info->rta_error;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int
take_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct answer *a = data;

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    nlh->nlmsg_len < mnl_nlmsg_size(sizeof(*rtm)))
		return MNL_CB_OK;
	a->hop->type = rtm->rtm_type;
	a->hop->table = rtm->rtm_table;
	a->family = rtm->rtm_family;
	mnl_attr_parse(nlh, sizeof(*rtm), take_attr, a);
	return MNL_CB_OK;
}

/* What routing itself says, and not that it could not be asked. */
static bool
is_verdict(int error, uint8_t family)
{
	switch (error) {
	case -EINVAL: /* a martian */
		return family == AF_INET;
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -EACCES:
	case -EXDEV:
	case -ENETDOWN:
		return true;
	default:
		return false;
	}
}

int
rt_route(struct nl *nl, const struct hop_query *q, struct hop *ret_hop)
{
	char buf[MESSAGE_LEN] __attribute__((aligned(8)));
	struct hop hop = {0};
	struct answer a = {&hop, q->to.family};
	int r = build(buf, q);

	if (r == 0)
		r = nl_dump(nl, (struct nlmsghdr *)buf, take_route, &a);
	if (is_verdict(r, q->to.family)) {
		hop.error = r;
		r = 0;
	}
	if (r < 0)
		return r;
	*ret_hop = hop;
	return 0;
}
