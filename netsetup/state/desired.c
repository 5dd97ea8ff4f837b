/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order here is the order in which a packet meets the chains: see
 * interpose(7). Parts: heartbeat and guards, which capturing needs; the
 * return path (zone, connection mark, divert, ip rules, routes), which
 * spoofing needs; forwarding.
 */
#include "netsetup/state/desired.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/state/capture.h"

enum { PRIORITY_HEARTBEAT = -500, PRIORITY_DIVERT = -90 };

/* What is being made, and from what. */
struct making {
	struct draft draft;
	const struct policy *policy;
	const struct facts *facts;
	struct diags *diags;
	unsigned int families;	  /* to capture: wanted and switched on */
	struct place spoof_place; /* what asks for the return path */
	const char *spoof_name;
};

/* --- can this box do it? ------------------------------------------------- */

static void
refuse(struct making *m, struct place place, const char *text, const char *name)
{
	diag_add(m->diags, DIAG_ERROR, place, NULL, text, name);
}

/* IPv6 that is switched off is left out, unless it was asked for by name. */
static void
choose_families(struct making *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	unsigned int missing = g->families & ~m->facts->families;

	m->families = g->families & m->facts->families;
	if (missing == 0 || !capture_wanted(m->policy))
		return;
	if (g->families_named)
		refuse(m, g->place, "%s is switched off on this box",
		       missing & FAMILY_IPV6 ? "ipv6" : "ipv4");
	else
		diag_add(m->diags, DIAG_WARNING, g->place, NULL,
			 "%s is switched off on this box and left out",
			 missing & FAMILY_IPV6 ? "ipv6" : "ipv4");
}

static const struct facts_iface *
find_iface(const struct facts *facts, const char *name)
{
	size_t i;

	for (i = 0; i < facts->n_ifaces; i++) {
		if (!strcmp(facts->ifaces[i].name, name))
			return &facts->ifaces[i];
	}
	return NULL;
}

/* Is it listed by its full name? A wildcard may mean others as well. */
static bool
lists_iface(const struct policy_ifaces *on, const char *name)
{
	size_t i;

	for (i = 0; i < on->n; i++) {
		if (!on->list[i].wildcard && !strcmp(on->list[i].name, name))
			return true;
	}
	return false;
}

/*
 * Was this interface looked at for an intercept before `stop`? `family`: for
 * one that captures it; AF_UNSPEC: for any.
 */
static bool
seen_before(const struct policy *p, const struct policy_intercept *stop,
	    const char *name, int family)
{
	size_t i, j;

	for (i = 0; i < p->n_services; i++) {
		const struct policy_service *s = &p->services[i];

		for (j = 0; j < s->n_intercepts; j++) {
			const struct policy_intercept *one = &s->intercepts[j];

			if (one == stop)
				return false;
			if (lists_iface(&one->on, name) &&
			    (!family || capture_has_family(one, family)))
				return true;
		}
	}
	return false;
}

/*
 * The kernel redirects to the first address of the interface on which a
 * packet came in, and drops the packet without a word where there is none.
 */
static void
check_iface(struct making *m, const struct policy_intercept *i,
	    const char *name)
{
	const struct facts_iface *iface = find_iface(m->facts, name);

	if (!iface) {
		if (!seen_before(m->policy, i, name, AF_UNSPEC))
			diag_add(m->diags, DIAG_WARNING, i->place, NULL,
				 "there is no interface '%s' yet", name);
		return;
	}
	if (!(m->families & FAMILY_IPV4) || iface->ipv4 ||
	    !capture_has_family(i, AF_INET) ||
	    seen_before(m->policy, i, name, AF_INET))
		return;
	refuse(m, i->place,
	       "interface '%s' has no IPv4 address: what is redirected there "
	       "would be dropped; give it one, or capture with "
	       "`family ipv6` only",
	       name);
}

static void
check_intercept(struct making *m, const struct policy_intercept *i)
{
	size_t k;

	for (k = 0; k < i->on.n; k++) {
		if (!i->on.list[k].wildcard)
			check_iface(m, i, i->on.list[k].name);
	}
}

