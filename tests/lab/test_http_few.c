/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_http_few.c - many clients, few connections to servers, little memory.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/lab/crowd.h"
#include "tests/lab/web.h"

enum {
	CLIENTS = 1000,
	ADDRESSES = 40,
	WORKERS = 2,
	REUSE_MAX = 4,
	IDLE = 2000,
	IDLE_BYTES = 1500, /* of each idle connection, at most */
	WARM = 64,
	SOME = 120000,
};

static void
allow_many(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* From one of the addresses, and it has asked once. */
static int
come(struct lab *lab, size_t i, struct web_who *ret_who)
{
	char from[ADDR_TEXT_LEN];
	int fd;

	fd = web_open(lab, web_address(AF_INET, i % ADDRESSES, from),
		      LAB_SERVER4 ":80");
	web_ask_who(fd, "", ret_who);
	return fd;
}

static size_t
to_server(struct lab *lab)
{
	return lab_sockets(lab, LAB_SERVER, "state established sport = :80");
}

/* Each asks in its turn, and again, and stays. */
static void
in_turn(void)
{
	struct web_who who = {.port = 0};
	unsigned int low = 0, high = 0;
	int fds[CLIENTS];
	struct lab *lab;
	size_t i;
	pid_t pid;

	allow_many();
	lab = web_begin("\tworkers 2\n", "\tsource gateway\n\treuse-max 4\n",
			"", &pid);
	web_crowd(lab, ADDRESSES);
	for (i = 0; i < CLIENTS; i++) {
		fds[i] = come(lab, i, &who);
		low = i ? low : who.serial;
		high = who.serial > high ? who.serial : high;
	}
	UNIT_CHECK(high - low < WORKERS * REUSE_MAX,
		   "%u connections to the server", high - low + 1);
	for (i = 0; i < CLIENTS; i++)
		web_ask_who(fds[i], "", &who);
	UNIT_CHECK(who.serial - low < WORKERS * REUSE_MAX &&
			   to_server(lab) <= WORKERS * REUSE_MAX,
		   "%zu connections to the server", to_server(lab));
	for (i = 0; i < CLIENTS; i++)
		close(fds[i]);
	lab_end(lab, pid);
}

/* More at once than are kept: the others are closed when they are done. */
static void
at_once(void)
{
	struct str body = {0};
	struct lab *lab;
	int fds[WARM];
	size_t i;
	pid_t pid;

	lab = web_begin("\tworkers 1\n", "\tsource gateway\n\treuse-max 4\n",
			"", &pid);
	lab_www(lab, "some", SOME); /* for 200 ms */
	for (i = 0; i < WARM; i++) {
		fds[i] = web_open(lab, NULL, LAB_SERVER4 ":80");
		web_get(fds[i], "/slow/some", "");
	}
	CU_ASSERT(LAB_WAIT(to_server(lab) == WARM, 1000));
	for (i = 0; i < WARM; i++) {
		str_clear(&body);
		CU_ASSERT_EQUAL(web_answer(fds[i], &body, NULL), 200);
		CU_ASSERT_EQUAL(body.len, SOME);
	}
	UNIT_CHECK(LAB_WAIT(to_server(lab) == REUSE_MAX, 1000),
		   "%zu connections to the server", to_server(lab));
	for (i = 0; i < WARM; i++)
		close(fds[i]);
	str_fini(&body);
	lab_end(lab, pid);
}

static size_t
memory(pid_t master)
{
	pid_t workers[CROWD_MAX];
	size_t i, n, kb = 0;

	n = crowd_workers(master, workers);
	for (i = 0; i < n; i++)
		kb += crowd_memory(workers[i]);
	return kb;
}

/* In user space; the kernel's sockets are another matter. */
static void
idle_memory(void)
{
	struct web_who who;
	size_t i, before, each;
	int fds[IDLE];
	struct lab *lab;
	pid_t pid;

	allow_many();
	lab = web_begin("\tworkers 1\n", "\tsource gateway\n", "", &pid);
	web_crowd(lab, ADDRESSES);
	for (i = 0; i < WARM; i++)
		fds[i] = come(lab, i, &who);
	before = memory(pid);
	for (; i < IDLE; i++)
		fds[i] = come(lab, i, &who);
	each = (memory(pid) - before) * 1024 / (IDLE - WARM);
	printf("an idle kept connection: %zu bytes\n", each);
	UNIT_CHECK(each < IDLE_BYTES, "%zu bytes", each);
	for (i = 0; i < IDLE; i++)
		close(fds[i]);
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"in_turn", in_turn},
	{"at_once", at_once},
	{"idle_memory", idle_memory},
};

LAB_MAIN("http_few", tests)
