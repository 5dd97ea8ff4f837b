/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services are captured in two fronts: by tproxy before conntrack, and by
 * redirect in NAT. Each tries the services of both in the order of the
 * policy, so that none takes what is an earlier one's.
 */
#include "netsetup/state/capture.h"

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>

#include "lib/arena.h"
#include "netsetup/state/bypass.h"
#include "netsetup/state/filter.h"
#include "netsetup/state/settle.h"

bool
capture_wanted(const struct policy *p)
{
	size_t i;

	for (i = 0; i < p->n_services; i++) {
		if (p->services[i].n_intercepts > 0)
			return true;
	}
	return false;
}

bool
capture_has_family(const struct policy_intercept *i, int family)
{
	return filter_list_has_family(&i->from, family) &&
	       filter_list_has_family(&i->to, family);
}

/* --- two fronts ---------------------------------------------------------- */

enum { UDP_EXTRA_S = 10 };

/* One of the two places where packets are captured, on its way. */
struct front {
	struct draft *d;
	const struct policy *policy;
	unsigned int families;
	enum via via;
	const char *chain; /* where the services are tried */
	struct filter_rules rules;
	bool again; /* the other front has been made */
};

/* What a service does in a front. */
enum role {
	ROLE_NONE,
	ROLE_CAPTURE,
	ROLE_LEAVE, /* its flows are the other front's: no later one's */
	ROLE_IDLE,  /* UDP by redirect: old entries while it is not alive */
};

static bool
is_captured(const struct policy_service *s, enum via via, enum proto proto)
{
	return s->n_intercepts && s->proto == proto &&
	       s->intercepts[0].via == via;
}

bool
capture_uses(const struct policy *p, enum via via, enum proto proto)
{
	size_t i;

	for (i = 0; i < p->n_services; i++) {
		if (is_captured(&p->services[i], via, proto))
			return true;
	}
	return false;
}

uint32_t
capture_udp_seconds(const struct policy *p)
{
	uint32_t idle_ms = 0;
	size_t i;

	for (i = 0; i < p->n_services; i++) {
		const struct policy_service *s = &p->services[i];

		if (s->proto == PROTO_UDP &&
		    s->timeout_ms[TIMEOUT_IDLE] > idle_ms)
			idle_ms = s->timeout_ms[TIMEOUT_IDLE];
	}
	return idle_ms / 1000 + UDP_EXTRA_S;
}

/* Does the front see packets of this protocol? */
static bool
front_has(const struct policy *p, enum via via, enum proto proto)
{
	return capture_uses(p, via, proto) ||
	       (via == VIA_TPROXY && proto == PROTO_UDP &&
		capture_uses(p, VIA_REDIRECT, PROTO_UDP));
}

static enum role
role_in(const struct policy *p, enum via via, const struct policy_service *s)
{
	size_t i;

	if (!s->n_intercepts)
		return ROLE_NONE;
	if (s->intercepts[0].via == via)
		return ROLE_CAPTURE;
	if (via == VIA_TPROXY && s->proto == PROTO_UDP)
		return ROLE_IDLE;
	for (i = (size_t)(s - p->services) + 1; i < p->n_services; i++) {
		if (is_captured(&p->services[i], via, s->proto))
			return ROLE_LEAVE;
	}
	return ROLE_NONE;
}

static enum via
other(enum via via)
{
	return via == VIA_REDIRECT ? VIA_TPROXY : VIA_REDIRECT;
}

static uint8_t
l4_of(enum proto proto)
{
	return proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP;
}

/* --- excepts ------------------------------------------------------------- */

static void
add_except(struct front *f, const struct policy_except *e, enum proto proto,
	   bool again, const char *chain, const char *name, const char *tag,
	   enum verdict verdict)
{
	struct filter filter = {
		.d = f->d,
		.l4 = l4_of(proto),
		.again = again,
		.families = f->families,
		.place = e->place,
		.name = name,
		.tag = tag,
		.chain = chain,
		.from = e->from,
		.to = e->to,
		.ports = e->ports,
		.verdict = verdict,
	};

	filter_emit(&filter);
}

/* Of the gateway: for no service. Ports are those of each protocol. */
static void
add_gateway_excepts(struct front *f)
{
	const struct policy_gateway *g = &f->policy->gateway;
	enum proto proto;
	const char *tag;
	bool again;
	size_t i;

	for (i = 0; i < g->n_excepts; i++) {
		tag = arena_printf(f->d->arena, "_except%zu", i + 1);
		again = f->again;
		for (proto = PROTO_TCP; proto <= PROTO_UDP; proto++) {
			if (!front_has(f->policy, f->via, proto))
				continue;
			add_except(f, &g->excepts[i], proto, again, f->chain,
				   "gateway", tag, VERDICT_ACCEPT);
			again = true;
			if (!g->excepts[i].ports.n)
				break;
		}
	}
}

