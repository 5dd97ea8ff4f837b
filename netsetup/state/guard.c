/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Redirected packets are known by their DNAT. What tproxy or the return path
 * delivers carries the mark DELIVER, and sockets with addresses of others
 * carry marks too: their port may be any, also one of ours by chance.
 */
#include "netsetup/state/guard.h"

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <string.h>

#include "lib/arena.h"

/* The capture ports of one protocol. */
struct guarded {
	struct draft *d;
	const struct policy *policy;
	uint8_t l4;
	const char *set; /* of the ports; NULL: there is only one */
	struct port_range one;
};

static void
match_ports(struct guarded *g, enum rule_end end)
{
	struct rule *r = &g->d->rule;

	if (g->set)
		rule_port_in(r, g->l4, end, g->set);
	else
		rule_port(r, g->l4, end, &g->one);
}

/* Returns how many ports there are. */
static size_t
find_ports(struct guarded *g, enum proto proto)
{
	const struct policy *p = g->policy;
	struct kelem *elems;
	size_t i, n = 0;

	elems = arena_calloc(g->d->arena, p->n_services, sizeof(*elems));
	for (i = 0; i < p->n_services; i++) {
		const struct policy_service *s = &p->services[i];

		if (s->n_intercepts == 0 || s->proto != proto)
			continue;
		g->one.low = g->one.high = s->capture_port;
		elems[n].low[0] = (uint8_t)(s->capture_port >> 8);
		elems[n].low[1] = (uint8_t)s->capture_port;
		memcpy(elems[n].high, elems[n].low, sizeof(elems[n].low));
		n++;
	}
	if (n > 1)
		g->set = draft_set(g->d,
				   proto == PROTO_TCP ? "capture_ports"
						      : "capture_ports_udp",
				   KSET_PORT, elems, n, p->gateway.place,
				   "gateway");
	return n;
}

static void
guard_in(struct guarded *g)
{
	const struct policy_gateway *gw = &g->policy->gateway;
	struct rule *r = &g->d->rule;

	match_ports(g, RULE_DESTINATION);
	rule_mark_is_not(r, gw->mark_mask, gw->mark_deliver);
	rule_ct_dnat(r, false);
	rule_counter(r);
	if (g->l4 == IPPROTO_TCP)
		rule_reject_tcp(r);
	else
		rule_reject(r);
	draft_rule(g->d, "guard_in", gw->place, "gateway");
}

static void
guard_out(struct guarded *g)
{
	const struct policy_gateway *gw = &g->policy->gateway;
	struct rule *r = &g->d->rule;

	match_ports(g, RULE_SOURCE);
	rule_mark_is(r, gw->mark_mask, 0);
	rule_ct_dnat(r, false);
	if (g->l4 == IPPROTO_TCP)
		rule_not_rst(r);
	rule_counter(r);
	rule_drop(r);
	draft_rule(g->d, "guard_out", gw->place, "gateway");
}

void
guard_add(struct draft *d, const struct policy *p)
{
	struct guarded tcp = {.d = d, .policy = p, .l4 = IPPROTO_TCP};
	struct guarded udp = {.d = d, .policy = p, .l4 = IPPROTO_UDP};
	size_t n_tcp = find_ports(&tcp, PROTO_TCP);
	size_t n_udp = find_ports(&udp, PROTO_UDP);

	draft_base_chain(d, "guard_in", "filter", NF_INET_LOCAL_IN,
			 NF_IP_PRI_FILTER, p->gateway.place);
	if (n_tcp)
		guard_in(&tcp);
	if (n_udp)
		guard_in(&udp);
	draft_base_chain(d, "guard_out", "filter", NF_INET_LOCAL_OUT,
			 NF_IP_PRI_FILTER, p->gateway.place);
	if (n_tcp)
		guard_out(&tcp);
	if (n_udp)
		guard_out(&udp);
}
