/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy first, because its mistakes are the likeliest; then the box; then what
 * is installed, which needs privilege.
 */
#include "netsetup/cmd/session.h"

#include <string.h>

#include "netsetup/change/observe.h"
#include "netsetup/change/readback.h"
#include "netsetup/change/wanted.h"

static void
begin(struct session *s)
{
	memset(s, 0, sizeof(*s));
	s->arena = arena_new();
	diags_init(&s->diags);
}

/* What the policy wants of this box. */
static int
work_out(struct session *s)
{
	int r;

	r = observe_facts(s->arena, &s->facts);
	if (r < 0)
		return common_fail("cannot look at the interfaces", r);
	r = desired(s->policy, &s->facts, s->arena, &s->diags, &s->desired);
	s->refused = r < 0;
	drain_state(&s->desired, s->drain, s->arena, &s->desired);
	return -1;
}

int
session_open(struct session *s, const char *policy)
{
	begin(s);
	s->policy = policy_load(policy, &s->diags);
	if (s->policy)
		return work_out(s);
	common_print(&s->diags);
	return EXIT_POLICY;
}

int
session_open_applied(struct session *s)
{
	struct journal_policy applied;
	struct journal j;
	int r;

	begin(s);
	r = journal_open(&j, JOURNAL_DIR);
	if (r == 0)
		r = journal_load_policy(&j, s->arena, &applied);
	if (r < 0)
		return common_fail("cannot read " JOURNAL_DIR, r);
	if (!applied.path)
		return -1;
	s->applied = applied.path;
	s->drain = applied.drain;
	s->policy = wanted_policy(&applied, &s->diags, &s->edited);
	if (s->policy)
		return work_out(s);
	common_print(&s->diags);
	return EXIT_FAILED;
}

struct policy *
session_in_force(void)
{
	struct arena *arena = arena_new();
	struct journal_policy applied = {0};
	struct policy *p = NULL;
	struct diags diags;
	struct journal j;

	diags_init(&diags);
	if (journal_open(&j, JOURNAL_DIR) == 0 &&
	    journal_load_policy(&j, arena, &applied) == 0 && applied.path)
		p = policy_load_text(applied.copy, applied.text, applied.len,
				     &diags);
	diags_fini(&diags);
	arena_free(arena);
	return p;
}

int
session_observe(struct session *s, enum nft_depth depth)
{
	struct sysctl_record record;
	struct readback readback;
	struct journal j;
	int r;

	r = journal_open(&j, JOURNAL_DIR);
	if (r == 0)
		r = journal_load(&j, s->arena, &record);
	if (r == 0)
		r = readback_load(&j, s->arena, &readback);
	if (r < 0)
		return common_fail("cannot read " JOURNAL_DIR, r);
	r = observe_state(s->arena, &record, depth, &s->observed, NULL);
	if (r < 0)
		return common_fail("cannot look at the ruleset", r);
	readback_mark(&readback, &s->observed);
	return -1;
}

void
session_close(struct session *s)
{
	diags_fini(&s->diags);
	policy_free(s->policy);
	arena_free(s->arena);
}

int
session_command(int argc, char **argv, unsigned int allowed, const char *words,
		int (*run)(struct session *s, const struct options *o))
{
	struct session s = {0};
	struct options o;
	int status;

	status = common_options(argc, argv, allowed, words, &o);
	if (status >= 0)
		return status;
	status = run(&s, &o);
	session_close(&s);
	return status;
}
