/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * leftover.h - what earlier runs have left: a change that was interrupted,
 * one that waits to be confirmed. Says so, and mends what can be mended.
 */
#ifndef NETSETUP_CMD_LEFTOVER_H
#define NETSETUP_CMD_LEFTOVER_H

#include "lib/clock.h"
#include "lib/json.h"
#include "netsetup/change/pending.h"

/*
 * With the lock: finish or undo a change that was interrupted, put back one
 * whose time is over. What cannot be mended is said and left. *ret_pending, in
 * `arena`, is what still waits. Returns whether something was put back because
 * its time was over.
 */
bool leftover_mend(struct journal *j, struct arena *arena,
		   struct pending *ret_pending);

/* With the lock: if the timer of `p` is gone, say so and start another. */
void leftover_keep_timer(struct journal *j, const struct pending *p);

/* The same words, for who is going to take all of it away anyway. */
void leftover_tell_remove(struct journal *j, struct arena *arena);

struct leftover {
	bool interrupted;
	bool timer; /* runs, if something is pending */
	struct pending pending;
};

/*
 * Without the lock: what is left, in `arena`? Says what was interrupted, and
 * what to type. Changes nothing.
 */
struct leftover leftover_look(struct arena *arena);

/* The time that is left, in whole seconds rounded up. Returns `buf`. */
const char *leftover_time(const struct pending *p,
			  char buf[CLOCK_DURATION_LEN]);

/* What waits, in a line without its end; nothing if nothing does. */
void leftover_text(const struct leftover *l, struct str *out);

/* Members of the object that is open in `j`. Source: netsetup(8). */
void leftover_json(const struct leftover *l, struct json *j);

/*
 * Without the lock, and without a word: is there something for
 * leftover_mend() or leftover_keep_timer() to do?
 */
bool leftover_waits(struct journal *j);

/*
 * Keep what is in force, and have a timer put it back in `ms` unless somebody
 * confirms what `path` is about to bring. With the lock; 0 or -errno.
 */
int leftover_try(struct journal *j, uint64_t ms, const char *path);

/* It is final, or came to nothing: forget that, and end the timer. */
int leftover_settle(struct journal *j);

#endif
