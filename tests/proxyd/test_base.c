/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_base.c - the small ones: shm, limiter, child. */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"

#include "proxyd/base/limiter.h"
#include "proxyd/base/shm.h"
#include "proxyd/base/talk.h"
#include "proxyd/child.h"

#include "tests/unit.h"

/*
 * What a process counted stays when it is gone, its states do not, and the
 * next one begins with an empty slot.
 */
static void
test_shm(void)
{
	struct shm *shm = shm_new(3);
	struct shm_worker *w[4];
	int status;
	pid_t pid;

	CU_ASSERT_PTR_NOT_NULL_FATAL(shm);
	CU_ASSERT_EQUAL(shm_vacant(shm), 3);
	w[0] = shm_take(shm, 7, 0);
	w[1] = shm_take(shm, 7, 1);
	CU_ASSERT(w[0] && w[1] && w[0] != w[1]);
	CU_ASSERT_EQUAL((uintptr_t)w[1] % 64, 0);
	CU_ASSERT_EQUAL(shm_ended(&w[1]->counts), 0);
	pid = fork();
	if (pid == 0) {
		shm_count(&w[1]->counts.ended[REASON_REFUSED]);
		shm_count(&w[1]->counts.ended[REASON_REFUSED]);
		shm_count(&w[1]->counts.ended[REASON_LOOP]);
		atomic_store(&w[1]->flows, 5);
		atomic_store(&w[1]->tick_ms, 1);
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	CU_ASSERT_EQUAL(w[1]->counts.ended[REASON_REFUSED], 2);
	CU_ASSERT_EQUAL(shm_ended(&w[1]->counts), 3);
	shm_give(shm, w[1]);
	CU_ASSERT_EQUAL(shm->past.ended[REASON_REFUSED], 2);
	CU_ASSERT_EQUAL(shm_ended(&shm->past), 3);
	w[2] = shm_take(shm, 8, 0);
	CU_ASSERT_PTR_EQUAL(w[2], w[1]);
	CU_ASSERT(w[2]->flows == 0 && w[2]->tick_ms == 0);
	CU_ASSERT_EQUAL(shm_ended(&w[2]->counts), 0);
	CU_ASSERT_EQUAL(w[2]->generation, 8);
	shm_count(&w[2]->counts.ended[REASON_REFUSED]);
	shm_give(shm, w[2]);
	CU_ASSERT_EQUAL(shm->past.ended[REASON_REFUSED], 3);
	/* there are only so many */
	CU_ASSERT_EQUAL(shm_vacant(shm), 2);
	w[2] = shm_take(shm, 8, 0);
	w[3] = shm_take(shm, 8, 1);
	CU_ASSERT(w[2] && w[3]);
	CU_ASSERT_EQUAL(shm_vacant(shm), 0);
	CU_ASSERT_PTR_NULL(shm_take(shm, 8, 2));
	shm_free(shm);
	shm_free(NULL);
}

static void
test_limiter(void)
{
	struct limiter l = {0};
	uint64_t held = 99;
	int i;

	CU_ASSERT(limiter_pass(&l, 1000, &held));
	CU_ASSERT_EQUAL(held, 0);
	for (i = 0; i < 7; i++)
		CU_ASSERT(!limiter_pass(&l, 1001, &held));
	CU_ASSERT(limiter_pass(&l, 1000 + LIMITER_MS, &held));
	CU_ASSERT_EQUAL(held, 7);
}

/* A child that says `order` back by its status, 0 at the end of the talk. */
static pid_t
start_echo(struct child *c, uint64_t now_ms)
{
	struct pollfd talk = {.events = POLLIN};
	char order = 0;
	pid_t pid;

	pid = child_start(c, now_ms, &talk.fd);
	if (pid == 0) {
		poll(&talk, 1, -1);
		_exit(talk_receive(talk.fd, &order, 1, NULL) < 0 ? 1 : order);
	}
	return pid;
}

static int
wait_ended(struct child *c, uint64_t now_ms)
{
	int status = -1, i;

	for (i = 0; i < 5000 && !child_ended(c, now_ms, &status); i++)
		poll(NULL, 0, 1);
	return status;
}

/* Orders arrive, the end of the talk too, and who dies young waits longer. */
static void
test_child(void)
{
	struct child c;
	int status;

	child_init(&c, "echo");
	CU_ASSERT(!child_ended(&c, 0, &status));
	CU_ASSERT(start_echo(&c, 0) > 0);
	child_tell(&c, "x", 1, NULL, 0);
	status = wait_ended(&c, 10000);
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 'x');
	CU_ASSERT_EQUAL(c.retry_ms, 10000);
	CU_ASSERT(start_echo(&c, 10000) > 0);
	child_let_go(&c);
	status = wait_ended(&c, 10001);
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CU_ASSERT_EQUAL(c.retry_ms, 10101);
	CU_ASSERT(start_echo(&c, 10101) > 0);
	child_kill(&c);
	status = wait_ended(&c, 10102);
	CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CU_ASSERT(c.killed);
	CU_ASSERT_EQUAL(c.retry_ms, 10302);
	/* nobody is there: nothing happens */
	child_tell(&c, "x", 1, NULL, 0);
	child_kill(&c);
}

/* It does not read what it is told: better none than one that is wrong. */
static void
test_deaf(void)
{
	struct child c;
	int i, status;
	pid_t pid;

	child_init(&c, "deaf");
	pid = child_start(&c, 0, &status);
	if (pid == 0)
		for (;;)
			poll(NULL, 0, -1);
	CU_ASSERT_FATAL(pid > 0);
	for (i = 0; i < 10000 && !c.killed; i++)
		child_tell(&c, "x", 1, NULL, 0);
	CU_ASSERT(c.killed);
	status = wait_ended(&c, 1);
	CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static const struct unit_test tests[] = {
	{"shm", test_shm},
	{"limiter", test_limiter},
	{"child", test_child},
	{"deaf", test_deaf},
};

UNIT_MAIN("base", tests)
