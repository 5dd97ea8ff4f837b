/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * states.h - for tests: a box, and the state that a policy asks of it.
 */
#ifndef TESTS_NETSETUP_STATES_H
#define TESTS_NETSETUP_STATES_H

#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/state/desired.h"
#include "tests/unit.h"

#define CASES "tests/cases/netsetup/"

/* Two inside interfaces with IPv4 addresses; both families are on. */
static inline struct facts
states_facts(struct arena *a)
{
	struct facts f = {.families = FAMILY_BOTH, .n_ifaces = 2};

	f.ifaces = arena_calloc(a, 2, sizeof(*f.ifaces));
	strcpy(f.ifaces[0].name, "in0");
	strcpy(f.ifaces[1].name, "in1");
	f.ifaces[0].ipv4 = true;
	f.ifaces[1].ipv4 = true;
	return f;
}

/* The policy of a case; what is wrong with it fails the test. */
static inline struct policy *
states_policy(const char *name, struct diags *d)
{
	char path[256];
	struct policy *p;
	struct str text = {0};

	snprintf(path, sizeof(path), CASES "%s.conf", name);
	p = policy_load(path, d);
	if (!p) {
		diags_format(d, false, &text);
		UNIT_CHECK(0, "%s", str_text(&text));
		str_fini(&text);
	}
	return p;
}

/*
 * What the kernel would show of `s` once it is installed: no expressions and
 * no text, but handles, counters and comments; sysctls on record.
 */
static inline struct kstate
states_installed(struct arena *a, const struct kstate *s)
{
	struct kstate k = *s;
	struct str comment = {0};
	size_t i;

	k.rules = arena_memdup(a, s->rules, s->n_rules * sizeof(*s->rules));
	for (i = 0; i < k.n_rules; i++) {
		struct krule *r = &k.rules[i];

		str_clear(&comment);
		kstate_rule_comment(r, &comment);
		r->label = arena_strdup(a, str_text(&comment));
		r->digest = kstate_comment_digest(r->label);
		r->handle = i + 10;
		r->text = NULL;
		r->exprs = NULL;
		r->n_exprs = 0;
	}
	str_fini(&comment);
	k.sets = arena_memdup(a, s->sets, s->n_sets * sizeof(*s->sets));
	for (i = 0; i < k.n_sets; i++) {
		if (!kset_is_dynamic(&k.sets[i]))
			continue;
		k.sets[i].n_elems = 0;
		k.sets[i].ms = 0;
	}
	k.sysctls =
		arena_memdup(a, s->sysctls, s->n_sysctls * sizeof(*s->sysctls));
	for (i = 0; i < k.n_sysctls; i++)
		k.sysctls[i].recorded = true;
	return k;
}

#endif
