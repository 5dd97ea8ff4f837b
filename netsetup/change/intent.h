/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * intent.h - what a change is about to bring in force.
 *
 * Written before the first step and gone after the last, when it becomes the
 * record of the policy in force. One that is still there while nobody holds
 * the lock was left by somebody who was killed.
 */
#ifndef NETSETUP_CHANGE_INTENT_H
#define NETSETUP_CHANGE_INTENT_H

#include "netsetup/change/journal.h"

struct intent {
	bool there;
	struct journal_policy policy; /* path NULL: nothing at all */
};

/* Read it; lives in `arena`. 0, also when there is none, or -errno. */
int intent_load(const struct journal *j, struct arena *arena,
		struct intent *ret_intent);

/*
 * Write it: `text` is canonical and was read from `path`; NULL: nothing shall
 * be in force. Durable on return. 0 or -errno.
 */
int intent_begin(const struct journal *j, const char *path, const char *text);

/* It is done: now it is the record. 0 or -errno. */
int intent_finish(const struct journal *j);

/* It came to nothing. 0 or -errno. */
int intent_drop(const struct journal *j);

#endif
