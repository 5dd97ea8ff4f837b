/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chains, sets, ip rules, routes and sysctls are compared by their keys. The
 * rules of a chain are compared as a sequence: a longest common subsequence
 * stays, the rest goes or comes. A rule cannot stay when a set or chain that
 * it names must be replaced, or when somebody has edited it; nor can a map
 * when a chain that it leads to must be replaced.
 */
#include "netsetup/state/diff.h"

#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/state/kindex.h"

/* Beyond this many cells, a chain's differing middle is replaced whole. */
enum { LCS_CELLS_MAX = 4 * 1024 * 1024 };

struct differ {
	struct arena *arena;
	const struct kstate *observed;
	const struct kstate *desired;
	struct kindex is; /* of observed */
	struct kindex shall_be;
	const struct krule **was; /* rules sorted by chain */
	const struct krule **will;
	struct kchange *anew; /* chains, sets, timeouts that are replaced */
	size_t n_anew;
	struct kdiff diff;
};

static void
change(struct differ *d, enum kchange_op op, enum kchange_object object,
       const void *was, const void *will, uint64_t before)
{
	struct kchange *c;

	d->diff.list =
		arena_push(d->arena, d->diff.list, d->diff.n, sizeof(*c));
	c = &d->diff.list[d->diff.n++];
	c->op = op;
	c->object = object;
	c->was.any = was;
	c->will.any = will;
	c->before = before;
	if (op != KCHANGE_REPLACE ||
	    (object != KCHANGE_CHAIN && object != KCHANGE_SET &&
	     object != KCHANGE_TIMEOUT))
		return;
	d->anew = arena_push(d->arena, d->anew, d->n_anew, sizeof(*c));
	d->anew[d->n_anew++] = *c;
}

/* ADD, REMOVE or REPLACE, by what is there; nothing when both are NULL. */
static void
change_keyed(struct differ *d, enum kchange_object object, const void *was,
	     const void *will)
{
	enum kchange_op op = KCHANGE_REPLACE;

	if (!was && !will)
		return;
	if (!was)
		op = KCHANGE_ADD;
	else if (!will)
		op = KCHANGE_REMOVE;
	change(d, op, object, was, will, 0);
}

/* --- chains and sets ----------------------------------------------------- */

static bool
chain_equal(const struct kchain *a, const struct kchain *b)
{
	if (a->base != b->base)
		return false;
	return !a->base || (!strcmp(a->type, b->type) && a->hook == b->hook &&
			    a->priority == b->priority && a->drops == b->drops);
}

static bool
set_equal(const struct kset *a, const struct kset *b)
{
	if (a->type != b->type || a->flags != b->flags ||
	    a->counts != b->counts)
		return false;
	if (b->size != 0 && a->size != b->size)
		return false;
	return kset_is_dynamic(a) || kset_same_elems(a, b);
}

static void
diff_chains(struct differ *d)
{
	const struct kstate *o = d->observed, *w = d->desired;
	const struct kchain *other;
	size_t i;

	for (i = 0; i < o->n_chains; i++) {
		if (!kindex_chain(&d->shall_be, o->chains[i].name))
			change_keyed(d, KCHANGE_CHAIN, &o->chains[i], NULL);
	}
	for (i = 0; i < w->n_chains; i++) {
		other = kindex_chain(&d->is, w->chains[i].name);
		if (!other || !chain_equal(other, &w->chains[i]))
			change_keyed(d, KCHANGE_CHAIN, other, &w->chains[i]);
	}
}

static void
diff_timeouts(struct differ *d)
{
	const struct kstate *o = d->observed, *w = d->desired;
	const struct ktimeout *other;
	size_t i;

	for (i = 0; i < o->n_timeouts; i++) {
		if (!kstate_timeout(w, o->timeouts[i].name))
			change_keyed(d, KCHANGE_TIMEOUT, &o->timeouts[i], NULL);
	}
	for (i = 0; i < w->n_timeouts; i++) {
		other = kstate_timeout(o, w->timeouts[i].name);
		if (!other || other->seconds != w->timeouts[i].seconds)
			change_keyed(d, KCHANGE_TIMEOUT, other,
				     &w->timeouts[i]);
	}
}

