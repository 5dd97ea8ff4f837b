/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tryout.h - would the program at this path start?
 *
 * Runs it with the same arguments and `-n`, beside the loop: it reads the
 * policy, says what is wrong, and ends. Only one that is content may take
 * the place of this one.
 */
#ifndef PROXYD_TRYOUT_H
#define PROXYD_TRYOUT_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/str.h"

#include "proxyd/base/loop.h"

enum {
	TRYOUT_MS = 10000,	/* for it to end */
	TRYOUT_SAID_MAX = 4096, /* bytes of its output that are kept */
};

/* Zeroed: none is under way. */
struct tryout {
	struct loop *loop; /* borrows */
	struct loop_source source;
	struct timer deadline;
	struct str said; /* its output so far */
	pid_t pid;	 /* 0: none is under way */
	int fd;		 /* owns, of its output, if one is */
};

/*
 * Start `path` with the arguments of `argv`, which is as main() has it. 0;
 * -EBUSY: one is under way; other -errno.
 */
int tryout_start(struct tryout *t, struct loop *loop, const char *path,
		 char *const *argv);

/*
 * After a SIGCHLD: has it ended? Then *ret_good says whether it would start,
 * `said` is what it said, and the next may begin.
 */
bool tryout_ended(struct tryout *t, bool *ret_good);

/* In a child of ours: whatever is under way is the parent's. */
void tryout_leave(struct tryout *t);

/* Kill it if one is under way, and give all back. */
void tryout_fini(struct tryout *t);

#endif
