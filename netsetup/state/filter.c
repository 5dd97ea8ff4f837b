/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an intercept or except to rules. An intercept may need several rules:
 * one for each family whose addresses it names, for its plain interface
 * names and for each wildcard, and for hosts in `to`, which may be addresses
 * of the box itself, apart from networks, which stand for routed unicast
 * destinations only. Lists of more than one become sets. Rules of all
 * intercepts are put into their chain at the end, when all are known.
 */
#include "netsetup/state/filter.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"

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

/* Which members of a list count. */
enum which {
	WHICH_ALL,
	WHICH_HOSTS,
	WHICH_NETWORKS,
};

bool
filter_list_has_family(const struct policy_prefixes *list, int family)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (list->list[i].addr.family == family)
			return true;
	}
	return list->n == 0;
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

static const char *
make_set(struct filter *f, const char *name, enum kset_type type,
	 struct kelem *elems, size_t n)
{
	if (f->again)
		return name;
	return draft_set(f->d, name, type, elems, n, f->place, f->name);
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
		s.set = make_set(f,
				 arena_printf(f->d->arena, "%s%s_%s", kind,
					      f->tag, inet_family_name(family)),
				 type, elems, s.keys.n);
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
		f->ports_set = make_set(
			f, arena_printf(f->d->arena, "ports%s", f->tag),
			KSET_PORT, elems, f->port_keys.n);
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
		rule_port_in(r, f->l4, RULE_DESTINATION, f->ports_set);
	else if (f->ports.n == 1)
		rule_port(r, f->l4, RULE_DESTINATION, &f->ports.list[0]);
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
	struct filter_rules *front = f->front;
	struct dispatch_rule *r;

	front->list = arena_push(f->d->arena, front->list, front->n,
				 sizeof(*front->list));
	r = &front->list[front->n++];
	r->rule = draft_finish(f->d, f->chain, f->place, f->name);
	r->l4 = f->l4;
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

	if (!filter_list_has_family(&f->from, family) ||
	    !filter_list_has_family(&f->to, family))
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

void
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
