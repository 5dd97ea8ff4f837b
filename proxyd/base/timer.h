/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timer.h - many timers, on a wheel of wheels.
 *
 * Setting and clearing cost the same however many there are. Ten wheels of
 * 64 slots: a timer stands on the wheel of the highest group of six bits in
 * which its due time differs from now, and moves down as time comes near.
 * Precision is 1 ms. No system calls: the caller says what time it is.
 */
#ifndef PROXYD_BASE_TIMER_H
#define PROXYD_BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum { TIMER_LEVELS = 10, TIMER_SLOTS = 64 };

/* Zeroed, it is not set. Lives in its owner. */
struct timer {
	LIST_ENTRY(timer) link;
	uint64_t due_ms;
	void (*fire)(void *owner);
	void *owner; /* borrows */
	uint8_t level;
	uint8_t slot;
	bool set;
};

LIST_HEAD(timer_list, timer);

struct timers {
	uint64_t now_ms;
	uint64_t next_ms;	     /* timers_run() has nothing to do before */
	unsigned int levels;	     /* a bit for each level with timers */
	uint64_t used[TIMER_LEVELS]; /* a bit for each slot with timers */
	struct timer_list slots[TIMER_LEVELS][TIMER_SLOTS];
};

void timers_init(struct timers *ts, uint64_t now_ms);

/* Say what to do when it fires; not yet set. */
void timer_init(struct timer *t, void (*fire)(void *owner), void *owner);

/*
 * Fire at `due_ms`, or in the next millisecond if that has passed. A timer
 * that is set moves. Fires once.
 */
void timer_set(struct timers *ts, struct timer *t, uint64_t due_ms);

/* Never mind if it is not set. */
void timer_clear(struct timers *ts, struct timer *t);

/*
 * Time has gone on to `now_ms` (it never goes back): fire what is due, in
 * order. What fires may set and clear any timer.
 */
void timers_run(struct timers *ts, uint64_t now_ms);

/*
 * Milliseconds from timers_run()'s now until timers_run() has work to do;
 * -1 if nothing is set. It may be early, also for a timer that was cleared,
 * never late.
 */
int timers_wait_ms(const struct timers *ts);

#endif
