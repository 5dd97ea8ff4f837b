/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_loop.c - sources that come, go and ask for more. */
#include <string.h>
#include <unistd.h>

#include "proxyd/base/loop.h"

#include "tests/unit.h"

struct tap {
	struct loop *loop;
	struct loop_source source;
	struct tap *closes; /* removes this one when it is called */
	int fds[2];
	unsigned int calls;
	unsigned int again; /* how often to ask for another call */
	uint32_t events;
};

static void
ready(void *owner, uint32_t events)
{
	struct tap *t = owner;

	t->calls++;
	t->events = events;
	if (t->closes)
		loop_forget(t->loop, &t->closes->source);
	if (t->again) {
		t->again--;
		loop_again(t->loop, &t->source);
		loop_again(t->loop, &t->source);
	}
}

static void
tap_open(struct tap *t, struct loop *l, uint32_t events)
{
	memset(t, 0, sizeof(*t));
	t->loop = l;
	CU_ASSERT_EQUAL_FATAL(pipe(t->fds), 0);
	CU_ASSERT_EQUAL_FATAL(
		loop_add(l, &t->source, t->fds[0], events, ready, t), 0);
	CU_ASSERT_EQUAL(write(t->fds[1], "x", 1), 1);
}

static void
tap_close(struct tap *t)
{
	loop_remove(t->loop, &t->source);
	close(t->fds[0]);
	close(t->fds[1]);
}

static void
test_ready(void)
{
	struct loop l;
	struct tap t;

	CU_ASSERT_EQUAL_FATAL(loop_init(&l), 0);
	tap_open(&t, &l, EPOLLIN);
	CU_ASSERT_EQUAL(loop_turn(&l), 0);
	CU_ASSERT_EQUAL(loop_turn(&l), 0);
	CU_ASSERT_EQUAL(t.calls, 2);
	CU_ASSERT_EQUAL(t.events, EPOLLIN);
	CU_ASSERT_EQUAL(loop_change(&l, &t.source, EPOLLIN | EPOLLET), 0);
	CU_ASSERT_EQUAL(loop_turn(&l), 0);
	CU_ASSERT_EQUAL(t.calls, 3);
	tap_close(&t);
	loop_fini(&l);
}

/* Whoever is called first removes the other, whose event is not delivered. */
static void
test_removed(void)
{
	struct tap a, b;
	struct loop l;

	CU_ASSERT_EQUAL_FATAL(loop_init(&l), 0);
	tap_open(&a, &l, EPOLLIN | EPOLLET);
	tap_open(&b, &l, EPOLLIN | EPOLLET);
	a.closes = &b;
	b.closes = &a;
	CU_ASSERT_EQUAL(loop_turn(&l), 0);
	CU_ASSERT_EQUAL(a.calls + b.calls, 1);
	tap_close(&a);
	tap_close(&b);
	loop_fini(&l);
}

/* One call a turn, without waiting, as often as it is asked for. */
static void
test_again(void)
{
	struct loop l;
	struct tap t;
	int i;

	CU_ASSERT_EQUAL_FATAL(loop_init(&l), 0);
	tap_open(&t, &l, EPOLLIN | EPOLLET);
	t.again = 5;
	for (i = 0; i < 6; i++) {
		CU_ASSERT_EQUAL(loop_turn(&l), 0);
		CU_ASSERT_EQUAL(t.calls, (unsigned int)i + 1);
	}
	CU_ASSERT_EQUAL(t.events, 0);
	CU_ASSERT_EQUAL(l.n_again, 0);
	loop_again(&l, &t.source);
	tap_close(&t);
	CU_ASSERT_EQUAL(l.n_again, 0);
	loop_fini(&l);
}

static void
on_timer(void *owner)
{
	*(unsigned int *)owner += 1;
}

static void
test_timer(void)
{
	unsigned int rang = 0;
	struct timer timer;
	uint64_t begin_ms;
	struct loop l;

	CU_ASSERT_EQUAL_FATAL(loop_init(&l), 0);
	begin_ms = l.now_ms;
	timer_init(&timer, on_timer, &rang);
	timer_set(&l.timers, &timer, begin_ms + 30);
	while (!rang)
		CU_ASSERT_EQUAL_FATAL(loop_turn(&l), 0);
	CU_ASSERT(l.now_ms >= begin_ms + 30);
	loop_fini(&l);
}

static const struct unit_test tests[] = {
	{"ready", test_ready},
	{"removed", test_removed},
	{"again", test_again},
	{"timer", test_timer},
};

UNIT_MAIN("loop", tests)
