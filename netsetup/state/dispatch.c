/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list is split by the dimension that leaves the fewest rules to try: port,
 * destination, source or interface. The values at which any rule begins or
 * ends to match cut a dimension into spans; spans with the same rules share
 * one chain, whose list is split again if it is still long. What is in no
 * span goes on in the same chain, with the rules that do not ask. A rule that
 * matches in many spans is copied into each of their chains. Where that would
 * be too many copies, the list is cut into parts, one tried after the other;
 * and where these would be too many, it stays a list.
 *
 * Chains are called after the lowest value that leads to them, so that a rule
 * more or less leaves those of others as they are.
 */
#include "netsetup/state/dispatch.h"

#include <ctype.h>
#include <string.h>

#include "lib/arena.h"

enum {
	WHOLE_MAX = 16, /* in all, are easier to read as a list */
	LIST_MAX = 6,	/* so many rules are tried one by one */
	SPLITS_MAX = 4, /* one below the other */
	RUNS_MAX = 6,	/* of rules that ask for the same, in one list */
	COPIES_MAX = 5, /* of a rule, in one split, on the average */
	ROOM = 4,	/* for copies, per rule of the whole list */
};

/*    dimension        l4           family    type         map     chain */
static const struct lane lanes[] = {
	{DIMENSION_PORT, IPPROTO_TCP, 0, KSET_PORT, ".tcp", ".tcp"},
	{DIMENSION_PORT, IPPROTO_UDP, 0, KSET_PORT, ".udp", ".udp"},
	{DIMENSION_TO, 0, AF_INET, KSET_IPV4, ".to4", ".to"},
	{DIMENSION_TO, 0, AF_INET6, KSET_IPV6, ".to6", ".to"},
	{DIMENSION_FROM, 0, AF_INET, KSET_IPV4, ".from4", ".from"},
	{DIMENSION_FROM, 0, AF_INET6, KSET_IPV6, ".from6", ".from"},
	{DIMENSION_IFACE, 0, 0, KSET_IFNAME, ".on", ".on-"},
};

enum { LANES = sizeof(lanes) / sizeof(lanes[0]) };

struct split {
	enum dimension dimension;
	struct cut cuts[LANES]; /* of lanes of the dimension */
	struct span_list rest;	/* the rules that do not ask */
	size_t worst;		/* rules that a packet may have to try */
	size_t copies;
};

struct dispatcher {
	struct draft *draft;
	struct arena *arena; /* borrows from the draft */
	struct place place;
	const char *name;
	const struct dispatch_rule *rules;
	size_t room; /* for so many more copies, in all */
};

/* --- one split ----------------------------------------------------------- */

/* False: this dimension does not help. */
static bool
try_split(const struct dispatcher *d, const struct span_list *list,
	  enum dimension dimension, struct split *ret_split)
{
	size_t budget = COPIES_MAX * list->n, start, i, k;

	if (budget > list->n + d->room)
		budget = list->n + d->room;
	start = budget;

	memset(ret_split, 0, sizeof(*ret_split));
	ret_split->dimension = dimension;
	ret_split->rest = span_rest(d->rules, list, dimension, d->arena);
	ret_split->worst = ret_split->rest.n;
	for (i = 0; i < LANES; i++) {
		struct cut *cut = &ret_split->cuts[i];

		if (lanes[i].dimension != dimension)
			continue;
		if (!span_cut(d->rules, list, &lanes[i], &budget, d->arena,
			      cut))
			return false;
		for (k = 0; k < cut->n_classes; k++) {
			if (cut->classes[k].list.n > ret_split->worst)
				ret_split->worst = cut->classes[k].list.n;
		}
	}
	ret_split->copies = ret_split->rest.n + start - budget;
	return ret_split->copies <= list->n + d->room &&
	       4 * ret_split->worst <= 3 * list->n;
}

static bool
best_split(const struct dispatcher *d, const struct span_list *list,
	   struct split *ret_split)
{
	struct split one;
	bool found = false;
	size_t i;

	for (i = 0; i < DIMENSION_COUNT; i++) {
		if (!try_split(d, list, (enum dimension)i, &one))
			continue;
		if (found && (one.worst > ret_split->worst ||
			      (one.worst == ret_split->worst &&
			       one.copies >= ret_split->copies)))
			continue;
		*ret_split = one;
		found = true;
	}
	return found;
}

/* --- chains and maps ----------------------------------------------------- */

static void add_list(struct dispatcher *d, const char *chain,
		     const struct span_list *list, unsigned int splits);

/* The value as part of a name: letters, digits, dots and `_`. */
static void
say_value(const uint8_t *value, enum kset_type type, struct str *out)
{
	struct kset set = {.type = type};
	struct kelem e = {0};
	size_t from = out->len, i;

	memcpy(e.low, value, KELEM_LEN);
	memcpy(e.high, value, KELEM_LEN);
	kelem_format(&e, &set, out);
	for (i = from; i < out->len; i++) {
		if (!isalnum((unsigned char)out->data[i]) &&
		    out->data[i] != '.')
			out->data[i] = '_';
	}
}

static const char *
class_chain(struct dispatcher *d, const char *chain, const struct lane *lane,
	    const struct span_class *c)
{
	struct str name = {0};
	const char *kept;

	str_addf(&name, "%s%s", chain, lane->chain);
	say_value(c->first, lane->type, &name);
	kept = arena_strdup(d->arena, str_text(&name));
	str_fini(&name);
	return kept;
}

