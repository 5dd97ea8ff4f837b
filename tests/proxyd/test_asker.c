/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_asker.c - questions to a tracker that the test plays itself. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxyd/net/asker.h"

#include "tests/unit.h"

enum { MANY = 3000 };

struct bench {
	struct loop loop;
	struct asker asker;
	int mine;
	int tracker;
	unsigned int answers;
	uint64_t last_id;
};

static void
answered(void *owner, const struct tracker_answer *answer)
{
	struct bench *t = owner;

	t->answers++;
	t->last_id = answer->id;
}

static void
bench_init(struct bench *t)
{
	int fds[2];

	memset(t, 0, sizeof(*t));
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	t->mine = fds[0];
	t->tracker = fds[1];
	CU_ASSERT_EQUAL_FATAL(loop_init(&t->loop), 0);
	CU_ASSERT_EQUAL_FATAL(asker_init(&t->asker, &t->loop, t->mine, 7), 0);
}

static void
bench_fini(struct bench *t)
{
	asker_fini(&t->asker);
	loop_fini(&t->loop);
	close(t->mine);
	close(t->tracker);
}

/* Play the tracker: answer all that is there; how many? */
static unsigned int
play(struct bench *t)
{
	struct tracker_answer answer;
	struct tracker_ask ask;
	unsigned int n = 0;

	memset(&answer, 0, sizeof(answer));
	while (recv(t->tracker, &ask, sizeof(ask), 0) == sizeof(ask)) {
		answer.id = ask.id;
		CU_ASSERT(send(t->tracker, &answer, sizeof(answer), 0) > 0);
		n++;
		/* or answers would fill the socket */
		loop_again(&t->loop, &t->asker.source);
		loop_turn(&t->loop);
	}
	return n;
}

static void
test_answer(void)
{
	struct question q = {0};
	struct bench t;

	bench_init(&t);
	asker_ask(&t.asker, &q, answered, &t);
	CU_ASSERT(q.asked);
	CU_ASSERT_EQUAL(play(&t), 1);
	CU_ASSERT_EQUAL(t.answers, 1);
	CU_ASSERT_EQUAL(t.last_id, (uint64_t)7 << 32);
	CU_ASSERT(!q.asked);
	bench_fini(&t);
}

/* Who does not wait any more is not called, nor is a stranger's answer. */
static void
test_drop(void)
{
	struct tracker_answer stray = {.id = 1};
	struct question q = {0};
	struct bench t;

	bench_init(&t);
	asker_ask(&t.asker, &q, answered, &t);
	asker_drop(&t.asker, &q);
	asker_drop(&t.asker, &q);
	CU_ASSERT_EQUAL(play(&t), 1);
	CU_ASSERT(send(t.tracker, &stray, sizeof(stray), 0) > 0);
	CU_ASSERT(send(t.tracker, "short", 5, 0) > 0);
	loop_turn(&t.loop);
	CU_ASSERT_EQUAL(t.answers, 0);
	bench_fini(&t);
}

/* More than the socket holds: the rest waits its turn, in order. */
static void
test_full(void)
{
	struct question *questions = calloc(MANY, sizeof(*questions));
	struct bench t;
	unsigned int i, n = 0;

	bench_init(&t);
	for (i = 0; i < MANY; i++)
		asker_ask(&t.asker, &questions[i], answered, &t);
	CU_ASSERT(questions[MANY - 1].queued);
	/* one of those that wait gives up */
	asker_drop(&t.asker, &questions[MANY - 2]);
	while (n < MANY - 1 && (i = play(&t)))
		n += i;
	CU_ASSERT_EQUAL(n, MANY - 1);
	CU_ASSERT_EQUAL(t.answers, MANY - 1);
	CU_ASSERT_EQUAL((uint32_t)t.last_id, MANY - 1);
	free(questions);
	bench_fini(&t);
}

static const struct unit_test tests[] = {
	{"answer", test_answer},
	{"drop", test_drop},
	{"full", test_full},
};

UNIT_MAIN("asker", tests)