static void
check_modes(struct making *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	size_t i;

	if (g->upstream_tracking != TRACKING_ZONE)
		refuse(m, g->place, "'upstream-tracking %s' is not made yet",
		       "off");
	for (i = 0; i < m->policy->n_services; i++) {
		const struct policy_service *s = &m->policy->services[i];

		if (s->n_intercepts && (s->proto != PROTO_TCP ||
					s->intercepts[0].via != VIA_REDIRECT))
			refuse(m, s->place, "'%s' cannot be captured yet",
			       s->name);
	}
}

static void
check_ifaces(struct making *m)
{
	size_t i, j;

	for (i = 0; i < m->policy->n_services; i++) {
		const struct policy_service *s = &m->policy->services[i];

		for (j = 0; j < s->n_intercepts; j++)
			check_intercept(m, &s->intercepts[j]);
	}
}

/* --- capture ------------------------------------------------------------- */

/*
 * Proxyd's datagrams: each renews its service's alive set and goes nowhere.
 * The probe of the return path only goes nowhere.
 */
static void
add_heartbeat(struct making *m, bool spoofs)
{
	const struct policy *p = m->policy;
	const struct policy_gateway *g = &p->gateway;
	struct draft *d = &m->draft;
	struct rule *r = &d->rule;
	char alive[POLICY_ALIVE_SET_LEN];
	size_t i;

	draft_base_chain(d, "heartbeat", "filter", NF_INET_LOCAL_OUT,
			 PRIORITY_HEARTBEAT, g->place);
	for (i = 0; i < p->n_services; i++) {
		const struct policy_service *s = &p->services[i];

		if (s->n_intercepts == 0)
			continue;
		rule_oifname(r, "lo");
		rule_mark_is(r, g->mark_mask, policy_mark_tproxied(p));
		rule_heartbeat(r, policy_alive_digest(s));
		rule_renew(r, policy_alive_set(s, alive), g->alive_timeout_ms);
		rule_counter(r);
		rule_drop(r);
		draft_rule(d, "heartbeat", s->place, s->name);
	}
	if (!spoofs)
		return;
	rule_oifname(r, "lo");
	rule_mark_is(r, g->mark_mask, policy_mark_tproxied(p));
	rule_heartbeat(r, policy_return_path_digest(p));
	rule_counter(r);
	rule_drop(r);
	draft_rule(d, "heartbeat", m->spoof_place, m->spoof_name);
}

/* A match for all capture ports; `set` NULL: there is only one. */
static void
match_capture_ports(struct making *m, enum rule_end end, const char *set)
{
	struct port_range one;
	size_t i;

	if (set) {
		rule_port_in(&m->draft.rule, IPPROTO_TCP, end, set);
		return;
	}
	for (i = 0; m->policy->services[i].n_intercepts == 0; i++)
		;
	one.low = m->policy->services[i].capture_port;
	one.high = one.low;
	rule_port(&m->draft.rule, IPPROTO_TCP, end, &one);
}

static const char *
make_capture_ports(struct making *m)
{
	const struct policy *p = m->policy;
	struct kelem *elems;
	size_t i, n = 0;

	elems = arena_calloc(m->draft.arena, p->n_services, sizeof(*elems));
	for (i = 0; i < p->n_services; i++) {
		const struct policy_service *s = &p->services[i];

		if (s->n_intercepts == 0)
			continue;
		elems[n].low[0] = (uint8_t)(s->capture_port >> 8);
		elems[n].low[1] = (uint8_t)s->capture_port;
		memcpy(elems[n].high, elems[n].low, sizeof(elems[n].low));
		n++;
	}
	if (n < 2)
		return NULL;
	return draft_set(&m->draft, "capture_ports", KSET_PORT, elems, n,
			 p->gateway.place, "gateway");
}

/*
 * Nobody may reach a capture port without having been redirected, and no
 * answer whose redirection was forgotten may leave from one.
 */
