/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_places_order.c - two actors take one name, a third moves other names
 * about in its places, and after each atomic operation any of them may go on:
 * thousands of orders, chosen at random. Real processes meet so seldom in so
 * few instructions that no hammering would show what one order in a million
 * does; here each is as likely as the next.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

static void step(void);

/* places.c is compiled here once more, with a step before each operation */
#undef atomic_load
#undef atomic_store
#undef atomic_exchange
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_weak
#define atomic_load(p) (step(), atomic_load_explicit(p, memory_order_seq_cst))
#define atomic_store(p, v)                                                     \
	(step(), atomic_store_explicit(p, v, memory_order_seq_cst))
#define atomic_exchange(p, v)                                                  \
	(step(), atomic_exchange_explicit(p, v, memory_order_seq_cst))
#define atomic_compare_exchange_strong(p, e, v)                                \
	(step(), atomic_compare_exchange_strong_explicit(                      \
			 p, e, v, memory_order_seq_cst, memory_order_seq_cst))
#define atomic_compare_exchange_weak(p, e, v)                                  \
	atomic_compare_exchange_strong(p, e, v)

#include "proxyd/pool/places.c"
#include "tests/unit.h"

enum {
	ACTORS = 3,
	ORDERS = 1500,
	STACK = 256 * 1024,
	ROOM = 16,
	SLOTS = 4,
	/* even, so that all of them try the same row first */
	NAME = 2,
	FILLER = 100,
	OTHER = 1000,
};

/* One order. */
struct stage {
	ucontext_t director;
	struct actor *actors[ACTORS];
	struct places *ps;
	enum places_kind kind;
	unsigned int order;
	unsigned int passed; /* who got the name */
	unsigned int lost;   /* who saw that it was taken */
};

/* Begins the memory of its own stack, by which it is found. */
struct actor {
	ucontext_t context;
	struct stage *stage; /* borrows */
	void (*play)(struct stage *stage, uint32_t slot);
	uint32_t slot;
	bool over;
};

static struct actor *
current(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return (struct actor *)(here & ~(uintptr_t)(STACK - 1));
}

static void
step(void)
{
	struct actor *a = current();

	/* cppcheck-suppress swapcontextCalled; threads would be as slow as
	 * processes */
	swapcontext(&a->context, &a->stage->director);
}

/* --- what they do ----------------------------------------------------------
 */

static struct places_key
key_of(const struct stage *stage, uint64_t name, uint32_t slot)
{
	return (struct places_key){
		.kind = stage->kind,
		.room = PLACES_CLIENTS,
		.name = name,
		.slot = slot,
		.now_ns = 1000,
	};
}

/* Take the name if nobody has it: 0, -EBUSY or -ENOSPC. */
static int
take(struct stage *stage, const struct places_key *key, uint32_t *ret_at)
{
	/* in use: of a count 1, of a time one to come */
	uint64_t word, busy = stage->kind == PLACES_COUNT ? 1 : 5000;
	int r = -EAGAIN;

	while (r == -EAGAIN) {
		if (places_find(stage->ps, key, ret_at, &word) < 0)
			r = places_enter(stage->ps, key, busy, ret_at);
		else if (!is_idle(key, word))
			r = -EBUSY;
		else if (places_change(stage->ps, key, *ret_at, word, busy))
			r = 0;
	}
	places_done(stage->ps, key->slot);
	return r;
}

static void
rival(struct stage *stage, uint32_t slot)
{
	struct places_key key = key_of(stage, NAME, slot);
	uint32_t at;
	int r = take(stage, &key, &at);

	stage->passed += r == 0;
	stage->lost += r == -EBUSY;
}

/* Take it for a moment. */
static void
touch(struct stage *stage, uint64_t name, uint32_t slot)
{
	struct places_key key = key_of(stage, name, slot);
	uint32_t at;

	if (take(stage, &key, &at) == 0 && stage->kind == PLACES_COUNT)
		places_take_off(stage->ps, at, 1);
}

/* Other names come and go: places are idle now, and then not. */
static void
mover(struct stage *stage, uint32_t slot)
{
	uint32_t i;

	for (i = 0; i < 3; i++)
		touch(stage, OTHER + 2 * i, slot);
}

