/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How packets find sockets that have addresses of others: those that spoof,
 * and under tproxy those of the clients' legs. Three things belong together:
 * zones, in which conntrack keeps the legs apart; a mark for packets whose
 * socket is here; and the route that delivers what is so marked.
 */
#include "netsetup/state/return_path.h"

#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>

#include "netsetup/state/capture.h"

enum { PRIORITY_DIVERT = -90 };

/* What is being made, and from what. */
struct path {
	struct draft *draft;	     /* borrows */
	const struct policy *policy; /* borrows */
	struct cause cause;
	bool spoofs;
	bool tracks; /* conntrack sees the spoofed leg */
};

static const struct policy_service *
find_spoofer(const struct policy *p)
{
	size_t i;

	for (i = 0; i < p->n_services; i++) {
		if (policy_pool_spoofs(p->services[i].pool))
			return &p->services[i];
	}
	return NULL;
}

static const struct policy_service *
find_tproxied(const struct policy *p)
{
	size_t i;

	for (i = 0; i < p->n_services; i++) {
		if (p->services[i].n_intercepts &&
		    p->services[i].intercepts[0].via == VIA_TPROXY)
			return &p->services[i];
	}
	return NULL;
}

bool
return_path_wanted(const struct policy *p)
{
	return find_spoofer(p) || find_tproxied(p);
}

struct cause
return_path_cause(const struct policy *p)
{
	const struct policy_service *s = find_spoofer(p);
	struct cause c = {.name = "gateway"};

	if (!s)
		s = find_tproxied(p);
	if (!s)
		return c;
	c.place = s->place;
	c.name = s->name;
	if (!policy_pool_spoofs(s->pool) || s->pool->place.line == 0)
		return c;
	c.name = s->pool->name;
	c.place = s->pool->source_place.line ? s->pool->source_place
					     : s->pool->place;
	return c;
}

static void
path_rule(struct path *m, const char *chain)
{
	draft_rule(m->draft, chain, m->cause.place, m->cause.name);
}

/* --- conntrack ----------------------------------------------------------- */

/* The client's leg of a tproxied flow: as in capture.c. */
static void
add_client_zone(struct path *m, enum proto proto, uint8_t l4,
		uint32_t direction)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct rule *r = &m->draft->rule;

	if (!capture_uses(m->policy, VIA_TPROXY, proto))
		return;
	rule_mark_is(r, g->mark_mask, policy_mark_tproxied(m->policy));
	rule_l4(r, l4);
	rule_set_zone(r, direction, (uint16_t)(g->zone + 1));
	path_rule(m, "zones");
}

/* The upstream leg must not clash with the client's own connection. */
static void
add_zones(struct path *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct draft *d = m->draft;

	draft_base_chain(d, "zones", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_RAW,
			 m->cause.place);
	if (m->spoofs) {
		rule_mark_is(&d->rule, g->mark_mask, g->mark_upstream);
		if (m->tracks)
			rule_set_zone(&d->rule, KEXPR_DIR_ORIGINAL,
				      (uint16_t)g->zone);
		else
			rule_notrack(&d->rule);
		path_rule(m, "zones");
	}
	add_client_zone(m, PROTO_TCP, IPPROTO_TCP, KEXPR_DIR_REPLY);
	add_client_zone(m, PROTO_UDP, IPPROTO_UDP, KEXPR_DIR_NONE);
}

static bool
has_udp(const struct policy *p)
{
	size_t i;

	for (i = 0; i < p->n_services; i++) {
		if (p->services[i].proto == PROTO_UDP)
			return true;
	}
	return false;
}

/* The name of the object for flows of UDP. */
static const char *
udp_timeout(struct path *m)
{
	return draft_udp_timeout(m->draft, capture_udp_seconds(m->policy),
				 m->cause.place);
}

/* The entry must outlive the flow, or its last answers come from strangers. */
static void
keep_spoofed(struct path *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct rule *r = &m->draft->rule;

	if (!has_udp(m->policy))
		return;
	rule_mark_is(r, g->mark_mask, g->mark_upstream);
	rule_l4(r, IPPROTO_UDP);
	rule_ct_timeout(r, udp_timeout(m));
	path_rule(m, "remember");
}

/* The same of the client's leg, which has been captured by now. */
static void
keep_tproxied(struct path *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct rule *r = &m->draft->rule;

	if (!capture_uses(m->policy, VIA_TPROXY, PROTO_UDP))
		return;
	rule_mark_is(r, g->mark_mask, g->mark_deliver);
	rule_l4(r, IPPROTO_UDP);
	rule_ct_timeout(r, udp_timeout(m));
	path_rule(m, "divert");
}

/* For packets that come when their socket is gone. */
static void
add_remember(struct path *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct draft *d = m->draft;

	draft_base_chain(d, "remember", "filter", NF_INET_LOCAL_OUT,
			 NF_IP_PRI_MANGLE, m->cause.place);
	rule_mark_is(&d->rule, g->mark_mask, g->mark_upstream);
	rule_set_ct_mark(&d->rule, g->mark_mask, g->mark_upstream);
	path_rule(m, "remember");
	keep_spoofed(m);
}

/* Where clients are, a socket in TIME-WAIT may be one of theirs. */
static void
leave_clients(struct path *m)
{
	const struct policy_ifaces *inside = &m->policy->gateway.inside;
	struct rule *r = &m->draft->rule;
	size_t i;

	if (!find_tproxied(m->policy))
		return;
	for (i = 0; i < inside->n; i++) {
		rule_iifname(r, inside->list[i].name, inside->list[i].wildcard);
		rule_accept(r);
		path_rule(m, "untracked");
	}
}

/*
 * The other direction of what `zones` does not track. A socket that is but
 * the rest of a connection has no mark any more, only that it was
 * transparent: the second rule ends for all others that have one.
 */