static void
add_guards(struct making *m)
{
	struct place place = m->policy->gateway.place;
	struct draft *d = &m->draft;
	struct rule *r = &d->rule;
	const char *set = make_capture_ports(m);

	draft_base_chain(d, "guard_in", "filter", NF_INET_LOCAL_IN,
			 NF_IP_PRI_FILTER, place);
	match_capture_ports(m, RULE_DESTINATION, set);
	rule_ct_dnat(r, false);
	rule_counter(r);
	rule_reject_tcp(r);
	draft_rule(d, "guard_in", place, "gateway");

	draft_base_chain(d, "guard_out", "filter", NF_INET_LOCAL_OUT,
			 NF_IP_PRI_FILTER, place);
	match_capture_ports(m, RULE_SOURCE, set);
	rule_ct_dnat(r, false);
	rule_not_rst(r);
	rule_counter(r);
	rule_drop(r);
	draft_rule(d, "guard_out", place, "gateway");
}

/* --- return path --------------------------------------------------------- */

/* The statement to blame for the return path, the nearest one written. */
static void
find_spoofer(struct making *m)
{
	size_t i;

	for (i = 0; i < m->policy->n_services; i++) {
		const struct policy_service *s = &m->policy->services[i];

		if (!policy_pool_spoofs(s->pool))
			continue;
		m->spoof_place = s->place;
		m->spoof_name = s->name;
		if (s->pool->place.line == 0)
			return;
		m->spoof_name = s->pool->name;
		m->spoof_place = s->pool->source_place.line
					 ? s->pool->source_place
					 : s->pool->place;
		return;
	}
}

static void
spoof_rule(struct making *m, const char *chain)
{
	draft_rule(&m->draft, chain, m->spoof_place, m->spoof_name);
}

/* The upstream leg must not clash with the client's own connection. */
static void
add_zones(struct making *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct draft *d = &m->draft;

	draft_base_chain(d, "zones", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_RAW,
			 m->spoof_place);
	rule_mark_is(&d->rule, g->mark_mask, g->mark_upstream);
	rule_set_zone(&d->rule, KEXPR_DIR_ORIGINAL, (uint16_t)g->zone);
	spoof_rule(m, "zones");

	draft_base_chain(d, "remember", "filter", NF_INET_LOCAL_OUT,
			 NF_IP_PRI_MANGLE, m->spoof_place);
	rule_mark_is(&d->rule, g->mark_mask, g->mark_upstream);
	rule_set_ct_mark(&d->rule, g->mark_mask, g->mark_upstream);
	spoof_rule(m, "remember");
}

/*
 * Packets for a transparent socket of ours go to it. Never narrowed to a
 * protocol: ICMP errors belong to their socket too.
 */
static void
add_divert(struct making *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct draft *d = &m->draft;
	struct rule *r = &d->rule;

	draft_base_chain(d, "divert", "filter", NF_INET_PRE_ROUTING,
			 PRIORITY_DIVERT, m->spoof_place);
	rule_transparent(r);
	rule_wildcard(r);
	rule_accept(r);
	spoof_rule(m, "divert");
	rule_transparent(r);
	rule_set_mark(r, g->mark_mask, g->mark_deliver);
	rule_counter(r);
	rule_accept(r);
	spoof_rule(m, "divert");
	rule_ct_direction(r, true);
	rule_ct_mark_is(r, g->mark_mask, g->mark_upstream);
	rule_jump(r, "unowned");
	spoof_rule(m, "divert");
}