/* Some places are taken before; the name may stand there, idle. */
static void
prepare(struct stage *stage, uint32_t slot)
{
	struct places_key key;
	uint32_t at, i;

	for (i = 0; i < stage->order % 7; i++) {
		key = key_of(stage, FILLER + 2 * i, slot);
		CU_ASSERT_EQUAL(take(stage, &key, &at), 0);
	}
	if (stage->order % 3 == 0 && stage->kind == PLACES_COUNT)
		touch(stage, NAME, slot);
}

/* --- the director -----------------------------------------------------------
 */

static void
act(void)
{
	struct actor *a = current();

	a->play(a->stage, a->slot);
	a->over = true;
}

static void
enter_stage(struct stage *stage, uint32_t slot,
	    void (*play)(struct stage *stage, uint32_t slot))
{
	struct actor *a = stage->actors[slot];

	memset(a, 0, sizeof(*a));
	/* cppcheck-suppress getcontextCalled; see step() */
	getcontext(&a->context);
	a->stage = stage;
	a->play = play;
	a->slot = slot;
	a->context.uc_stack.ss_sp = a + 1;
	a->context.uc_stack.ss_size = STACK - sizeof(*a);
	a->context.uc_link = &stage->director;
	/* cppcheck-suppress makecontextCalled; see step() */
	makecontext(&a->context, act, 0);
}

/* Let somebody go on who is not done, until all are. */
static void
direct(struct stage *stage, uint32_t n)
{
	unsigned int seed = stage->order;
	uint32_t i, who;

	do {
		who = (uint32_t)rand_r(&seed) % n;
		for (i = 0; i < n && stage->actors[who]->over; i++)
			who = (who + 1) % n;
		if (i == n)
			return;
		/* cppcheck-suppress swapcontextCalled; see step() */
		swapcontext(&stage->director, &stage->actors[who]->context);
	} while (true);
}

/* How often does the name stand there? Once, and it is in use. */
static void
check_table(const struct stage *stage)
{
	struct places_key key = key_of(stage, NAME, 0);
	unsigned int n = 0, used = 0;
	struct place *p;
	uint32_t i;

	for (i = 0; i < stage->ps->n; i++) {
		p = &stage->ps->kinds[stage->kind][i];
		if (p->word & CLAIMED)
			UNIT_CHECK(false, "order %u: claim left", stage->order);
		n += p->name == NAME;
		used += p->name == NAME && !is_idle(&key, p->word);
	}
	UNIT_CHECK(n == 1 && used == 1, "order %u: %u times, %u in use",
		   stage->order, n, used);
}

static void
play(struct stage *stage)
{
	stage->ps = places_new(ROOM, SLOTS);
	CU_ASSERT_PTR_NOT_NULL_FATAL(stage->ps);
	stage->passed = stage->lost = 0;
	enter_stage(stage, 0, prepare);
	direct(stage, 1);
	enter_stage(stage, 0, rival);
	enter_stage(stage, 1, rival);
	enter_stage(stage, 2, mover);
	direct(stage, ACTORS);
	UNIT_CHECK(stage->passed == 1 && stage->lost == 1,
		   "order %u: %u have it, %u not", stage->order, stage->passed,
		   stage->lost);
	check_table(stage);
	places_free(stage->ps);
}

static void
play_all(enum places_kind kind)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	int i;

	CU_ASSERT_PTR_NOT_NULL_FATAL(stage);
	stage->kind = kind;
	for (i = 0; i < ACTORS; i++) {
		stage->actors[i] = aligned_alloc(STACK, STACK);
		CU_ASSERT_PTR_NOT_NULL_FATAL(stage->actors[i]);
	}
	for (stage->order = 0; stage->order < ORDERS; stage->order++)
		play(stage);
	for (i = 0; i < ACTORS; i++)
		free(stage->actors[i]);
	free(stage);
}

static void
test_count(void)
{
	play_all(PLACES_COUNT);
}

static void
test_time(void)
{
	play_all(PLACES_TIME);
}

static const struct unit_test tests[] = {
	{"count", test_count},
	{"time", test_time},
};

UNIT_MAIN("places_order", tests)
