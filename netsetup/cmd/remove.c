/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Applies an empty state. Reads no policy: it may be gone or wrong by now.
 */
#include "netsetup/cmd/remove.h"

#include "lib/arena.h"
#include "netsetup/change/enact.h"
#include "netsetup/change/observe.h"
#include "netsetup/cmd/common.h"
#include "netsetup/cmd/leftover.h"

/* Nothing is wanted: the difference to that is what must go. */
static int
remove_all(struct journal *j, struct arena *arena)
{
	const struct kstate nothing = {0};
	struct diags diags;
	struct kdiff d = {0};
	int r, status = EXIT_DONE;

	diags_init(&diags);
	leftover_tell_remove(j, arena);
	r = enact(j, NULL, NULL, &nothing, arena, &diags, &d);
	if (r == 0)
		r = leftover_settle(j);
	common_print(&diags);
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

	status = common_options(argc, argv, 0, NULL, &o);
	if (status >= 0)
		return status;
	arena = arena_new();
	status = may_look(arena);
	if (status < 0)
		status = common_lock(&j);
	if (status < 0) {
		status = remove_all(&j, arena);
		journal_close(&j);
	}
	arena_free(arena);
	return status;
}
