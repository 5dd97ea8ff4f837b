/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An entry does not say where its packets come in and go out, so routing is
 * asked: the client is behind the interface that leads to it.
 */
#include "netsetup/change/existing.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "netsetup/change/flows.h"
#include "netsetup/kernel/rt_route.h"
#include "netsetup/state/meet.h"

struct resetting {
	const struct policy *policy;
	const struct facts *facts;
	const struct ct_tuple *spare;
	struct nl route;  /* owns */
	struct nl change; /* owns */
	int error;	  /* the first */
};

/* Seen from sshd the other end may be one that was translated. */
static bool
is_spared(const struct resetting *r, const struct ct_entry *e)
{
	return r->spare && endpoint_equal(&r->spare->from, &e->original.from) &&
	       (endpoint_equal(&r->spare->to, &e->original.to) ||
		endpoint_equal(&r->spare->to, &e->reply.from));
}

/* By which interface does the box reach it? false: by none, or it is its own.
 */
static bool
find_iface(struct resetting *r, const struct endpoint *to, struct hop *hop)
{
	struct hop_query q = {.to = to->addr};

	return rt_route(&r->route, &q, hop) == 0 && hop_is_forward(hop);
}

static bool
is_captured(struct resetting *r, const struct ct_entry *e)
{
	struct meet_flow flow = {
		.proto = e->protocol == IPPROTO_TCP ? PROTO_TCP : PROTO_UDP,
		.client = e->original.from,
		.server = e->original.to,
	};
	struct hop in, out;

	if (!find_iface(r, &flow.client, &in))
		return false;
	flow.in = in.oif;
	if (!meet_is_local(r->facts, &flow.server.addr)) {
		if (!find_iface(r, &flow.server, &out))
			return false;
		flow.out = out.oif;
	}
	return meet_policy(r->policy, r->facts, &flow).service != NULL;
}

static int
reset(struct resetting *r, const struct ct_entry *e)
{
	if (e->protocol == IPPROTO_UDP)
		return ct_delete(&r->change, e);
	return ct_set_mark(&r->change, e, policy_mark_tproxied(r->policy),
			   r->policy->gateway.mark_mask);
}

static bool
see(const struct ct_entry *e, void *data)
{
	struct resetting *r = data;
	int error;

	if (e->over ||
	    (e->protocol != IPPROTO_TCP && e->protocol != IPPROTO_UDP) ||
	    flows_leg(r->policy, r->facts, e) != FLOWS_LEG_NONE ||
	    is_spared(r, e) || !is_captured(r, e))
		return true;
	error = reset(r, e);
	if (error < 0 && error != -ENOENT && r->error == 0)
		r->error = error;
	return true;
}

int
existing_reset(const struct policy *p, const struct facts *facts,
	       const struct ct_tuple *spare)
{
	struct resetting r = {.policy = p, .facts = facts, .spare = spare};
	struct nl nl = {0};
	int error;

	error = nl_open(&r.route, NETLINK_ROUTE);
	if (error == 0)
		error = nl_open(&r.change, NETLINK_NETFILTER);
	if (error == 0)
		error = nl_open(&nl, NETLINK_NETFILTER);
	if (error == 0)
		error = ct_dump(&nl, 0, 0, see, &r);
	nl_close(&nl);
	nl_close(&r.change);
	nl_close(&r.route);
	return error < 0 ? error : r.error;
}
