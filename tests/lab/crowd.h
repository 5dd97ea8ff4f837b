/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crowd.h - a proxyd of several workers, under load, in the lab.
 *
 * What is asked of its processes, and load that notices every failure. Its
 * rules are watched all the time: an alive set without elements, for however
 * short a time, is a gap.
 */
#ifndef TESTS_LAB_CROWD_H
#define TESTS_LAB_CROWD_H

#include "tests/lab/lab.h"

enum { CROWD_MAX = 64 };

/* How many workers does it have? *ret_pids has room for CROWD_MAX. */
size_t crowd_workers(pid_t master, pid_t *ret_pids);

/* Of its own memory, in kB: what no other process has. */
size_t crowd_memory(pid_t pid);

/* Send SIGHUP and wait until the log has another `said`. */
void crowd_hup(pid_t pid, const char *said);

/* The same, and it must reload. */
void crowd_reload(pid_t pid);

/* Is one generation left: tracker and two workers? */
bool crowd_is_one(pid_t pid);

/* Look for gaps in the alive set of a service until crowd_gaps(). */
void crowd_watch(struct lab *lab, const char *service, pid_t *ret_watch);

/* Stop looking; how many gaps there were. It must have looked often. */
size_t crowd_gaps(struct lab *lab, pid_t watch);

/*
 * Requests to nginx on the server until crowd_relax(): one a connection, by
 * both families, and hundreds over a connection that is kept.
 */
struct crowd_load {
	pid_t pids[3];
};

void crowd_press(struct lab *lab, struct crowd_load *ret_load);

/* None failed, and there were many. */
void crowd_relax(struct lab *lab, struct crowd_load *load);

/*
 * Call again(owner, i) three times and then, while requests, kept connections
 * and a slow download go on, `times` times: none fails, the alive set of
 * service `web` is never empty, and nothing is left over. nginx runs.
 */
void crowd_trial(struct lab *lab, pid_t pid, size_t times,
		 void (*again)(void *owner, size_t i), void *owner);

#endif
