/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timer.h - a process that waits, and outlives everything it came from.
 *
 * It has no terminal, no descriptor but one and no parent, and hangups do not
 * end it. That one is a lock: who holds it is the timer, whatever became of
 * its number since.
 */
#ifndef NETSETUP_CHANGE_TIMER_H
#define NETSETUP_CHANGE_TIMER_H

#include "netsetup/change/journal.h"

/*
 * Start the one timer of this journal, which must be locked; a former one is
 * ended. In the new process `fire` is called when clock_boot_ms() is
 * `deadline_ms`, with a journal that is open and not locked, and what it
 * returns is the exit status. 0 when it waits already; else -errno.
 */
int timer_start(const struct journal *j, uint64_t deadline_ms,
		int (*fire)(struct journal *j, uint64_t deadline_ms));

/* Is there a timer? Asks nothing of the lock of the journal. */
bool timer_runs(const struct journal *j);

/* End it, if there is one; never the calling process. */
void timer_end(const struct journal *j);

#endif
