/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes away what would be put back. Who comes too late is told so, and finds
 * it put back.
 */
#include "netsetup/cmd/confirm.h"

#include "lib/arena.h"
#include "lib/log.h"
#include "netsetup/cmd/common.h"
#include "netsetup/cmd/leftover.h"

static int
confirm(struct journal *j, struct arena *arena)
{
	struct pending p;
	int r;

	/* its time may be over */
	if (leftover_mend(j, arena, &p))
		return EXIT_FAILED;
	if (!p.there) {
		log_error("nothing waits to be confirmed");
		return EXIT_FAILED;
	}
	r = leftover_settle(j);
	return r < 0 ? common_fail(JOURNAL_DIR, r) : EXIT_DONE;
}

int
cmd_confirm(int argc, char **argv)
{
	struct arena *arena;
	struct options o;
	struct journal j;
	int status;

	status = common_options(argc, argv, 0, NULL, &o);
	if (status < 0)
		status = common_lock(&j);
	if (status >= 0)
		return status;
	arena = arena_new();
	status = confirm(&j, arena);
	journal_close(&j);
	arena_free(arena);
	return status;
}
