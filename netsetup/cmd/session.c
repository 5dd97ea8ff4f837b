/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy first, because its mistakes are the likeliest; then the box; then what
 * is installed, which needs privilege.
 */
#include "netsetup/cmd/session.h"

#include <string.h>

#include "netsetup/change/observe.h"

int
session_open(struct session *s, const char *policy)
{
	int r;

	memset(s, 0, sizeof(*s));
	s->arena = arena_new();
	diags_init(&s->diags);
	s->policy = policy_load(policy, &s->diags);
	if (!s->policy) {
		common_print(&s->diags);
		return EXIT_POLICY;
	}
	r = observe_facts(s->arena, &s->facts);
	if (r < 0)
		return common_fail("cannot look at the interfaces", r);
	r = desired(s->policy, &s->facts, s->arena, &s->diags, &s->desired);
	s->refused = r < 0;
	return -1;
}

int
session_observe(struct session *s)
{
	struct sysctl_record record;
	struct journal j;
	int r;

	r = journal_open(&j, JOURNAL_DIR);
	if (r == 0)
		r = journal_load(&j, s->arena, &record);
	if (r < 0)
		return common_fail("cannot read " JOURNAL_DIR, r);
	r = observe_state(s->arena, &record, &s->observed, NULL);
	if (r < 0)
		return common_fail("cannot look at the ruleset", r);
	return -1;
}

void
session_close(struct session *s)
{
	diags_fini(&s->diags);
	policy_free(s->policy);
	arena_free(s->arena);
}