/* Does a map lead to a chain that will be made anew? */
static bool
leads_to_new(const struct differ *d, const struct kset *map)
{
	size_t i;

	for (i = 0; i < d->n_anew; i++) {
		const struct kchange *c = &d->anew[i];

		if (c->object == KCHANGE_CHAIN &&
		    kset_leads_to(map, c->will.chain->name))
			return true;
	}
	return false;
}

static void
diff_sets(struct differ *d)
{
	const struct kstate *o = d->observed, *w = d->desired;
	const struct kset *other;
	size_t i;

	for (i = 0; i < o->n_sets; i++) {
		if (!kindex_set(&d->shall_be, o->sets[i].name))
			change_keyed(d, KCHANGE_SET, &o->sets[i], NULL);
	}
	for (i = 0; i < w->n_sets; i++) {
		other = kindex_set(&d->is, w->sets[i].name);
		if (!other || !set_equal(other, &w->sets[i]) ||
		    leads_to_new(d, other))
			change_keyed(d, KCHANGE_SET, other, &w->sets[i]);
	}
}

/* --- the rules of a chain -------------------------------------------- */

struct rules {
	const struct krule **list;
	size_t n;
	size_t first, end; /* before the first and from the end on all stay */
};

static int
compare_rules(const void *a, const void *b)
{
	const struct krule *const *x = a, *const *y = b;
	int r = strcmp((*x)->chain, (*y)->chain);

	return r ? r : (*x > *y) - (*x < *y);
}

/* All rules, by chain, in the order that they have there. */
static const struct krule **
sort_rules(struct arena *arena, const struct kstate *s)
{
	const struct krule **list;
	size_t i;

	list = arena_calloc(arena, s->n_rules + 1, sizeof(*list));
	for (i = 0; i < s->n_rules; i++)
		list[i] = &s->rules[i];
	qsort(list, s->n_rules, sizeof(*list), compare_rules);
	return list;
}

/* Those of one chain, out of `n` that are sorted. */
static struct rules
chain_rules(const struct krule **list, size_t n, const char *chain)
{
	size_t low = 0, high = n, middle;
	struct rules r = {0};

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(list[middle]->chain, chain) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	r.list = list + low;
	while (low + r.n < n && !strcmp(r.list[r.n]->chain, chain))
		r.n++;
	return r;
}

/* Will a chain or set that this rule names be made anew? */
static bool
must_move(const struct differ *d, const struct krule *rule)
{
	size_t i;

	for (i = 0; i < d->n_anew; i++) {
		const struct kchange *c = &d->anew[i];

		if (c->object == KCHANGE_CHAIN &&
		    (kstate_rule_uses(rule, c->will.chain->name) ||
		     !strcmp(rule->chain, c->will.chain->name)))
			return true;
		if (c->object == KCHANGE_SET &&
		    kstate_rule_uses(rule, c->will.set->name))
			return true;
		if (c->object == KCHANGE_TIMEOUT &&
		    kstate_rule_uses(rule, c->will.timeout->name))
			return true;
	}
	return false;
}

static bool
may_stay(const struct differ *d, const struct krule *was,
	 const struct krule *will)
{
	return was->digest == will->digest && !was->edited &&
	       !must_move(d, will);
}

/* Most rules stay: what is the same at the beginning and at the end? */
static void
find_middle(struct differ *d, struct rules *was, struct rules *will)
{
	size_t i = 0, n = was->n, m = will->n;

	while (i < n && i < m && may_stay(d, was->list[i], will->list[i]))
		i++;
	while (n > i && m > i &&
	       may_stay(d, was->list[n - 1], will->list[m - 1])) {
		n--;
		m--;
	}
	was->first = i;
	was->end = n;
	will->first = i;
	will->end = m;
}

/*
 * table[i][j]: how many rules can stay of was[first + i..end] and
 * will[first + j..end]. NULL if that would take too much memory.
 */
static uint32_t *
lcs_table(struct differ *d, const struct rules *was, const struct rules *will)
{
	size_t height = was->end - was->first, i;
	size_t width = will->end - will->first + 1, j;
	uint32_t *t, down, right;

	if ((height + 1) * width > LCS_CELLS_MAX)
		return NULL;
	t = arena_calloc(d->arena, (height + 1) * width, sizeof(*t));
	for (i = height; i-- > 0;) {
		for (j = width - 1; j-- > 0;) {
			down = t[(i + 1) * width + j];
			right = t[i * width + j + 1];
			t[i * width + j] = down > right ? down : right;
			if (may_stay(d, was->list[was->first + i],
				     will->list[will->first + j]))
				t[i * width + j] =
					t[(i + 1) * width + j + 1] + 1;
		}
	}
	return t;
}

