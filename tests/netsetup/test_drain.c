/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_drain.c - what is left of a state for flows that come to their end? */
#include "netsetup/state/drain.h"

#include "netsetup/state/diff.h"

#include "tests/netsetup/states.h"

/* Does a rule redirect, or renew an alive set? */
static bool
captures(const struct krule *r)
{
	size_t i;

	for (i = 0; i < r->n_exprs; i++) {
		if (r->exprs[i].kind == KEXPR_REDIRECT ||
		    r->exprs[i].kind == KEXPR_DYNSET)
			return true;
	}
	return false;
}

static void
check(const struct kstate *all, const struct kstate *left)
{
	size_t i;

	for (i = 0; i < left->n_rules; i++) {
		UNIT_CHECK(!captures(&left->rules[i]), "%s",
			   left->rules[i].text);
		UNIT_CHECK(kstate_chain(left, left->rules[i].chain) != NULL,
			   "%s", left->rules[i].chain);
	}
	for (i = 0; i < left->n_sets; i++)
		UNIT_CHECK(strncmp(left->sets[i].name, "alive_", 6) != 0, "%s",
			   left->sets[i].name);
	UNIT_CHECK(left->n_iprules == all->n_iprules, "ip rules");
	UNIT_CHECK(left->n_routes == all->n_routes, "routes");
	UNIT_CHECK(left->n_sysctls == all->n_sysctls, "settings");
	UNIT_CHECK(kstate_chain(left, "guard_in") && kstate_set(left, "capture_"
								      "ports"),
		   "guards with what they need");
	/* a chain of type nat, for the kernel to go on translating */
	UNIT_CHECK(kstate_chain(left, "capture") != NULL, "nat");
}

static void
test_left(void)
{
	struct arena *a = arena_new();
	struct facts f = states_facts(a);
	struct kstate all, with, without, again;
	struct policy *p;
	struct diags d;

	diags_init(&d);
	p = states_policy("lists", &d);
	desired(p, &f, a, &d, &all);
	drain_state(&all, DRAIN_ACCEPTS, a, &with);
	drain_state(&all, DRAIN_REFUSES, a, &without);
	check(&all, &with);
	check(&all, &without);
	UNIT_CHECK(with.n_rules == without.n_rules + 1, "proxyd's question");
	drain_state(&all, DRAIN_NONE, a, &again);
	UNIT_CHECK(diff(&all, &again, a).n == 0, "all of it");
	again = with;
	drain_state(&again, DRAIN_ACCEPTS, a, &again);
	UNIT_CHECK(diff(&with, &again, a).n == 0, "a part of a part");
	drain_state(&again, DRAIN_REFUSES, a, &again);
	UNIT_CHECK(diff(&without, &again, a).n == 0, "less of it");
	UNIT_CHECK(with.n_rules < all.n_rules && kstate_chain(&with, "divert"),
		   "%zu of %zu", with.n_rules, all.n_rules);
	policy_free(p);
	diags_fini(&d);
	arena_free(a);
}

static const struct unit_test tests[] = {
	{"left", test_left},
};

UNIT_MAIN("drain", tests)
