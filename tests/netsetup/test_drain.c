/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_drain.c - what is left of a state for flows that come to their end? */
#include "netsetup/state/drain.h"

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
	struct kstate all, with, without;
	struct policy *p;
	struct diags d;

	diags_init(&d);
	p = states_policy("lists", &d);
	desired(p, &f, a, &d, &all);
	drain_state(&all, true, a, &with);
	drain_state(&all, false, a, &without);
	check(&all, &with);
	check(&all, &without);
	UNIT_CHECK(with.n_rules == without.n_rules + 1, "proxyd's question");
	UNIT_CHECK(!drain_is_under_way(&all, &all, a), "all of it");
	UNIT_CHECK(drain_is_under_way(&with, &all, a), "a part");
	UNIT_CHECK(drain_is_under_way(&without, &all, a), "less");
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
