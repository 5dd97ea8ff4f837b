/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One dump of conntrack. A leg to a server is known by its connection mark;
 * a client's by where it was redirected to, or by the zone of its answers.
 */
#include "netsetup/change/flows.h"

#include <linux/netlink.h>
#include <string.h>

#include "netsetup/kernel/sock.h"
#include "netsetup/state/meet.h"

struct counting {
	const struct policy *policy;
	const struct facts *facts;
	struct flows flows;
};

static bool
is_capture_port(const struct policy *p, uint8_t protocol, uint16_t port)
{
	size_t i;

	for (i = 0; i < p->n_services; i++) {
		const struct policy_service *s = &p->services[i];
		bool udp = s->proto == PROTO_UDP;

		if (s->n_intercepts > 0 && s->capture_port == port &&
		    protocol == (udp ? IPPROTO_UDP : IPPROTO_TCP))
			return true;
	}
	return false;
}

enum flows_leg
flows_leg(const struct policy *p, const struct facts *facts,
	  const struct ct_entry *e)
{
	const struct policy_gateway *g = &p->gateway;

	if (e->over)
		return FLOWS_LEG_NONE;
	if ((e->mark & g->mark_mask) == g->mark_upstream)
		return FLOWS_LEG_SPOOFED;
	if (e->reply.zone == g->zone + 1)
		return FLOWS_LEG_TPROXIED;
	if (e->dnat && is_capture_port(p, e->protocol, e->reply.from.port) &&
	    meet_is_local(facts, &e->reply.from.addr))
		return FLOWS_LEG_REDIRECTED;
	return FLOWS_LEG_NONE;
}

size_t
flows_total(const struct flows *f)
{
	size_t clients = f->tproxied + f->redirected4 + f->redirected6;

	return clients > f->spoofed ? clients : f->spoofed;
}

static bool
count(const struct ct_entry *e, void *data)
{
	struct counting *c = data;

	switch (flows_leg(c->policy, c->facts, e)) {
	case FLOWS_LEG_NONE:
		break;
	case FLOWS_LEG_TPROXIED:
		c->flows.tproxied++;
		break;
	case FLOWS_LEG_REDIRECTED:
		if (e->original.to.addr.family == AF_INET)
			c->flows.redirected4++;
		else
			c->flows.redirected6++;
		break;
	case FLOWS_LEG_SPOOFED:
		c->flows.spoofed++;
		break;
	}
	return true;
}

static bool
count_socket(const struct sock_entry *e, void *data)
{
	struct counting *c = data;
	const struct policy_gateway *g = &c->policy->gateway;

	if ((e->mark & g->mark_mask) == g->mark_upstream)
		c->flows.spoofed++;
	return true;
}

/* Conntrack knows nothing of them: their sockets carry the mark. */
static int
count_untracked(struct counting *c)
{
	struct nl nl;
	int r;

	r = nl_open(&nl, NETLINK_SOCK_DIAG);
	if (r == 0)
		r = sock_dump(&nl, IPPROTO_TCP, SOCK_KIND_CONNECTED,
			      count_socket, c);
	nl_close(&nl);
	return r;
}

int
flows_count(const struct policy *p, const struct facts *facts,
	    struct flows *ret_flows)
{
	struct counting c = {.policy = p, .facts = facts};
	struct nl nl;
	int r;

	r = nl_open(&nl, NETLINK_NETFILTER);
	if (r < 0)
		return r;
	r = ct_dump(&nl, 0, 0, count, &c);
	nl_close(&nl);
	if (r == 0 && p->gateway.upstream_tracking == TRACKING_OFF)
		r = count_untracked(&c);
	if (r == 0)
		*ret_flows = c.flows;
	return r;
}
