/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boxes.h - for tests: a box that answers questions about its routes, as the
 * one of states.h would: clients at in0, all else by out0.
 */
#ifndef TESTS_NETSETUP_BOXES_H
#define TESTS_NETSETUP_BOXES_H

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netsetup/explain/way.h"

struct box {
	bool no_rule;	/* the ip rule of the mark DELIVER is gone */
	bool filters;	/* rp_filter: what comes by out0 from 10.1/16 is not */
	bool closed;	/* nobody listens */
	int forwarding; /* of both families */
	unsigned int asked;
};

static inline bool
box_in(const struct addr *a, const char *prefix)
{
	struct prefix p;

	prefix_parse(prefix, &p);
	return prefix_contains(&p, a);
}

static inline struct addr
box_addr(const char *text)
{
	struct addr a = {0};

	addr_parse(text, &a);
	return a;
}

static inline void
box_go(struct hop *hop, const char *oif, const char *source)
{
	hop->type = RTN_UNICAST;
	hop->table = RT_TABLE_MAIN;
	strcpy(hop->oif, oif);
	hop->source = box_addr(source);
}

static inline void
box_keep(struct hop *hop, uint32_t table)
{
	hop->type = RTN_LOCAL;
	hop->table = table;
	strcpy(hop->oif, "lo");
}

static inline bool
box_own(const struct addr *a)
{
	return box_in(a, "10.1.0.1") || box_in(a, "10.2.0.1") ||
	       box_in(a, "fd01::1");
}

/* From and to the same address, as the kernel chooses it. */
static inline void
box_stay(struct hop *hop, const struct addr *own)
{
	box_keep(hop, RT_TABLE_LOCAL);
	hop->source = *own;
}

static inline int
box_route(void *data, const struct hop_query *q, struct hop *ret_hop)
{
	struct box *box = data;
	struct hop hop = {0};
	bool v4 = q->to.family == AF_INET;

	box->asked++;
	if (q->mark == 0x1000 && q->iif && !box->no_rule)
		box_keep(&hop, 9061);
	else if (q->iif && box_own(&q->from))
		hop.error = -EINVAL; /* a martian */
	else if (box_own(&q->to))
		box_stay(&hop, &q->to);
	else if (box_in(&q->to, "10.1.0.0/16") || box_in(&q->to, "fd01::/64"))
		box_go(&hop, "in0", v4 ? "10.1.0.1" : "fd01::1");
	else if (box_in(&q->to, "10.66.0.0/16"))
		hop.error = -ENETUNREACH;
	else
		box_go(&hop, "out0", v4 ? "10.2.0.1" : "fd02::1");
	if (box_in(&q->to, "10.3.0.0/16"))
		hop.gateway = box_addr("10.2.0.254");
	if (box->filters && q->iif && !strcmp(q->iif, "out0") &&
	    box_in(&q->from, "10.1.0.0/16"))
		hop = (struct hop){.error = -EINVAL};
	*ret_hop = hop;
	return 0;
}

static inline int
box_setting(void *data, const char *path, int *ret)
{
	const struct box *box = data;

	*ret = strstr(path, "forwarding") ? box->forwarding : box->filters;
	return 0;
}

static inline int
box_listens(void *data, enum proto proto, const struct endpoint *at, int *ret)
{
	const struct box *box = data;

	(void)proto;
	(void)at;
	*ret = !box->closed;
	return 0;
}

static inline struct way_box
box_answers(struct box *box)
{
	return (struct way_box){box, box_route, box_setting, box_listens};
}

#endif
