/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chains that stay are named here: what is new in the table captures, until
 * somebody says that running flows need it. A chain of type nat stays, empty:
 * without any, the kernel translates not even what it began. Pure: no system
 * calls.
 */
#include "netsetup/state/drain.h"

#include <string.h>

#include "lib/arena.h"

static const char *const staying[] = {
	"divert",
	"guard_in",
	"guard_out",
	"heartbeat",
	"heartbeat.return.path",
	"remember",
	"unowned",
	"zones",
};

static bool
stays(const char *chain)
{
	size_t i;

	for (i = 0; i < sizeof(staying) / sizeof(staying[0]); i++) {
		if (!strcmp(chain, staying[i]))
			return true;
	}
	return false;
}

/* The map of heartbeats without those that renew a set. */
static const struct kelem *
staying_elems(const struct kset *set, struct arena *arena, size_t *ret_n)
{
	struct kelem *elems;
	size_t i, n = 0;

	elems = arena_calloc(arena, set->n_elems + 1, sizeof(*elems));
	for (i = 0; i < set->n_elems; i++) {
		if (!set->elems[i].chain || stays(set->elems[i].chain))
			elems[n++] = set->elems[i];
	}
	*ret_n = n;
	return elems;
}

static bool
chain_stays(const struct kchain *c)
{
	return stays(c->name) || (c->base && !strcmp(c->type, "nat"));
}

/* What proxyd sends to be heard; the other questions are for its flows. */
static bool
is_pulse(const struct krule *r)
{
	size_t i;

	for (i = 0; i < r->n_exprs; i++) {
		if (r->exprs[i].kind == KEXPR_DYNSET)
			return true;
	}
	return false;
}

/* It jumps to what captures. */
static bool
leads_astray(const struct kstate *wanted, const struct krule *r)
{
	size_t i;

	for (i = 0; i < wanted->n_chains; i++) {
		if (!stays(wanted->chains[i].name) &&
		    kstate_rule_uses(r, wanted->chains[i].name))
			return true;
	}
	return false;
}

static bool
rule_stays(const struct kstate *wanted, const struct krule *r, enum drain drain)
{
	if (!strcmp(r->chain, "heartbeat") && drain == DRAIN_REFUSES)
		return false;
	return stays(r->chain) && !is_pulse(r) && !leads_astray(wanted, r);
}

static bool
is_used(const struct kstate *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_rules; i++) {
		if (kstate_rule_uses(&s->rules[i], name))
			return true;
	}
	return false;
}

void
drain_state(const struct kstate *wanted, enum drain drain, struct arena *arena,
	    struct kstate *ret_state)
{
	struct kstate s = *wanted;
	size_t i;

	*ret_state = s;
	if (drain == DRAIN_NONE)
		return;
	s.chains = arena_calloc(arena, s.n_chains + 1, sizeof(*s.chains));
	s.rules = arena_calloc(arena, s.n_rules + 1, sizeof(*s.rules));
	s.sets = arena_calloc(arena, s.n_sets + 1, sizeof(*s.sets));
	s.n_chains = 0;
	s.n_rules = 0;
	s.n_sets = 0;
	for (i = 0; i < wanted->n_chains; i++) {
		if (chain_stays(&wanted->chains[i]))
			s.chains[s.n_chains++] = wanted->chains[i];
	}
	for (i = 0; i < wanted->n_rules; i++) {
		if (rule_stays(wanted, &wanted->rules[i], drain))
			s.rules[s.n_rules++] = wanted->rules[i];
	}
	for (i = 0; i < wanted->n_sets; i++) {
		struct kset *set = &s.sets[s.n_sets];

		if (!is_used(&s, wanted->sets[i].name))
			continue;
		*set = wanted->sets[i];
		set->elems = staying_elems(set, arena, &set->n_elems);
		s.n_sets++;
	}
	*ret_state = s;
}