/* --- services ------------------------------------------------------------ */

/* Was this service part of the other front, which was made before? */
static bool
is_second(const struct front *f, const struct policy_service *s)
{
	return f->again && role_in(f->policy, other(f->via), s) != ROLE_NONE;
}

static void
add_intercepts(struct front *f, const struct policy_service *s,
	       const char *target)
{
	size_t n;

	for (n = 0; n < s->n_intercepts; n++) {
		const struct policy_intercept *i = &s->intercepts[n];
		struct filter filter = {
			.d = f->d,
			.l4 = l4_of(s->proto),
			.again = is_second(f, s),
			.families = f->families,
			.place = i->place,
			.name = s->name,
			.tag = arena_printf(f->d->arena, "%zu_%s", n + 1,
					    s->name),
			.chain = f->chain,
			.front = &f->rules,
			.on = i->on,
			.from = i->from,
			.to = i->to,
			.ports = i->ports,
			.routed_only = true,
			.verdict = target ? VERDICT_JUMP : VERDICT_ACCEPT,
			.target = target,
		};

		filter_emit(&filter);
	}
}

/* While proxyd is not alive. */
static void
add_failure(struct front *f, const struct policy_service *s, const char *chain)
{
	struct rule *r = &f->d->rule;

	if (s->on_failure == ON_FAILURE_OPEN) {
		rule_counter(r);
		rule_accept(r);
	} else {
		rule_l4(r, l4_of(s->proto));
		rule_counter(r);
		if (s->proto == PROTO_TCP)
			rule_reject_tcp(r);
		else
			rule_reject(r);
	}
	draft_rule(f->d, chain, s->place, s->name);
}

/*
 * A packet is given to the listener as it is. The client's leg gets a zone,
 * so that a leg to the server may have the same addresses and ports: of TCP
 * only its answers, because later packets do not come by here.
 */
static void
add_tproxy(struct front *f, const struct policy_service *s)
{
	const struct policy_gateway *g = &f->policy->gateway;
	struct rule *r = &f->d->rule;

	rule_tproxy(r, s->capture_port);
	rule_set_mark(r, g->mark_mask, g->mark_deliver);
	rule_set_zone(r,
		      s->proto == PROTO_TCP ? KEXPR_DIR_REPLY : KEXPR_DIR_NONE,
		      (uint16_t)(g->zone + 1));
	rule_counter(r);
	rule_accept(r);
}

/* The end of a service's chain: capture while it is alive, or else. */
static void
add_fate(struct front *f, const struct policy_service *s, const char *chain)
{
	char alive[POLICY_ALIVE_SET_LEN];
	struct rule *r = &f->d->rule;

	policy_alive_set(s, alive);
	draft_alive_set(f->d, alive, s->place, s->name);
	rule_family_in(r, alive);
	rule_l4(r, l4_of(s->proto));
	if (f->via == VIA_TPROXY) {
		add_tproxy(f, s);
	} else {
		if (s->proto == PROTO_UDP)
			rule_ct_timeout(
				r, draft_udp_timeout(
					   f->d, capture_udp_seconds(f->policy),
					   s->place));
		rule_counter(r);
		rule_redirect(r, s->capture_port);
	}
	draft_rule(f->d, chain, s->place, s->name);
	add_failure(f, s, chain);
}

/*
 * NAT would redirect a datagram by an old entry without asking anybody, and
 * the client keep it fresh: it must not be found while nobody is there.
 */
static void
add_idle(struct front *f, const struct policy_service *s, const char *chain)
{
	const struct policy_gateway *g = &f->policy->gateway;
	char alive[POLICY_ALIVE_SET_LEN];
	struct rule *r = &f->d->rule;

	rule_family_in(r, policy_alive_set(s, alive));
	rule_accept(r);
	draft_rule(f->d, chain, s->place, s->name);
	if (s->on_failure == ON_FAILURE_OPEN)
		rule_set_zone(r, KEXPR_DIR_ORIGINAL, (uint16_t)(g->zone + 2));
	add_failure(f, s, chain);
}

static const char *
make_service_chain(struct front *f, const struct policy_service *s,
		   const char *kind)
{
	const char *chain = arena_printf(f->d->arena, "%s_%s", kind, s->name);
	const char *tag;
	size_t i;

	draft_chain(f->d, chain, s->place);
	for (i = 0; i < s->n_excepts; i++) {
		tag = arena_printf(f->d->arena, "_except%zu_%s", i + 1,
				   s->name);
		add_except(f, &s->excepts[i], s->proto, is_second(f, s), chain,
			   s->name, tag, VERDICT_RETURN);
	}
	return chain;
}

