/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules are looked for in their chain by digest. Two rules of one chain with
 * the same digest do the same.
 */
#include "netsetup/explain/inforce.h"

#include <string.h>

#include "lib/arena.h"

static const struct krule *
find_rule(const struct kstate *wanted, const struct krule *rule)
{
	size_t i;

	for (i = 0; i < wanted->n_rules; i++) {
		if (wanted->rules[i].digest == rule->digest &&
		    !strcmp(wanted->rules[i].chain, rule->chain))
			return &wanted->rules[i];
	}
	return NULL;
}

static size_t
take_rules(struct kstate *s, const struct kstate *wanted,
	   const struct kstate *observed, struct arena *arena)
{
	const struct krule *rule;
	size_t i, unknown = 0;

	s->rules = arena_calloc(arena, observed->n_rules, sizeof(*s->rules));
	s->n_rules = 0;
	for (i = 0; i < observed->n_rules; i++) {
		rule = observed->rules[i].edited
			       ? NULL
			       : find_rule(wanted, &observed->rules[i]);
		if (rule)
			s->rules[s->n_rules++] = *rule;
		else
			unknown++;
	}
	return unknown;
}

static void
take_places(struct kstate *s, const struct kstate *wanted, struct arena *arena)
{
	const struct kchain *chain;
	size_t i;

	s->chains = arena_memdup(arena, s->chains,
				 s->n_chains * sizeof(*s->chains));
	for (i = 0; i < s->n_chains; i++) {
		chain = kstate_chain(wanted, s->chains[i].name);
		if (chain)
			s->chains[i].place = chain->place;
	}
}

struct kstate
inforce(const struct kstate *wanted, const struct kstate *observed,
	struct arena *arena, size_t *ret_unknown)
{
	struct kstate s = *observed;

	*ret_unknown = take_rules(&s, wanted, observed, arena);
	take_places(&s, wanted, arena);
	return s;
}
