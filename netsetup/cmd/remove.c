/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Applies an empty state. Needs no policy: it may be gone or wrong by now.
 * Flows that are cut by it are counted where a policy is on record.
 */
#include "netsetup/cmd/remove.h"

#include "lib/arena.h"
#include "lib/log.h"
#include "netsetup/change/enact.h"
#include "netsetup/change/observe.h"
#include "netsetup/cmd/drain.h"
#include "netsetup/cmd/guard.h"
#include "netsetup/cmd/leftover.h"

/* How many flows would end? 0 also if nobody knows. */
static size_t
count_cuts(struct arena *arena)
{
	const struct sysctl_record none = {0};
	struct kstate observed;
	struct facts facts;
	struct str text = {0};
	size_t n = 0;

	if (observe_facts(arena, &facts) < 0 ||
	    observe_state(arena, &none, NFT_DEPTH_RULES, &observed, NULL) < 0 ||
	    guard_cuts(&observed, &facts, NULL, &n, &text) < 0)
		n = 0;
	str_fini(&text);
	return n;
}

static void
note_cuts(size_t n, bool drained)
{
	if (n == 0)
		return;
	log_notice("%zu proxied flow%s %s cut%s", n, n == 1 ? "" : "s",
		   n == 1 ? "is" : "are",
		   drained ? ""
			   : "; `netsetup remove --drain 5m` lets them end");
}

/* Nothing is wanted: the difference to that is what must go. */
static int
remove_all(struct journal *j, struct arena *arena, bool drained)
{
	const struct kstate nothing = {0};
	size_t n_cuts = count_cuts(arena);
	struct diags diags;
	struct applied done;
	int r, settled, status = EXIT_DONE;

	diags_init(&diags);
	leftover_tell_remove(j, arena);
	r = enact(j, NULL, NULL, &nothing, arena, &diags, &done);
	settled = done.in_force ? leftover_settle(j) : 0;
	if (r == 0)
		r = settled;
	common_print(&diags);
	if (done.in_force && done.diff.n > 0)
		note_cuts(n_cuts, drained);
	if (r < 0)
		status = diags.n_errors > 0 ? EXIT_FAILED
					    : common_fail("remove", r);
	diags_fini(&diags);
	return status;
}

/* Without the right to look there is no need to make a lock. */
static int
may_look(struct arena *arena)
{
	const struct sysctl_record none = {0};
	struct kstate s;
	int r = observe_state(arena, &none, NFT_DEPTH_TABLE, &s, NULL);

	return r < 0 ? common_fail("cannot look at the ruleset", r) : -1;
}

int
cmd_remove(int argc, char **argv)
{
	struct arena *arena;
	struct options o;
	struct journal j;
	int status;

	status = common_options(argc, argv, OPTION_DRAIN, NULL, &o);
	if (status >= 0)
		return status;
	arena = arena_new();
	status = may_look(arena);
	if (status < 0)
		status = common_lock(&j);
	if (status < 0) {
		status = o.drain_ms ? drain(&j, o.drain_ms) : -1;
		if (status < 0)
			status = remove_all(&j, arena, o.drain_ms > 0);
		journal_close(&j);
	}
	arena_free(arena);
	return status;
}
