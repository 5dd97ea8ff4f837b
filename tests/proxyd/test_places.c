/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_places.c - processes that hammer one small table, and are killed in the
 * middle of it. What each holds is also counted in plain shared memory, to
 * judge by.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proxyd/base/pages.h"
#include "proxyd/pool/limit.h"
#include "proxyd/pool/places.h"
#include "tests/unit.h"

enum {
	PROCESSES = 4,
	SLOTS = 8,
	ROOM = 16,	/* rows of two: names push each other about */
	NAMES = 48,	/* three times as many as there are places */
	ALLOWED = 3,	/* of each name, at a time */
	STEPS = 300000, /* of each process */
	HOLDS = 6,	/* of each process, at a time */
	KILLS = 60,
};

/* Beside the table: how many of each name live, by plain counting. */
struct judge {
	_Atomic uint32_t live[NAMES];
	_Atomic uint32_t above; /* seen above what is allowed */
	_Atomic uint32_t passed;
	struct shm_counts counters[SLOTS];
};

static const struct policy_limit allowed = {
	.kind = LIMIT_CONNECTIONS,
	.count = ALLOWED,
	.per_client = true,
};

static const struct policy_service service = {
	.name = "web",
	.limits = &allowed,
	.n_limits = 1,
};

static struct judge *
judge_new(void)
{
	void *p;

	p = mmap(NULL, sizeof(struct judge), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_FATAL(p != MAP_FAILED);
	return p;
}

static struct addr
client_of(uint32_t n)
{
	struct addr a = {.family = AF_INET};

	memcpy(a.bytes, &n, sizeof(n));
	return a;
}

static enum limit_verdict
take(struct limit *l, uint32_t who, struct limit_hold *ret_hold)
{
	struct addr a = client_of(who);

	return limit_take(l, &service, &a, 0, ret_hold);
}

/* Take and give at random, `steps` times; 0: until killed. */
static void
hammer(struct places *ps, struct judge *j, uint32_t slot, unsigned int steps)
{
	struct limit l = {ps, &j->counters[slot], slot};
	struct limit_hold holds[HOLDS] = {0};
	uint32_t who[HOLDS] = {0}, at, i;
	unsigned int seed = slot * 7919 + (unsigned int)getpid();

	for (i = 0; !steps || i < steps; i++) {
		at = (uint32_t)rand_r(&seed) % HOLDS;
		if (holds[at].at[1]) {
			atomic_fetch_sub(&j->live[who[at]], 1);
			limit_give(&l, &holds[at]);
			continue;
		}
		who[at] = (uint32_t)rand_r(&seed) % NAMES;
		if (take(&l, who[at], &holds[at]) != LIMIT_PASS)
			continue;
		atomic_fetch_add(&j->passed, 1);
		if (atomic_fetch_add(&j->live[who[at]], 1) >= ALLOWED)
			atomic_fetch_add(&j->above, 1);
	}
	for (at = 0; at < HOLDS; at++) {
		if (holds[at].at[1])
			atomic_fetch_sub(&j->live[who[at]], 1);
		limit_give(&l, &holds[at]);
	}
}

static pid_t
start(struct places *ps, struct judge *j, uint32_t slot, unsigned int steps)
{
	pid_t pid = fork();

	if (pid == 0) {
		hammer(ps, j, slot, steps);
		_exit(0);
	}
	CU_ASSERT_FATAL(pid > 0);
	return pid;
}

/*
 * Has each name all that it is allowed, and not one more? If nothing was
 * left behind, that is so whoever else stood in its places before.
 */
static void
check_empty(struct places *ps, struct judge *j, uint32_t slot)
{
	struct limit l = {ps, &j->counters[slot], slot};
	struct limit_hold holds[ALLOWED], no;
	uint32_t who, i;

	for (who = 0; who < NAMES; who++) {
		for (i = 0; i < ALLOWED; i++)
			UNIT_CHECK(take(&l, who, &holds[i]) == LIMIT_PASS,
				   "client %u has %u", who, i);
		CU_ASSERT_EQUAL(take(&l, who, &no), LIMIT_REFUSE);
		for (i = 0; i < ALLOWED; i++)
			limit_give(&l, &holds[i]);
	}
}

/* Never above what is allowed, and in the end nothing is held. */
static void
test_hammer(void)
{
	struct places *ps = places_new(ROOM, SLOTS);
	struct judge *j = judge_new();
	pid_t pids[PROCESSES];
	uint32_t i;
	int status;

	CU_ASSERT_PTR_NOT_NULL_FATAL(ps);
	for (i = 0; i < PROCESSES; i++)
		pids[i] = start(ps, j, i, STEPS);
	for (i = 0; i < PROCESSES; i++) {
		CU_ASSERT_EQUAL(waitpid(pids[i], &status, 0), pids[i]);
		CU_ASSERT_EQUAL(status, 0);
	}
	CU_ASSERT_EQUAL(atomic_load(&j->above), 0);
	CU_ASSERT(atomic_load(&j->passed) > STEPS);
	check_empty(ps, j, PROCESSES);
	places_free(ps);
	munmap(j, sizeof(*j));
}

/* The same, while one after the other is killed and settled. */
static void
test_killed(void)
{
	static const struct timespec moment = {.tv_nsec = 3000000};
	struct places *ps = places_new(ROOM, SLOTS);
	struct judge *j = judge_new();
	pid_t pids[PROCESSES];
	uint32_t i, at;
	int status;

	CU_ASSERT_PTR_NOT_NULL_FATAL(ps);
	for (i = 0; i < PROCESSES; i++)
		pids[i] = start(ps, j, i, 0);
	for (i = 0; i < KILLS + PROCESSES; i++) {
		at = i % PROCESSES;
		nanosleep(&moment, NULL);
		CU_ASSERT_EQUAL(kill(pids[at], SIGKILL), 0);
		CU_ASSERT_EQUAL(waitpid(pids[at], &status, 0), pids[at]);
		CU_ASSERT(WIFSIGNALED(status));
		places_settle(ps, at, 1);
		if (i < KILLS)
			pids[at] = start(ps, j, at, 0);
	}
	check_empty(ps, j, PROCESSES);
	places_free(ps);
	munmap(j, sizeof(*j));
}

/* --- each way to die, by hand ------------------------------------------------
 */

static struct places_key
key_of(uint64_t name, uint32_t slot)
{
	return (struct places_key){
		.kind = PLACES_COUNT,
		.room = PLACES_CLIENTS,
		.name = name,
		.slot = slot,
	};
}

static uint32_t
count_of(const struct places *ps, uint64_t name)
{
	struct places_key key = key_of(name, 0);
	uint64_t word;
	uint32_t at;

	return places_find(ps, &key, &at, &word) < 0 ? 0 : places_count(word);
}

/* Counted, but not yet in the share: only the intent tells of it. */
static void
test_counted_only(void)
{
	struct places *ps = places_new(ROOM, SLOTS);
	struct places_key dead = key_of(5, 1), other = key_of(5, 2);
	uint64_t word;
	uint32_t at;

	CU_ASSERT_EQUAL(places_enter(ps, &other, 1, &at), 0);
	atomic_store(places_share(ps, 2, at), 1);
	places_done(ps, 2);
	CU_ASSERT_EQUAL(places_find(ps, &dead, &at, &word), 0);
	places_begin(ps, 1, PLACES_COUNT, at);
	CU_ASSERT(places_change(ps, &dead, at, word, 2));
	CU_ASSERT_EQUAL(count_of(ps, 5), 2);
	places_settle(ps, 1, 1);
	CU_ASSERT_EQUAL(count_of(ps, 5), 1);
	/* and what was read before no longer holds */
	CU_ASSERT_FALSE(places_change(ps, &dead, at, word, 2));
	places_free(ps);
}

/* Given back in the share, but still counted. */
static void
test_share_only(void)
{
	struct places *ps = places_new(ROOM, SLOTS);
	struct places_key key = key_of(5, 1);
	uint32_t at;

	CU_ASSERT_EQUAL(places_enter(ps, &key, 1, &at), 0);
	atomic_store(places_share(ps, 1, at), 1);
	places_begin(ps, 1, PLACES_COUNT, at);
	atomic_store(places_share(ps, 1, at), 0);
	places_settle(ps, 1, 1);
	CU_ASSERT_EQUAL(count_of(ps, 5), 0);
	/* settling a slot twice, or one that never was, changes nothing */
	CU_ASSERT_EQUAL(places_enter(ps, &key, 1, &at), 0);
	atomic_store(places_share(ps, 1, at), 1);
	places_done(ps, 1);
	places_settle(ps, 3, 1);
	CU_ASSERT_EQUAL(count_of(ps, 5), 1);
	places_settle(ps, 1, 1);
	places_settle(ps, 1, 1);
	CU_ASSERT_EQUAL(count_of(ps, 5), 0);
	places_free(ps);
}

/* --- in another program
 * ------------------------------------------------------- */

static void
test_adopt(void)
{
	struct places *ps = places_new(ROOM, SLOTS), *again;
	struct pages other;
	struct places_key key = key_of(5, 1);
	uint64_t seed = places_seed(ps)->word[0];
	uint32_t at;
	int fd;

	CU_ASSERT_EQUAL(places_enter(ps, &key, 7, &at), 0);
	fd = dup(places_fd(ps));
	CU_ASSERT_EQUAL_FATAL(places_adopt(fd, SLOTS, &again), 0);
	places_free(ps);
	CU_ASSERT_EQUAL(count_of(again, 5), 7);
	CU_ASSERT_EQUAL(places_seed(again)->word[0], seed);
	CU_ASSERT_EQUAL(places_room(again), ROOM);
	/* not what this program would have made: the descriptor stays ours */
	CU_ASSERT_EQUAL(places_adopt(fd, SLOTS + 1, &ps), -EPROTOTYPE);
	CU_ASSERT_EQUAL(count_of(again, 5), 7);
	CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	places_free(again);
	CU_ASSERT_EQUAL(pages_new(&other, "other", 64, 1), 0);
	CU_ASSERT_EQUAL(places_adopt(other.fd, SLOTS, &ps), -EPROTOTYPE);
	pages_free(&other);
	CU_ASSERT(places_adopt(-1, SLOTS, &ps) < 0);
}

static const struct unit_test tests[] = {
	{"hammer", test_hammer},
	{"killed", test_killed},
	{"counted_only", test_counted_only},
	{"share_only", test_share_only},
	{"adopt", test_adopt},
};

UNIT_MAIN("places", tests)
