/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From intercepts and excepts to rules. An intercept may need several rules:
 * one for each family whose addresses it names, for its plain interface
 * names and for each wildcard, and for hosts in `to`, which may be addresses
 * of the box itself, apart from networks, which stand for routed unicast
 * destinations only. Lists of more than one become sets. The rules of all
 * intercepts are put into the front chain at the end, when all are known.
 */
#include "netsetup/state/capture.h"

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/state/dispatch.h"

enum verdict {
	VERDICT_JUMP,
	VERDICT_ACCEPT,
	VERDICT_RETURN,
};

/* What a list of addresses comes to in one family. */
struct selection {
	enum {
		SELECT_NONE, /* no address of this family */
		SELECT_ANY,
		SELECT_ONE,
		SELECT_SET,
	} kind;
	const struct prefix *one;
	const char *set;
	struct dispatch_keys keys;
};

/* The rules of a front chain, until they are all known. */
struct front {
	struct dispatch_rule *rules;
	size_t n;
};

/* Which members of a list count. */
enum which {
	WHICH_ALL,
	WHICH_HOSTS,
	WHICH_NETWORKS,
};

/* A statement that selects flows, on its way to become rules. */
struct filter {
	struct draft *d;
	unsigned int families;
	struct place place;
	const char *name;    /* of service or gateway, for labels */
	const char *tag;     /* makes names of sets unique: "1_web" */
	const char *chain;   /* where the rules go */
	struct front *front; /* where they wait before, or NULL */
	struct policy_ifaces on;
	const char *on_set; /* the plain names of `on`, when more than one */
	struct policy_prefixes from;
	struct policy_prefixes to;
	struct policy_ports ports;
	const char *ports_set; /* when more than one */
	struct dispatch_keys port_keys;
	bool routed_only; /* networks in `to` leave out the box's own */
	enum verdict verdict;
	const char *target; /* VERDICT_JUMP */
};

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

static bool
list_has_family(const struct policy_prefixes *list, int family)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (list->list[i].addr.family == family)
			return true;
	}
	return list->n == 0;
}

bool
capture_has_family(const struct policy_intercept *i, int family)
{
	return list_has_family(&i->from, family) &&
	       list_has_family(&i->to, family);
}

static bool
counts(const struct prefix *p, int family, enum which which)
{
	if (p->addr.family != family)
		return false;
	return which == WHICH_ALL ||
	       prefix_is_host(p) == (which == WHICH_HOSTS);
}

static struct kelem
prefix_elem(const struct prefix *p)
{
	struct addr last = prefix_last(p);
	struct kelem e = {0};

	memcpy(e.low, p->addr.bytes, sizeof(e.low));
	memcpy(e.high, last.bytes, sizeof(e.high));
	return e;
}

/* The members of `list` that count, as a set if there are several. */
static struct selection
select_prefixes(struct filter *f, const struct policy_prefixes *list,
		int family, enum which which, const char *kind)
{
	enum kset_type type = family == AF_INET ? KSET_IPV4 : KSET_IPV6;
	struct selection s = {.kind = SELECT_NONE};
	struct kelem *elems;
	size_t i, n = 0;

	if (list->n == 0) {
		s.kind = which == WHICH_HOSTS ? SELECT_NONE : SELECT_ANY;
		return s;
	}
	elems = arena_calloc(f->d->arena, list->n, sizeof(*elems));
	for (i = 0; i < list->n; i++) {
		if (!counts(&list->list[i], family, which))
			continue;
		s.one = &list->list[i];
		elems[n++] = prefix_elem(s.one);
	}
	s.keys.list = elems;
	if (n > 0)
		s.kind = n == 1 ? SELECT_ONE : SELECT_SET;
	s.keys.n = kset_normalise(elems, n, type);
	if (s.kind == SELECT_SET)
		s.set = draft_set(f->d,
				  arena_printf(f->d->arena, "%s%s_%s", kind,
					       f->tag,
					       inet_family_name(family)),
				  type, elems, s.keys.n, f->place, f->name);
	return s;
}

static void
select_ports(struct filter *f)
{
	struct kelem *elems;
	size_t i;

	elems = arena_calloc(f->d->arena, f->ports.n, sizeof(*elems));
	for (i = 0; i < f->ports.n; i++) {
		const struct port_range *r = &f->ports.list[i];

		elems[i].low[0] = (uint8_t)(r->low >> 8);
		elems[i].low[1] = (uint8_t)r->low;
		elems[i].high[0] = (uint8_t)(r->high >> 8);
		elems[i].high[1] = (uint8_t)r->high;
	}
	f->port_keys.list = elems;
	f->port_keys.n = kset_normalise(elems, f->ports.n, KSET_PORT);
	if (f->ports.n > 1)
		f->ports_set = draft_set(
			f->d, arena_printf(f->d->arena, "ports%s", f->tag),
			KSET_PORT, elems, f->port_keys.n, f->place, f->name);
}

