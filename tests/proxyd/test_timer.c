/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_timer.c - the wheels, with a clock that the test turns. */
#include <stdlib.h>
#include <string.h>

#include "proxyd/base/timer.h"

#include "tests/unit.h"

enum { MANY = 2000 };

struct bell {
	struct timers *timers;
	struct timer timer;
	uint64_t due_ms;
	uint64_t rang_ms; /* 0: not yet */
	unsigned int times;
	uint64_t again_ms;     /* set itself again after this long; 0: not */
	struct bell *silences; /* clears this one when it rings */
};

static void
ring(void *owner)
{
	struct bell *b = owner;

	b->rang_ms = b->timers->now_ms;
	b->times++;
	if (b->again_ms)
		timer_set(b->timers, &b->timer, b->rang_ms + b->again_ms);
	if (b->silences)
		timer_clear(b->timers, &b->silences->timer);
}

static void
bell_init(struct bell *b, struct timers *ts, uint64_t due_ms)
{
	memset(b, 0, sizeof(*b));
	b->timers = ts;
	b->due_ms = due_ms;
	timer_init(&b->timer, ring, b);
	timer_set(ts, &b->timer, due_ms);
}

/* Go on as a loop does: never sleep longer than the wheels say. */
static void
walk(struct timers *ts, uint64_t until_ms)
{
	uint64_t now_ms = ts->now_ms;
	int wait_ms;

	while (now_ms < until_ms) {
		wait_ms = timers_wait_ms(ts);
		if (wait_ms < 0 || now_ms + (uint64_t)wait_ms > until_ms)
			wait_ms = (int)(until_ms - now_ms);
		now_ms += (uint64_t)(wait_ms ? wait_ms : 1);
		timers_run(ts, now_ms);
	}
}

/* Each at its millisecond, from every level, whatever now is. */
static void
test_exact(void)
{
	static const uint64_t starts[] = {0,	1,	63,	  64,
					  4095, 262143, 987654321};
	static const uint64_t delays[] = {1,	2,     63,     64,     65,
					  4095, 4096,  4097,   262143, 262144,
					  1000, 10000, 3600000};
	size_t i, k, n = sizeof(delays) / sizeof(delays[0]);
	struct bell bells[13];
	struct timers ts;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		timers_init(&ts, starts[i]);
		CU_ASSERT_EQUAL(timers_wait_ms(&ts), -1);
		for (k = 0; k < n; k++)
			bell_init(&bells[k], &ts, starts[i] + delays[k]);
		walk(&ts, starts[i] + 3600001);
		for (k = 0; k < n; k++)
			UNIT_CHECK(bells[k].times == 1 &&
					   bells[k].rang_ms == bells[k].due_ms,
				   "from %llu after %llu: rang at %llu",
				   (unsigned long long)starts[i],
				   (unsigned long long)delays[k],
				   (unsigned long long)bells[k].rang_ms);
		CU_ASSERT_EQUAL(timers_wait_ms(&ts), -1);
	}
}

/* Thousands at random, some moved, some cleared, by big and small steps. */
static void
test_many(void)
{
	struct bell *bells = calloc(MANY, sizeof(*bells));
	unsigned int seed = 7, i, wrong = 0;
	struct timers ts;

	timers_init(&ts, 123456);
	for (i = 0; i < MANY; i++)
		bell_init(&bells[i], &ts,
			  ts.now_ms + 1 + (unsigned int)rand_r(&seed) % 100000);
	for (i = 0; i < MANY; i += 3) {
		bells[i].due_ms += 777;
		timer_set(&ts, &bells[i].timer, bells[i].due_ms);
	}
	for (i = 0; i < MANY; i += 5)
		timer_clear(&ts, &bells[i].timer);
	while (ts.now_ms < 123456 + 102000)
		timers_run(&ts,
			   ts.now_ms + 1 + (unsigned int)rand_r(&seed) % 500);
	for (i = 0; i < MANY; i++)
		wrong += i % 5 ? bells[i].rang_ms != bells[i].due_ms
			       : bells[i].times != 0;
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(timers_wait_ms(&ts), -1);
	free(bells);
}

/* What is already due rings in the next millisecond, once. */
static void
test_past(void)
{
	struct timers ts;
	struct bell b;

	timers_init(&ts, 1000);
	bell_init(&b, &ts, 3);
	CU_ASSERT_EQUAL(b.times, 0);
	CU_ASSERT_EQUAL(timers_wait_ms(&ts), 1);
	timers_run(&ts, 1001);
	CU_ASSERT_EQUAL(b.times, 1);
}

/* One that sets itself again does not stop the others, or time. */
static void
test_again(void)
{
	struct bell tick, once;
	struct timers ts;

	timers_init(&ts, 0);
	bell_init(&tick, &ts, 10);
	tick.again_ms = 10;
	bell_init(&once, &ts, 95);
	timers_run(&ts, 100);
	CU_ASSERT_EQUAL(tick.times, 10);
	CU_ASSERT_EQUAL(once.rang_ms, 95);
	timer_clear(&ts, &tick.timer);
	timer_clear(&ts, &tick.timer);
	CU_ASSERT_EQUAL(timers_wait_ms(&ts), -1);
}

/* Ringing clears another that is due in the same millisecond. */
static void
test_silence(void)
{
	struct bell a, b;
	struct timers ts;

	timers_init(&ts, 0);
	bell_init(&a, &ts, 50);
	bell_init(&b, &ts, 50);
	a.silences = &b;
	b.silences = &a;
	timers_run(&ts, 1000);
	CU_ASSERT_EQUAL(a.times + b.times, 1);
}

static const struct unit_test tests[] = {
	{"exact", test_exact}, {"many", test_many},	  {"past", test_past},
	{"again", test_again}, {"silence", test_silence},
};

UNIT_MAIN("timer", tests)