static void
add_lookup(struct dispatcher *d, const char *chain, const struct lane *lane,
	   const char *map)
{
	struct rule *r = &d->draft->rule;

	switch (lane->dimension) {
	case DIMENSION_PORT:
		rule_port_vmap(r, lane->l4, RULE_DESTINATION, map);
		break;
	case DIMENSION_TO:
		rule_addr_vmap(r, RULE_DESTINATION, lane->family, map);
		break;
	case DIMENSION_FROM:
		rule_addr_vmap(r, RULE_SOURCE, lane->family, map);
		break;
	case DIMENSION_IFACE:
	case DIMENSION_COUNT:
		rule_iifname_vmap(r, map);
		break;
	}
	draft_rule(d->draft, chain, d->place, d->name);
}

static void
add_map(struct dispatcher *d, const char *chain, const struct lane *lane,
	const struct cut *cut, const char *const *targets)
{
	struct kelem *elems =
		arena_calloc(d->arena, cut->n_spans, sizeof(*elems));
	const char *map;
	size_t i;

	for (i = 0; i < cut->n_spans; i++) {
		memcpy(elems[i].low, cut->spans[i].low, KELEM_LEN);
		memcpy(elems[i].high, cut->spans[i].high, KELEM_LEN);
		elems[i].verdict = NFT_GOTO;
		elems[i].chain = targets[cut->spans[i].class];
	}
	map = draft_map(d->draft,
			arena_printf(d->arena, "%s%s", chain, lane->map),
			lane->type, elems, cut->n_spans, d->place, d->name);
	add_lookup(d, chain, lane, map);
}

static void
add_cut(struct dispatcher *d, const char *chain, const struct lane *lane,
	const struct cut *cut, unsigned int splits)
{
	const char **targets;
	size_t i;

	if (cut->n_spans == 0)
		return;
	targets = arena_calloc(d->arena, cut->n_classes, sizeof(*targets));
	for (i = 0; i < cut->n_classes; i++) {
		targets[i] = class_chain(d, chain, lane, &cut->classes[i]);
		draft_chain(d->draft, targets[i], d->place);
	}
	add_map(d, chain, lane, cut, targets);
	for (i = 0; i < cut->n_classes; i++)
		add_list(d, targets[i], &cut->classes[i].list, splits);
}

static void
add_rules(struct dispatcher *d, const char *chain, const struct span_list *list)
{
	struct krule rule;
	size_t i;

	for (i = 0; i < list->n; i++) {
		rule = d->rules[list->rules[i]].rule;
		rule.chain = chain;
		draft_finished(d->draft, &rule);
	}
}

/* --- a list in parts ----------------------------------------------------- */

/* Which dimensions does the rule ask for? */
static unsigned int
asks_for(const struct dispatch_rule *r)
{
	return (r->ports.n > 0) | (r->from.n > 0) << 1 | (r->to.n > 0) << 2;
}

/* How many rules from `first` on ask for the same? */
static size_t
run_length(const struct dispatcher *d, const struct span_list *list,
	   size_t first)
{
	unsigned int asked = asks_for(&d->rules[list->rules[first]]);
	size_t n = 1;

	while (first + n < list->n &&
	       asks_for(&d->rules[list->rules[first + n]]) == asked)
		n++;
	return n;
}

static size_t
count_runs(const struct dispatcher *d, const struct span_list *list)
{
	size_t first, runs = 0;

	for (first = 0; first < list->n; first += run_length(d, list, first))
		runs++;
	return runs;
}

/*
 * Rules that ask for different dimensions would have to be copied for each
 * other's values. In a row they are lists of their own, and the packet comes
 * back from each, to try the next.
 */
static void
add_runs(struct dispatcher *d, const char *chain, const struct span_list *list,
	 unsigned int splits)
{
	size_t first, n = 1, number = 0;
	const char *part;

	for (first = 0; first < list->n; first += n) {
		struct span_list run = {.rules = &list->rules[first]};

		run.n = run_length(d, list, first);
		n = run.n;
		if (n <= LIST_MAX) {
			add_rules(d, chain, &run);
			continue;
		}
		part = arena_printf(d->arena, "%s.part%zu", chain, ++number);
		draft_chain(d->draft, part, d->place);
		rule_jump(&d->draft->rule, part);
		draft_rule(d->draft, chain, d->place, d->name);
		add_list(d, part, &run, splits);
	}
}

static void
add_list(struct dispatcher *d, const char *chain, const struct span_list *list,
	 unsigned int splits)
{
	size_t i, runs;
	struct split s;

	if (list->n <= LIST_MAX || splits == 0) {
		add_rules(d, chain, list);
		return;
	}
	if (!best_split(d, list, &s)) {
		runs = count_runs(d, list);
		if (runs > 1 && runs <= RUNS_MAX)
			add_runs(d, chain, list, splits - 1);
		else
			add_rules(d, chain, list);
		return;
	}
	if (s.copies > list->n)
		d->room -= s.copies - list->n;
	for (i = 0; i < LANES; i++)
		add_cut(d, chain, &lanes[i], &s.cuts[i], splits - 1);
	add_list(d, chain, &s.rest, splits - 1);
}

void
dispatch(struct draft *d, const char *chain, struct place place,
	 const char *name, const struct dispatch_rule *rules, size_t n)
{
	struct dispatcher dispatcher = {
		.draft = d,
		.arena = d->arena,
		.place = place,
		.name = name,
		.rules = rules,
		.room = ROOM * n,
	};
	uint32_t *all = arena_calloc(d->arena, n + 1, sizeof(*all));
	const struct span_list list = {.rules = all, .n = n};
	size_t i;

	for (i = 0; i < n; i++)
		all[i] = (uint32_t)i;
	add_list(&dispatcher, chain, &list, n <= WHOLE_MAX ? 0 : SPLITS_MAX);
}