static void
add_service(struct front *f, const struct policy_service *s)
{
	const char *chain = NULL;
	enum role role = role_in(f->policy, f->via, s);

	switch (role) {
	case ROLE_NONE:
		return;
	case ROLE_CAPTURE:
		chain = make_service_chain(f, s, "service");
		add_fate(f, s, chain);
		break;
	case ROLE_IDLE:
		chain = make_service_chain(f, s, "idle");
		add_idle(f, s, chain);
		break;
	case ROLE_LEAVE:
		if (!s->n_excepts)
			break;
		chain = make_service_chain(f, s, "leave");
		rule_accept(&f->d->rule);
		draft_rule(f->d, chain, s->place, s->name);
		break;
	}
	add_intercepts(f, s, chain);
}

/* What is routed is captured only if it would leave by one of these. */
static void
add_outside(struct draft *d, const struct policy_gateway *g)
{
	struct rule *r = &d->rule;
	size_t i;

	if (g->outside.n == 0)
		return;
	draft_chain(d, "outside", g->place);
	for (i = 0; i < g->outside.n; i++) {
		rule_route_leaves_by(r, g->outside.list[i].name,
				     g->outside.list[i].wildcard);
		rule_return(r);
		draft_rule(d, "outside", g->place, "gateway");
	}
	rule_counter(r);
	rule_accept(r);
	draft_rule(d, "outside", g->place, "gateway");
}

static void
add_front(struct front *f)
{
	const struct policy_gateway *g = &f->policy->gateway;
	struct rule *r = &f->d->rule;
	size_t i;

	bypass_add_rules(f->d, f->chain, f->families, g->place);
	/* before conntrack only first packets come by */
	if (f->via == VIA_REDIRECT && front_has(f->policy, f->via, PROTO_TCP))
		settle_add(f->d, f->chain, f->families, g->place);
	add_gateway_excepts(f);
	if (g->outside.n) {
		if (!f->again)
			add_outside(f->d, g);
		rule_destination_is(r, RTN_UNICAST);
		rule_jump(r, "outside");
		draft_rule(f->d, f->chain, g->place, "gateway");
	}
	for (i = 0; i < f->policy->n_services; i++)
		add_service(f, &f->policy->services[i]);
	dispatch(f->d, f->chain, g->place, "gateway", f->rules.list,
		 f->rules.n);
	f->rules.n = 0;
	f->rules.list = NULL;
}

/* Before conntrack, so that a packet can be given a zone. */
static void
add_early(struct front *f)
{
	const struct policy_gateway *g = &f->policy->gateway;
	bool spoofs = policy_spoofs(f->policy);
	struct draft *d = f->d;
	struct rule *r = &d->rule;

	f->chain = CAPTURE_TPROXIED;
	draft_base_chain(d, "early", "filter", NF_INET_PRE_ROUTING,
			 NF_IP_PRI_RAW, g->place);
	draft_chain(d, f->chain, g->place);
	/* a server's answer may look like a client's datagram */
	if (spoofs && front_has(f->policy, f->via, PROTO_UDP)) {
		rule_l4(r, IPPROTO_UDP);
		rule_socket_mark(r, true, g->mark_mask, g->mark_upstream);
		rule_accept(r);
		draft_rule(d, "early", g->place, "gateway");
	}
	if (front_has(f->policy, f->via, PROTO_UDP)) {
		rule_l4(r, IPPROTO_UDP);
		rule_jump(r, f->chain);
		draft_rule(d, "early", g->place, "gateway");
	}
	if (front_has(f->policy, f->via, PROTO_TCP)) {
		rule_syn(r);
		rule_jump(r, f->chain);
		draft_rule(d, "early", g->place, "gateway");
	}
	add_front(f);
	f->again = true;
}

/* In NAT, which sees the first packet of a flow. */
static void
add_nat(struct front *f)
{
	const struct policy_gateway *g = &f->policy->gateway;
	struct draft *d = f->d;

	f->chain = "capture";
	draft_base_chain(d, f->chain, "nat", NF_INET_PRE_ROUTING,
			 NF_IP_PRI_NAT_DST, g->place);
	if (f->again) {
		/* it has been captured before */
		rule_mark_is(&d->rule, g->mark_mask, g->mark_deliver);
		rule_accept(&d->rule);
		draft_rule(d, f->chain, g->place, "gateway");
	}
	add_front(f);
}

void
capture_add(struct draft *d, const struct policy *p, unsigned int families)
{
	struct front f = {.d = d, .policy = p, .families = families};

	bypass_add_sets(d, families, p->gateway.place);
	f.via = VIA_TPROXY;
	if (front_has(p, f.via, PROTO_TCP) || front_has(p, f.via, PROTO_UDP))
		add_early(&f);
	f.via = VIA_REDIRECT;
	if (front_has(p, f.via, PROTO_TCP) || front_has(p, f.via, PROTO_UDP))
		add_nat(&f);
}
