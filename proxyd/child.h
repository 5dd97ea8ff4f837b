/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child.h - a process that the master starts, watches and replaces.
 *
 * Bookkeeping of one: its pid, the talk with it, whose end tells it that the
 * master is gone, and when it may be started again. What it does, and what is
 * said to it, is not known here.
 */
#ifndef PROXYD_CHILD_H
#define PROXYD_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proxyd/base/priv.h"

struct child {
	const char *name; /* "worker": for the log and for ps(1) */
	pid_t pid;	  /* 0: not running */
	int talk_fd;	  /* owns: our end of the talk; -1 */
	uint64_t started_ms;
	uint64_t retry_ms; /* not to be started before */
	uint32_t backoff_ms;
	bool killed; /* by us, because it hung */
};

void child_init(struct child *c, const char *name);

/*
 * fork(). Returns the pid to the master; 0 to the child, whose end of the
 * talk is *ret_fd, its own; -errno.
 */
pid_t child_start(struct child *c, uint64_t now_ms, int *ret_fd);

/*
 * Has it ended? Then *ret_status is its status as of waitpid(2), and
 * `retry_ms` says when to start it again: at once, unless it died young.
 */
bool child_ended(struct child *c, uint64_t now_ms, int *ret_status);

/*
 * Send it a message of talk.h, with descriptors that stay ours. One that does
 * not read any more what it is told cannot be relied on: it is killed, and
 * its successor needs no telling. One that is gone is told nothing.
 */
void child_tell(struct child *c, const void *order, size_t len, const int *fds,
		size_t n_fds);

/* Close the talk: the child sees its end. */
void child_let_go(struct child *c);

/* SIGKILL. */
void child_kill(struct child *c);

/* Say in the log how it ended, and why if that is known. */
void child_say_ended(const struct child *c, int status);

/*
 * In the child: give up what the master may do and this role need not,
 * capabilities and system calls. 0; -errno, which the log has, and which the
 * child must not survive.
 */
int child_limit(enum priv_role role, const char *name);

#endif