/* Of the upstream leg, but its socket is gone: never on to the client. */
static void
add_unowned(struct making *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct draft *d = &m->draft;
	struct rule *r = &d->rule;

	draft_chain(d, "unowned", m->spoof_place);
	/* another tool's DNAT of our output is undone in input only */
	rule_ct_dnat(r, true);
	rule_set_mark(r, g->mark_mask, g->mark_deliver);
	rule_counter(r);
	rule_accept(r);
	spoof_rule(m, "unowned");
	rule_destination_is(r, RTN_LOCAL);
	rule_counter(r);
	rule_accept(r);
	spoof_rule(m, "unowned");
	rule_not_rst(r);
	rule_counter(r);
	rule_reject_tcp(r);
	spoof_rule(m, "unowned");
	rule_counter(r);
	rule_drop(r);
	spoof_rule(m, "unowned");
}

/*
 * Marks are looked at a second time when a source address is checked: by
 * IPv4 if src_valid_mark is set, for IPv6 by the rules of others (`fib saddr
 * . mark . iif`, as of firewalld). That lookup is made as if from `lo`, and
 * must not find our table.
 */
static void
add_iprules(struct making *m, uint8_t family)
{
	const struct policy_gateway *g = &m->policy->gateway;
	struct kiprule skip = {
		.family = family,
		.place = m->spoof_place,
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
	draft_iprule(&m->draft, &end);
	draft_iprule(&m->draft, &skip);
	draft_iprule(&m->draft, &deliver);
}

static void
add_route(struct making *m, uint8_t family)
{
	struct kroute route = {
		.family = family,
		.place = m->spoof_place,
		.type = RTN_LOCAL,
		.table = m->policy->gateway.table,
		.iface = "lo",
	};

	route.to.addr.family = family;
	draft_route(&m->draft, &route);
}

/* Listeners are not bound to `family`: every family that is there. */
static void
add_return_path(struct making *m)
{
	add_zones(m);
	add_divert(m);
	add_unowned(m);
	if (m->facts->families & FAMILY_IPV4) {
		add_route(m, AF_INET);
		add_iprules(m, AF_INET);
	}
	if (m->facts->families & FAMILY_IPV6) {
		add_route(m, AF_INET6);
		add_iprules(m, AF_INET6);
	}
}

/* --- forwarding ---------------------------------------------------------- */

/* Forwarding makes IPv6 deaf to routers unless accept_ra is 2. */
static void
check_router_advertisements(struct making *m)
{
	size_t i;

	if (m->facts->forwards_ipv6)
		return;
	for (i = 0; i < m->facts->n_ifaces; i++) {
		const struct facts_iface *f = &m->facts->ifaces[i];

		if (!f->ra_route || f->accept_ra != 1)
			continue;
		refuse(m, m->policy->gateway.place,
		       "the IPv6 default route on '%s' comes from router "
		       "advertisements and would be lost by forwarding: set "
		       "accept_ra=2 there first, or `forwarding no`, or "
		       "`family ipv4`",
		       f->name);
	}
}

static void
add_forwarding(struct making *m)
{
	const struct policy_gateway *g = &m->policy->gateway;

	if (m->families & FAMILY_IPV4)
		draft_sysctl(&m->draft, "net/ipv4/conf/all/forwarding", "1",
			     g->place);
	if (m->families & FAMILY_IPV6) {
		check_router_advertisements(m);
		draft_sysctl(&m->draft, "net/ipv6/conf/all/forwarding", "1",
			     g->place);
	}
}

int
desired(const struct policy *p, const struct facts *facts, struct arena *arena,
	struct diags *diags, struct kstate *ret_state)
{
	struct making m = {.policy = p, .facts = facts, .diags = diags};
	size_t n_errors = diags->n_errors;
	bool captures = capture_wanted(p), spoofs = policy_spoofs(p);

	draft_init(&m.draft, arena, ret_state);
	choose_families(&m);
	find_spoofer(&m);
	check_modes(&m);
	if (captures)
		check_ifaces(&m);
	if (captures || spoofs)
		add_heartbeat(&m, spoofs);
	if (spoofs)
		add_return_path(&m);
	if (captures) {
		capture_add(&m.draft, p, m.families);
		add_guards(&m);
		if (p->gateway.forwarding)
			add_forwarding(&m);
	}
	return diags->n_errors > n_errors ? -EOPNOTSUPP : 0;
}