/* A set of the same names that is there already, or NULL. */
static const char *
find_iface_set(const struct kstate *s, struct kelem *elems, size_t n)
{
	struct kset wanted = {.elems = elems};
	size_t i;

	wanted.n_elems = kset_normalise(elems, n, KSET_IFNAME);
	for (i = 0; i < s->n_sets; i++) {
		const struct kset *set = &s->sets[i];

		if (set->type == KSET_IFNAME && !(set->flags & NFT_SET_MAP) &&
		    kset_same_elems(set, &wanted))
			return set->name;
	}
	return NULL;
}

static const char *
make_iface_set(struct filter *f)
{
	struct kelem *elems;
	const char *name;
	size_t i, n = 0;

	elems = arena_calloc(f->d->arena, f->on.n, sizeof(*elems));
	for (i = 0; i < f->on.n; i++) {
		if (f->on.list[i].wildcard)
			continue;
		memcpy(elems[n].low, f->on.list[i].name, POLICY_IFACE_LEN);
		memcpy(elems[n].high, f->on.list[i].name, POLICY_IFACE_LEN);
		n++;
	}
	if (n < 2)
		return NULL;
	name = find_iface_set(f->d->state, elems, n);
	if (name)
		return name;
	return draft_set(f->d, arena_printf(f->d->arena, "on%s", f->tag),
			 KSET_IFNAME, elems, n, f->place, f->name);
}

static void
match_addr(struct rule *r, enum rule_end end, int family,
	   const struct selection *s)
{
	if (s->kind == SELECT_ONE)
		rule_addr(r, end, s->one);
	else if (s->kind == SELECT_SET)
		rule_addr_in(r, end, family, s->set);
}

static void
match_ports(struct filter *f)
{
	struct rule *r = &f->d->rule;

	if (f->ports_set)
		rule_port_in(r, IPPROTO_TCP, RULE_DESTINATION, f->ports_set);
	else if (f->ports.n == 1)
		rule_port(r, IPPROTO_TCP, RULE_DESTINATION, &f->ports.list[0]);
}

static void
end_rule(struct filter *f)
{
	struct rule *r = &f->d->rule;

	switch (f->verdict) {
	case VERDICT_JUMP:
		rule_jump(r, f->target);
		break;
	case VERDICT_ACCEPT:
		rule_accept(r);
		break;
	case VERDICT_RETURN:
		rule_return(r);
		break;
	}
}

/* The rule that has been written waits for the others of its chain. */
static void
wait_in_front(struct filter *f, const struct policy_iface *iface, int family,
	      const struct selection *from, const struct selection *to)
{
	struct front *front = f->front;
	struct dispatch_rule *r;

	front->rules = arena_push(f->d->arena, front->rules, front->n,
				  sizeof(*front->rules));
	r = &front->rules[front->n++];
	r->rule = draft_finish(f->d, f->chain, f->place, f->name);
	r->l4 = IPPROTO_TCP;
	r->families = family == 0	  ? FAMILY_BOTH
		      : family == AF_INET ? FAMILY_IPV4
					  : FAMILY_IPV6;
	r->ports = f->port_keys;
	r->from = from->keys;
	r->to = to->keys;
	r->on = f->on;
	if (iface) {
		r->on.list = iface;
		r->on.n = 1;
	}
}

/*
 * One rule. `family` 0: of both. `iface` NULL: on the set of names, if any.
 * `routed`: only destinations that are unicast and not the box's own.
 */
static void
emit(struct filter *f, const struct policy_iface *iface, int family,
     const struct selection *from, const struct selection *to, bool routed)
{
	struct rule *r = &f->d->rule;

	if (iface)
		rule_iifname(r, iface->name, iface->wildcard);
	else if (f->on_set)
		rule_iifname_in(r, f->on_set);
	if (family && from->kind == SELECT_ANY && to->kind == SELECT_ANY)
		rule_family(r, family);
	match_addr(r, RULE_SOURCE, family, from);
	match_addr(r, RULE_DESTINATION, family, to);
	if (routed)
		rule_destination_is(r, RTN_UNICAST);
	match_ports(f);
	end_rule(f);
	if (f->front)
		wait_in_front(f, iface, family, from, to);
	else
		draft_rule(f->d, f->chain, f->place, f->name);
}

/* The same for every interface, or set of them, that `on` names. */
static void
emit_on(struct filter *f, int family, const struct selection *from,
	const struct selection *to, bool routed)
{
	size_t i;

	if (f->on.n == 0 || f->on_set)
		emit(f, NULL, family, from, to, routed);
	for (i = 0; i < f->on.n; i++) {
		if (f->on.list[i].wildcard || !f->on_set)
			emit(f, &f->on.list[i], family, from, to, routed);
	}
}