static void
add_untracked(struct path *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct draft *d = m->draft;
	struct rule *r = &d->rule;

	draft_base_chain(d, "untracked", "filter", NF_INET_PRE_ROUTING,
			 NF_IP_PRI_RAW, m->cause.place);
	rule_socket_mark(r, true, g->mark_mask, g->mark_upstream);
	rule_notrack(r);
	rule_accept(r);
	path_rule(m, "untracked");
	rule_socket_mark(r, false, g->mark_mask, g->mark_upstream);
	rule_accept(r);
	path_rule(m, "untracked");
	leave_clients(m);
	rule_transparent(r);
	rule_notrack(r);
	path_rule(m, "untracked");
}

/* --- delivery ------------------------------------------------------------ */

/*
 * Packets for a transparent socket of ours go to it. Never narrowed to a
 * protocol: ICMP errors belong to their socket too.
 */
static void
add_divert(struct path *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct draft *d = m->draft;
	struct rule *r = &d->rule;

	draft_base_chain(d, "divert", "filter", NF_INET_PRE_ROUTING,
			 PRIORITY_DIVERT, m->cause.place);
	keep_tproxied(m);
	if (find_tproxied(m->policy)) {
		rule_mark_is(r, g->mark_mask, g->mark_deliver);
		rule_accept(r);
		path_rule(m, "divert");
	}
	rule_transparent(r);
	rule_wildcard(r);
	rule_accept(r);
	path_rule(m, "divert");
	rule_transparent(r);
	rule_set_mark(r, g->mark_mask, g->mark_deliver);
	rule_counter(r);
	rule_accept(r);
	path_rule(m, "divert");
}

/*
 * Of a tproxied connection, but without a socket: the ACK of a SYN cookie,
 * which the listener knows, or a rest that it answers with a reset.
 */
static void
add_cookies(struct path *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct rule *r = &m->draft->rule;

	rule_ct_direction(r, false);
	rule_ct_reply_zone(r, (uint16_t)(g->zone + 1));
	rule_l4(r, IPPROTO_TCP);
	rule_jump(r, CAPTURE_TPROXIED);
	path_rule(m, "divert");
}

static void
add_to_unowned(struct path *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct rule *r = &m->draft->rule;

	rule_ct_direction(r, true);
	rule_ct_mark_is(r, g->mark_mask, g->mark_upstream);
	rule_jump(r, "unowned");
	path_rule(m, "divert");
}

/* Of the upstream leg, but its socket is gone: never on to the client. */
static void
add_unowned(struct path *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct draft *d = m->draft;
	struct rule *r = &d->rule;

	draft_chain(d, "unowned", m->cause.place);
	/* another tool's DNAT of our output is undone in input only */
	rule_ct_dnat(r, true);
	rule_set_mark(r, g->mark_mask, g->mark_deliver);
	rule_counter(r);
	rule_accept(r);
	path_rule(m, "unowned");
	rule_destination_is(r, RTN_LOCAL);
	rule_counter(r);
	rule_accept(r);
	path_rule(m, "unowned");
	rule_not_rst(r);
	rule_counter(r);
	rule_reject_tcp(r);
	path_rule(m, "unowned");
	rule_counter(r);
	rule_drop(r);
	path_rule(m, "unowned");
}

/*
 * Marks are looked at a second time when a source address is checked: by
 * IPv4 if src_valid_mark is set, for IPv6 by the rules of others (`fib saddr
 * . mark . iif`, as of firewalld). That lookup is made as if from `lo`, and
 * must not find our table.
 */
static void
add_iprules(struct path *m, uint8_t family)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct kiprule skip = {
		.family = family,
		.place = m->cause.place,
		.priority = g->priority - 1,
		.mark = g->mark_deliver,
		.mask = g->mark_mask,
		.action = FR_ACT_GOTO,
		.target = g->priority + 1,
		.iif = "lo",
	};
	struct kiprule deliver = skip, end = skip;

	deliver.priority = g->priority;
	deliver.action = FR_ACT_TO_TBL;
	deliver.table = g->table;
	deliver.target = 0;
	deliver.iif = NULL;
	end.priority = g->priority + 1;
	end.mark = 0;
	end.mask = 0;
	end.action = FR_ACT_NOP;
	end.target = 0;
	end.iif = NULL;
	draft_iprule(m->draft, &end);
	draft_iprule(m->draft, &skip);
	draft_iprule(m->draft, &deliver);
}

static void
add_route(struct path *m, uint8_t family)
{
	struct kroute route = {
		.family = family,
		.place = m->cause.place,
		.type = RTN_LOCAL,
		.table = m->policy->gateway.table,
		.iface = "lo",
	};

	route.to.addr.family = family;
	draft_route(m->draft, &route);
}

void
return_path_add(struct draft *d, const struct policy *p, unsigned int families)
{
	struct path m = {
		.draft = d,
		.policy = p,
		.cause = return_path_cause(p),
		.spoofs = policy_spoofs(p),
	};

	m.tracks = m.spoofs && p->gateway.upstream_tracking == TRACKING_ZONE;
	if (m.spoofs && !m.tracks)
		add_untracked(&m);
	add_zones(&m);
	if (m.tracks)
		add_remember(&m);
	add_divert(&m);
	if (capture_uses(p, VIA_TPROXY, PROTO_TCP))
		add_cookies(&m);
	if (m.tracks) {
		add_to_unowned(&m);
		add_unowned(&m);
	}
	if (families & FAMILY_IPV4) {
		add_route(&m, AF_INET);
		add_iprules(&m, AF_INET);
	}
	if (families & FAMILY_IPV6) {
		add_route(&m, AF_INET6);
		add_iprules(&m, AF_INET6);
	}
}
