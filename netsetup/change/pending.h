/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pending.h - a change that waits to be confirmed, and what is put back
 * otherwise.
 */
#ifndef NETSETUP_CHANGE_PENDING_H
#define NETSETUP_CHANGE_PENDING_H

#include "netsetup/change/journal.h"

struct pending {
	bool there;
	uint64_t deadline_ms; /* clock_boot_ms() */
	const char *path;     /* the policy that is in force meanwhile */
	struct journal_policy former; /* path NULL: nothing was installed */
};

/* Read it; lives in `arena`. 0, also when there is none, or -errno. */
int pending_load(const struct journal *j, struct arena *arena,
		 struct pending *ret_pending);

/*
 * Before the change that `path` asks for: keep what is in force now. Durable
 * on return. 0 or -errno.
 */
int pending_store(const struct journal *j, uint64_t deadline_ms,
		  const char *path);

/* Nothing is pending any more. 0 or -errno. */
int pending_drop(const struct journal *j);

/* How long until it is put back; 0: it is time. */
uint64_t pending_left_ms(const struct pending *p);

#endif