static void
emit_family(struct filter *f, int family)
{
	struct selection from, hosts, to;
	enum which which = f->routed_only ? WHICH_NETWORKS : WHICH_ALL;

	if (!list_has_family(&f->from, family) ||
	    !list_has_family(&f->to, family))
		return;
	from = select_prefixes(f, &f->from, family, WHICH_ALL, "from");
	if (f->routed_only) {
		hosts = select_prefixes(f, &f->to, family, WHICH_HOSTS, "host");
		if (hosts.kind != SELECT_NONE)
			emit_on(f, family, &from, &hosts, false);
	}
	to = select_prefixes(f, &f->to, family, which, "to");
	if (to.kind != SELECT_NONE)
		emit_on(f, family, &from, &to, f->routed_only);
}

static void
filter_emit(struct filter *f)
{
	const struct selection any = {.kind = SELECT_ANY};

	f->on_set = make_iface_set(f);
	select_ports(f);
	if (f->from.n == 0 && f->to.n == 0 && f->families == FAMILY_BOTH) {
		emit_on(f, 0, &any, &any, f->routed_only);
		return;
	}
	if (f->families & FAMILY_IPV4)
		emit_family(f, AF_INET);
	if (f->families & FAMILY_IPV6)
		emit_family(f, AF_INET6);
}

static void
add_except(struct draft *d, const struct policy_except *e,
	   unsigned int families, const char *chain, const char *name,
	   const char *tag, enum verdict verdict)
{
	struct filter f = {
		.d = d,
		.families = families,
		.place = e->place,
		.name = name,
		.tag = tag,
		.chain = chain,
		.from = e->from,
		.to = e->to,
		.ports = e->ports,
		.verdict = verdict,
	};

	filter_emit(&f);
}

static void
add_intercept(struct draft *d, const struct policy_service *s, size_t n,
	      unsigned int families, const char *target, struct front *front)
{
	const struct policy_intercept *i = &s->intercepts[n];
	struct filter f = {
		.d = d,
		.families = families,
		.place = i->place,
		.name = s->name,
		.tag = arena_printf(d->arena, "%zu_%s", n + 1, s->name),
		.chain = "capture",
		.front = front,
		.on = i->on,
		.from = i->from,
		.to = i->to,
		.ports = i->ports,
		.routed_only = true,
		.verdict = VERDICT_JUMP,
		.target = target,
	};

	filter_emit(&f);
}

/* The end of a service's chain: capture while it is alive, or else. */
static void
add_fate(struct draft *d, const struct policy_service *s, const char *chain)
{
	char alive[POLICY_ALIVE_SET_LEN];
	struct rule *r = &d->rule;

	policy_alive_set(s, alive);
	draft_alive_set(d, alive, s->place, s->name);
	rule_family_in(r, alive);
	rule_l4(r, IPPROTO_TCP);
	rule_counter(r);
	rule_redirect(r, s->capture_port);
	draft_rule(d, chain, s->place, s->name);

	if (s->on_failure == ON_FAILURE_OPEN) {
		rule_counter(r);
		rule_accept(r);
	} else {
		rule_l4(r, IPPROTO_TCP);
		rule_counter(r);
		rule_reject_tcp(r);
	}
	draft_rule(d, chain, s->place, s->name);
}

static void
add_service(struct draft *d, const struct policy_service *s,
	    unsigned int families, struct front *front)
{
	const char *chain = arena_printf(d->arena, "service_%s", s->name);
	const char *tag;
	size_t i;

	draft_chain(d, chain, s->place);
	for (i = 0; i < s->n_excepts; i++) {
		tag = arena_printf(d->arena, "_except%zu_%s", i + 1, s->name);
		add_except(d, &s->excepts[i], families, chain, s->name, tag,
			   VERDICT_RETURN);
	}
	add_fate(d, s, chain);
	for (i = 0; i < s->n_intercepts; i++)
		add_intercept(d, s, i, families, chain, front);
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
	rule_destination_is(r, RTN_UNICAST);
	rule_jump(r, "outside");
	draft_rule(d, "capture", g->place, "gateway");
}

void
capture_add(struct draft *d, const struct policy *p, unsigned int families)
{
	const struct policy_gateway *g = &p->gateway;
	struct front front = {0};
	const char *tag;
	size_t i;

	draft_base_chain(d, "capture", "nat", NF_INET_PRE_ROUTING,
			 NF_IP_PRI_NAT_DST, g->place);
	for (i = 0; i < g->n_excepts; i++) {
		tag = arena_printf(d->arena, "_except%zu", i + 1);
		add_except(d, &g->excepts[i], families, "capture", "gateway",
			   tag, VERDICT_ACCEPT);
	}
	add_outside(d, g);
	for (i = 0; i < p->n_services; i++) {
		if (p->services[i].n_intercepts > 0)
			add_service(d, &p->services[i], families, &front);
	}
	dispatch(d, "capture", g->place, "gateway", front.rules, front.n);
}
