/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers are walked from the lowest key to the highest, and the rules that
 * match are kept as a sorted list; names are looked at one by one. Lists are
 * told apart by a hash of 64 bits and their length.
 */
#include "netsetup/state/span.h"

#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/hash.h"

enum { NAMES_MAX = 256 }; /* of interfaces to tell apart */

/* --- what a rule asks for ------------------------------------------------ */

static bool
applies(const struct dispatch_rule *r, const struct lane *lane)
{
	if (lane->l4)
		return r->l4 == 0 || r->l4 == lane->l4;
	if (lane->family)
		return r->families &
		       (lane->family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6);
	return true;
}

static struct dispatch_keys
keys_of(const struct dispatch_rule *r, enum dimension dimension)
{
	static const struct dispatch_keys any;

	switch (dimension) {
	case DIMENSION_PORT:
		return r->ports;
	case DIMENSION_TO:
		return r->to;
	case DIMENSION_FROM:
		return r->from;
	case DIMENSION_IFACE:
	case DIMENSION_COUNT:
		break;
	}
	return any;
}

/* May the rule match where no value that it asks for is found? */
static bool
is_open(const struct dispatch_rule *r, enum dimension dimension)
{
	size_t i;

	if (dimension != DIMENSION_IFACE)
		return keys_of(r, dimension).n == 0;
	for (i = 0; i < r->on.n; i++)
		if (r->on.list[i].wildcard)
			return true;
	return r->on.n == 0;
}

/* --- the rules at one value ---------------------------------------------- */

/* Rules that match at present, while a lane is walked from its low end. */
struct walk {
	struct arena *arena; /* borrows from the caller */
	const struct dispatch_rule *rules;
	const struct lane *lane;
	const struct span_list *list;
	struct span_list open; /* those of the lane that match everywhere */
	uint32_t *active;      /* the others, sorted */
	size_t n_active;
	uint32_t *holds; /* by position in `list`: how many of its keys */
	uint64_t hash;	 /* of the active ones, in any order */
	size_t budget;	 /* of copies */
	struct cut *cut;
};

static uint64_t
hash_rule(uint32_t rule)
{
	return hash64(&rule, sizeof(rule), 0);
}