/* Rules between two that stay: pair what goes with what comes. */
static void
change_gap(struct differ *d, const struct rules *was, size_t i, size_t i_end,
	   const struct rules *will, size_t j, size_t j_end)
{
	uint64_t before = i_end < was->n ? was->list[i_end]->handle : 0;
	enum kchange_op op;

	while (i < i_end || j < j_end) {
		op = KCHANGE_REPLACE;
		if (i == i_end)
			op = KCHANGE_ADD;
		else if (j == j_end)
			op = KCHANGE_REMOVE;
		change(d, op, KCHANGE_RULE, i < i_end ? was->list[i] : NULL,
		       j < j_end ? will->list[j] : NULL, before);
		i += i < i_end;
		j += j < j_end;
	}
}

/* Of was[i] and will[j], which do not match: pass by the former? */
static bool
passes_was(const uint32_t *t, const struct rules *was, const struct rules *will,
	   size_t i, size_t j)
{
	size_t width = will->end - will->first + 1;

	i -= was->first;
	j -= will->first;
	return t[(i + 1) * width + j] >= t[i * width + j + 1];
}

static void
diff_chain_rules(struct differ *d, const char *chain)
{
	struct rules was = chain_rules(d->was, d->observed->n_rules, chain);
	struct rules will = chain_rules(d->will, d->desired->n_rules, chain);
	size_t i, j, gap_i, gap_j;
	uint32_t *t;

	find_middle(d, &was, &will);
	i = gap_i = was.first;
	j = gap_j = will.first;
	t = lcs_table(d, &was, &will);
	while (t && i < was.end && j < will.end) {
		if (may_stay(d, was.list[i], will.list[j])) {
			change_gap(d, &was, gap_i, i, &will, gap_j, j);
			gap_i = ++i;
			gap_j = ++j;
		} else if (passes_was(t, &was, &will, i, j)) {
			i++;
		} else {
			j++;
		}
	}
	change_gap(d, &was, gap_i, was.end, &will, gap_j, will.end);
}

static void
diff_rules(struct differ *d)
{
	const struct kstate *o = d->observed, *w = d->desired;
	size_t i;

	d->was = sort_rules(d->arena, o);
	d->will = sort_rules(d->arena, w);
	for (i = 0; i < o->n_chains; i++) {
		if (!kindex_chain(&d->shall_be, o->chains[i].name))
			diff_chain_rules(d, o->chains[i].name);
	}
	for (i = 0; i < w->n_chains; i++)
		diff_chain_rules(d, w->chains[i].name);
}

/* --- ip rules, routes, sysctls ------------------------------------------- */

static bool
iprule_equal(const struct kiprule *a, const struct kiprule *b)
{
	return a->family == b->family && a->priority == b->priority &&
	       a->mark == b->mark && a->mask == b->mask &&
	       a->action == b->action && a->table == b->table &&
	       a->target == b->target && !a->iif == !b->iif &&
	       (!a->iif || !strcmp(a->iif, b->iif));
}

static bool
route_equal(const struct kroute *a, const struct kroute *b)
{
	return a->family == b->family && a->type == b->type &&
	       a->table == b->table && a->to.len == b->to.len &&
	       addr_equal(&a->to.addr, &b->to.addr) && !a->iface == !b->iface &&
	       (!a->iface || !strcmp(a->iface, b->iface));
}

static bool
has_iprule(const struct kstate *s, const struct kiprule *rule)
{
	size_t i;

	for (i = 0; i < s->n_iprules; i++) {
		if (iprule_equal(&s->iprules[i], rule))
			return true;
	}
	return false;
}

static bool
has_route(const struct kstate *s, const struct kroute *route)
{
	size_t i;

	for (i = 0; i < s->n_routes; i++) {
		if (route_equal(&s->routes[i], route))
			return true;
	}
	return false;
}

