/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timer.c - the wheels of timer.h.
 *
 * What is true between calls: a timer on level L differs from now_ms in bits
 * 6L..6L+5 and in none above, and is later; so the lowest used level holds
 * the next one, in its next used slot. The wheels span 2^60 ms: all of time.
 * No used slot begins before next_ms; that one may have been emptied since.
 */
#include "proxyd/base/timer.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

enum {
	SLOT_BITS = 6,
	SLOT_MASK = TIMER_SLOTS - 1,
};

#define TIME_END ((UINT64_C(1) << (SLOT_BITS * TIMER_LEVELS)) - 1)

void
timers_init(struct timers *ts, uint64_t now_ms)
{
	memset(ts, 0, sizeof(*ts));
	ts->now_ms = now_ms;
	ts->next_ms = UINT64_MAX;
}

void
timer_init(struct timer *t, void (*fire)(void *owner), void *owner)
{
	memset(t, 0, sizeof(*t));
	t->fire = fire;
	t->owner = owner;
}

static void
place(struct timers *ts, struct timer *t)
{
	uint64_t differs = t->due_ms ^ ts->now_ms, begins;
	unsigned int level = 0;

	if (differs)
		level = (63 - (unsigned int)__builtin_clzll(differs)) /
			SLOT_BITS;
	begins = t->due_ms >> (SLOT_BITS * level);
	t->level = (uint8_t)level;
	t->slot = (uint8_t)(begins & SLOT_MASK);
	begins <<= SLOT_BITS * level;
	if (begins < ts->next_ms)
		ts->next_ms = begins;
	LIST_INSERT_HEAD(&ts->slots[level][t->slot], t, link);
	ts->used[level] |= UINT64_C(1) << t->slot;
	ts->levels |= 1U << level;
	t->set = true;
}

static void
take(struct timers *ts, struct timer *t)
{
	LIST_REMOVE(t, link);
	if (LIST_EMPTY(&ts->slots[t->level][t->slot]))
		ts->used[t->level] &= ~(UINT64_C(1) << t->slot);
	if (!ts->used[t->level])
		ts->levels &= ~(1U << t->level);
	if (!ts->levels)
		ts->next_ms = UINT64_MAX;
	t->set = false;
}

void
timer_set(struct timers *ts, struct timer *t, uint64_t due_ms)
{
	assert(t->fire);
	if (t->set)
		take(ts, t);
	t->due_ms = due_ms > ts->now_ms ? due_ms : ts->now_ms + 1;
	if (t->due_ms > TIME_END)
		t->due_ms = TIME_END;
	place(ts, t);
}

void
timer_clear(struct timers *ts, struct timer *t)
{
	if (t->set)
		take(ts, t);
}

/* The next slot in use and the time at which it begins. */
static bool
next_slot(const struct timers *ts, unsigned int *ret_level,
	  unsigned int *ret_slot, uint64_t *ret_ms)
{
	unsigned int level, shift;

	if (!ts->levels)
		return false;
	level = (unsigned int)__builtin_ctz(ts->levels);
	shift = SLOT_BITS * level;
	*ret_level = level;
	*ret_slot = (unsigned int)__builtin_ctzll(ts->used[level]);
	*ret_ms = (ts->now_ms >> (shift + SLOT_BITS) << (shift + SLOT_BITS)) |
		  ((uint64_t)*ret_slot << shift);
	return true;
}

static void
empty_slot(struct timers *ts, struct timer_list *slot)
{
	struct timer *t;

	while ((t = LIST_FIRST(slot))) {
		take(ts, t);
		if (t->due_ms > ts->now_ms)
			place(ts, t);
		else
			t->fire(t->owner);
	}
}

/* Empty what begins until then, and find what is next. */
static __attribute__((noinline)) void
run(struct timers *ts, uint64_t now_ms)
{
	unsigned int level, slot;
	uint64_t ms;
	bool any;

	while ((any = next_slot(ts, &level, &slot, &ms)) && ms <= now_ms) {
		ts->now_ms = ms;
		empty_slot(ts, &ts->slots[level][slot]);
	}
	ts->next_ms = any ? ms : UINT64_MAX;
}

void
timers_run(struct timers *ts, uint64_t now_ms)
{
	if (now_ms >= ts->next_ms)
		run(ts, now_ms);
	if (now_ms > ts->now_ms)
		ts->now_ms = now_ms;
}

int
timers_wait_ms(const struct timers *ts)
{
	if (ts->next_ms == UINT64_MAX)
		return -1;
	if (ts->next_ms <= ts->now_ms)
		return 0;
	return ts->next_ms - ts->now_ms > INT_MAX
		       ? INT_MAX
		       : (int)(ts->next_ms - ts->now_ms);
}