/* Where `rule` is in a sorted list, or would be. */
static size_t
position(const uint32_t *list, size_t n, uint32_t rule)
{
	size_t low = 0, high = n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (list[middle] < rule)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
activate(struct walk *w, uint32_t rule)
{
	size_t at = position(w->active, w->n_active, rule);

	memmove(&w->active[at + 1], &w->active[at],
		(w->n_active - at) * sizeof(*w->active));
	w->active[at] = rule;
	w->n_active++;
	w->hash ^= hash_rule(rule);
}

static void
deactivate(struct walk *w, uint32_t rule)
{
	size_t at = position(w->active, w->n_active, rule);

	w->n_active--;
	memmove(&w->active[at], &w->active[at + 1],
		(w->n_active - at) * sizeof(*w->active));
	w->hash ^= hash_rule(rule);
}

/* Those that match now and those that always do, in order. */
static struct span_list
list_now(const struct walk *w)
{
	struct span_list all = {.n = w->n_active + w->open.n};
	uint32_t *rules = arena_calloc(w->arena, all.n, sizeof(*rules));
	size_t i = 0, j = 0, n = 0;

	while (n < all.n) {
		if (j == w->open.n ||
		    (i < w->n_active && w->active[i] < w->open.rules[j]))
			rules[n++] = w->active[i++];
		else
			rules[n++] = w->open.rules[j++];
	}
	all.rules = rules;
	return all;
}

/* The class of the rules that match now. False: too many copies. */
static bool
class_now(struct walk *w, const uint8_t *low, size_t *ret_class)
{
	size_t n = w->n_active + w->open.n, i;
	struct cut *cut = w->cut;
	struct span_class *c;

	for (i = cut->n_classes; i-- > 0;) {
		c = &cut->classes[i];
		if (c->hash == w->hash && c->list.n == n) {
			*ret_class = i;
			return true;
		}
	}
	if (n > w->budget)
		return false;
	w->budget -= n;
	cut->classes =
		arena_push(w->arena, cut->classes, cut->n_classes, sizeof(*c));
	c = &cut->classes[cut->n_classes];
	c->hash = w->hash;
	c->list = list_now(w);
	memcpy(c->first, low, KELEM_LEN);
	*ret_class = cut->n_classes++;
	return true;
}

static bool
add_span(struct walk *w, const uint8_t *low, const uint8_t *high)
{
	struct cut *cut = w->cut;
	struct span *s;
	size_t class;

	if (w->n_active == 0)
		return true; /* only those that match everywhere */
	if (!class_now(w, low, &class))
		return false;
	cut->spans = arena_push(w->arena, cut->spans, cut->n_spans, sizeof(*s));
	s = &cut->spans[cut->n_spans++];
	memcpy(s->low, low, KELEM_LEN);
	memcpy(s->high, high, KELEM_LEN);
	s->class = class;
	return true;
}

/* --- numbers: a walk from edge to edge ----------------------------------- */

/* A key of a rule begins at this value, or ended before it. */
struct edge {
	uint8_t at[KELEM_LEN];
	bool begins;
	size_t position; /* of the rule, in the list */
};

static int
compare_edges(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return memcmp(x->at, y->at, sizeof(x->at));
}

/* To the next or the former number; false: there is none. */
static bool
step(uint8_t *number, size_t len, int by)
{
	uint8_t wraps = by > 0 ? 0x00 : 0xff;

	while (len > 0) {
		number[len - 1] = (uint8_t)(number[len - 1] + by);
		if (number[len - 1] != wraps)
			return true;
		len--;
	}
	return false;
}

static struct edge *
find_edges(struct walk *w, size_t len, size_t *ret_n)
{
	struct edge *edges = NULL, e;
	struct dispatch_keys keys;
	size_t i, k, n = 0;

	for (i = 0; i < w->list->n; i++) {
		const struct dispatch_rule *r = &w->rules[w->list->rules[i]];

		keys = keys_of(r, w->lane->dimension);
		for (k = 0; applies(r, w->lane) && k < keys.n; k++) {
			e.position = i;
			e.begins = true;
			memcpy(e.at, keys.list[k].low, KELEM_LEN);
			edges = arena_push(w->arena, edges, n, sizeof(e));
			edges[n++] = e;
			e.begins = false;
			memcpy(e.at, keys.list[k].high, KELEM_LEN);
			if (!step(e.at, len, 1))
				continue; /* to the last number there is */
			edges = arena_push(w->arena, edges, n, sizeof(e));
			edges[n++] = e;
		}
	}
	*ret_n = n;
	return edges;
}

static void
cross(struct walk *w, const struct edge *e)
{
	uint32_t rule = w->list->rules[e->position];

	if (e->begins) {
		if (w->holds[e->position]++ == 0)
			activate(w, rule);
	} else if (--w->holds[e->position] == 0) {
		deactivate(w, rule);
	}
}

/* False: too many copies. */
static bool
walk_numbers(struct walk *w)
{
	size_t len = kset_type_len(w->lane->type), n, i;
	struct edge *edges = find_edges(w, len, &n);
	uint8_t high[KELEM_LEN];

	if (n > 0)
		qsort(edges, n, sizeof(*edges), compare_edges);
	for (i = 0; i < n; i++) {
		cross(w, &edges[i]);
		memset(high, 0, sizeof(high));
		if (i + 1 == n) {
			memset(high, 0xff, len);
		} else {
			if (!compare_edges(&edges[i], &edges[i + 1]))
				continue;
			memcpy(high, edges[i + 1].at, sizeof(high));
			step(high, len, -1);
		}
		if (!add_span(w, edges[i].at, high))
			return false;
	}
	return true;
}

/* --- interfaces: name by name -------------------------------------------- */

static int
compare_names(const void *a, const void *b)
{
	return memcmp(a, b, KELEM_LEN);
}

/* Full names that rules ask for, sorted, each once. NULL: too many. */
static uint8_t (*find_names(struct walk *w, size_t *ret_n))[KELEM_LEN]
{
	uint8_t(*names)[KELEM_LEN];
	size_t i, k, n = 0;

	names = arena_calloc(w->arena, NAMES_MAX, sizeof(*names));
	for (i = 0; i < w->list->n; i++) {
		const struct policy_ifaces *on =
			&w->rules[w->list->rules[i]].on;

		for (k = 0; k < on->n; k++) {
			uint8_t name[KELEM_LEN] = {0};

			memcpy(name, on->list[k].name,
			       strnlen(on->list[k].name, KELEM_LEN - 1));
			if (on->list[k].wildcard ||
			    bsearch(name, names, n, KELEM_LEN, compare_names))
				continue;
			if (n == NAMES_MAX)
				return NULL;
			memcpy(names[n++], name, KELEM_LEN);
			qsort(names, n, KELEM_LEN, compare_names);
		}
	}
	*ret_n = n;
	return names;
}

/* False: too many names, or copies. */
static bool
walk_names(struct walk *w)
{
	uint8_t(*names)[KELEM_LEN];
	size_t i, k, n;

	names = find_names(w, &n);
	if (!names)
		return false;
	for (k = 0; k < n; k++) {
		w->hash = 0;
		w->n_active = 0;
		w->open.n = 0; /* all are looked at for each name */
		for (i = 0; i < w->list->n; i++) {
			uint32_t rule = w->list->rules[i];

			if (policy_iface_matches(&w->rules[rule].on,
						 (const char *)names[k]))
				activate(w, rule);
		}
		if (!add_span(w, names[k], names[k]))
			return false;
	}
	return true;
}

/* --- both ---------------------------------------------------------------- */

static struct span_list
open_rules(const struct dispatch_rule *all, const struct span_list *list,
	   const struct lane *lane, enum dimension dimension,
	   struct arena *arena)
{
	uint32_t *rules = arena_calloc(arena, list->n + 1, sizeof(*rules));
	struct span_list open = {.rules = rules};
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct dispatch_rule *r = &all[list->rules[i]];

		if (is_open(r, dimension) && (!lane || applies(r, lane)))
			rules[open.n++] = list->rules[i];
	}
	return open;
}

struct span_list
span_rest(const struct dispatch_rule *rules, const struct span_list *list,
	  enum dimension dimension, struct arena *arena)
{
	return open_rules(rules, list, NULL, dimension, arena);
}

bool
span_cut(const struct dispatch_rule *rules, const struct span_list *list,
	 const struct lane *lane, size_t *budget, struct arena *arena,
	 struct cut *ret_cut)
{
	struct walk w = {
		.arena = arena,
		.rules = rules,
		.lane = lane,
		.list = list,
		.budget = *budget,
		.cut = ret_cut,
	};
	bool done;

	w.open = open_rules(rules, list, lane, lane->dimension, arena);
	w.active = arena_calloc(arena, list->n + 1, sizeof(*w.active));
	w.holds = arena_calloc(arena, list->n + 1, sizeof(*w.holds));
	done = lane->dimension == DIMENSION_IFACE ? walk_names(&w)
						  : walk_numbers(&w);
	*budget = w.budget;
	return done;
}