static void
diff_iprules(struct differ *d)
{
	const struct kstate *o = d->observed, *w = d->desired;
	size_t i;

	for (i = 0; i < o->n_iprules; i++) {
		if (!has_iprule(w, &o->iprules[i]))
			change_keyed(d, KCHANGE_IPRULE, &o->iprules[i], NULL);
	}
	for (i = 0; i < w->n_iprules; i++) {
		if (!has_iprule(o, &w->iprules[i]))
			change_keyed(d, KCHANGE_IPRULE, NULL, &w->iprules[i]);
	}
}

static void
diff_routes(struct differ *d)
{
	const struct kstate *o = d->observed, *w = d->desired;
	size_t i;

	for (i = 0; i < o->n_routes; i++) {
		if (!has_route(w, &o->routes[i]))
			change_keyed(d, KCHANGE_ROUTE, &o->routes[i], NULL);
	}
	for (i = 0; i < w->n_routes; i++) {
		if (!has_route(o, &w->routes[i]))
			change_keyed(d, KCHANGE_ROUTE, NULL, &w->routes[i]);
	}
}

static const struct ksysctl *
find_sysctl(const struct kstate *s, const char *path)
{
	size_t i;

	for (i = 0; i < s->n_sysctls; i++) {
		if (!strcmp(s->sysctls[i].path, path))
			return &s->sysctls[i];
	}
	return NULL;
}

/* What is on record and not wanted is put back: REMOVE. */
static void
diff_sysctls(struct differ *d)
{
	const struct kstate *o = d->observed, *w = d->desired;
	const struct ksysctl *other;
	size_t i;

	for (i = 0; i < o->n_sysctls; i++) {
		if (o->sysctls[i].recorded &&
		    !find_sysctl(w, o->sysctls[i].path))
			change_keyed(d, KCHANGE_SYSCTL, &o->sysctls[i], NULL);
	}
	for (i = 0; i < w->n_sysctls; i++) {
		other = find_sysctl(o, w->sysctls[i].path);
		if (!other || strcmp(other->value, w->sysctls[i].value) != 0)
			change_keyed(d, KCHANGE_SYSCTL, other, &w->sysctls[i]);
	}
}

struct kdiff
diff(const struct kstate *observed, const struct kstate *desired,
     struct arena *arena)
{
	struct differ d = {
		.arena = arena,
		.observed = observed,
		.desired = desired,
		.is = kindex_make(observed, arena),
		.shall_be = kindex_make(desired, arena),
	};

	if (observed->table && desired->table &&
	    observed->table_flags != desired->table_flags)
		change(&d, KCHANGE_REPLACE, KCHANGE_TABLE, observed, desired,
		       0);
	else if (observed->table != desired->table)
		change_keyed(&d, KCHANGE_TABLE,
			     observed->table ? observed : NULL,
			     desired->table ? desired : NULL);
	diff_timeouts(&d);
	diff_chains(&d);
	diff_sets(&d);
	diff_rules(&d);
	diff_iprules(&d);
	diff_routes(&d);
	diff_sysctls(&d);
	return d.diff;
}

bool
kchange_is_nft(const struct kchange *c)
{
	switch (c->object) {
	case KCHANGE_TABLE:
	case KCHANGE_CHAIN:
	case KCHANGE_SET:
	case KCHANGE_RULE:
	case KCHANGE_TIMEOUT:
		return true;
	case KCHANGE_IPRULE:
	case KCHANGE_ROUTE:
	case KCHANGE_SYSCTL:
		break;
	}
	return false;
}

const char *
kchange_op_name(enum kchange_op op)
{
	switch (op) {
	case KCHANGE_ADD:
		return "add";
	case KCHANGE_REMOVE:
		return "remove";
	case KCHANGE_REPLACE:
		return "replace";
	}
	return "?";
}

const char *
kchange_object_name(enum kchange_object object)
{
	switch (object) {
	case KCHANGE_TABLE:
		return "table";
	case KCHANGE_CHAIN:
		return "chain";
	case KCHANGE_SET:
		return "set";
	case KCHANGE_RULE:
		return "rule";
	case KCHANGE_IPRULE:
		return "ip-rule";
	case KCHANGE_ROUTE:
		return "route";
	case KCHANGE_SYSCTL:
		return "sysctl";
	case KCHANGE_TIMEOUT:
		return "ct-timeout";
	}
	return "?";
}
