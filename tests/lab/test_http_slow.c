/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_http_slow.c - 300 connections whose client is as slow as it can be.
 *
 * slowhttptest(1) sends heads and bodies by a few bytes a second, and reads
 * as slowly. Everybody else is served meanwhile as if there were none of them;
 * who is too slow is cut, on time; and what they take of memory is bounded.
 */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/crowd.h"
#include "tests/lab/web.h"

enum {
	SLOW = 300,
	SOON_MS = 1000, /* everybody else is served within */
	LATE_MS = 6000, /* they are cut within, having come soon */
	PAGE = 4 << 20,
};

#define GATEWAY                                                                \
	"\tworkers 1\n\ttimeout head 2500ms\n\ttimeout body 3s\n"              \
	"\ttimeout idle 5s\n"

struct kind {
	const char *options; /* of slowhttptest */
	const char *close;   /* how their requests end; NULL: as they like */
	size_t each;	     /* bytes of memory that one of them may take */
};

static size_t
slow_ones(struct lab *lab)
{
	return lab_sockets(lab, LAB_CLIENT, "state established dport = :80");
}

/* Is somebody else served, soon? */
static void
check_other(struct lab *lab)
{
	uint64_t began = clock_now_ms();
	struct web_who who;
	int fd;

	fd = web_open(lab, NULL, LAB_SERVER4 ":80");
	web_ask_who(fd, "", &who);
	close(fd);
	UNIT_CHECK(clock_now_ms() - began < SOON_MS, "it took %u ms",
		   (unsigned int)(clock_now_ms() - began));
}

static pid_t
worker_of(pid_t master)
{
	pid_t worker;

	if (lab_children(master, "worker", &worker, 1) != 1)
		lab_die("proxyd has no worker");
	return worker;
}

static void
check_kind(const struct kind *k)
{
	size_t memory, most, now;
	struct lab *lab;
	uint64_t end_ms;
	pid_t pid, slow;

	lab = web_begin(GATEWAY, "\tsource client\n", "", &pid);
	lab_www(lab, "page", PAGE);
	check_other(lab);
	memory = most = crowd_memory(worker_of(pid));
	slow = lab_spawn(lab, LAB_CLIENT, "slow",
			 "slowhttptest -c %d -r 400 -l 30 %s", SLOW,
			 k->options);
	CU_ASSERT(LAB_WAIT(slow_ones(lab) > SLOW * 2 / 3, LATE_MS));
	end_ms = clock_now_ms() + (k->close ? LATE_MS : LATE_MS / 3);
	while (clock_now_ms() < end_ms && slow_ones(lab) > SLOW / 20) {
		check_other(lab);
		now = crowd_memory(worker_of(pid));
		most = now > most ? now : most;
		lab_sleep(50);
	}
	UNIT_CHECK((most - memory) * 1024 < SLOW * k->each,
		   "%zu kB before, %zu kB with them", memory, most);
	if (k->close) {
		UNIT_CHECK(slow_ones(lab) <= SLOW / 20, "%zu are left",
			   slow_ones(lab));
		UNIT_CHECK(lab_log_count("proxyd", k->close) >= SLOW * 9 / 10,
			   "%zu with %s", lab_log_count("proxyd", k->close),
			   k->close);
	}
	lab_stop(lab, slow, SIGKILL, 2000);
	CU_ASSERT(LAB_WAIT(slow_ones(lab) == 0, LATE_MS));
	check_other(lab);
	lab_end(lab, pid);
}

static void
heads(void)
{
	static const struct kind k = {
		.options = "-H -i 1 -x 20 -u http://" LAB_SERVER4 "/who",
		.close = " close=head-timeout",
		.each = 24 * 1024,
	};

	check_kind(&k);
}

static void
bodies(void)
{
	static const struct kind k = {
		.options = "-B -t PUT -i 1 -x 20 -s 8192 -u http://" LAB_SERVER4
			   "/put",
		.close = " close=body-timeout",
		.each = 24 * 1024,
	};

	check_kind(&k);
}

/* As fast as they take it: nobody says that they have to be faster. */
static void
readers(void)
{
	static const struct kind k = {
		.options = "-X -w 512 -y 1024 -n 1 -z 32 -u http://" LAB_SERVER4
			   "/page",
		.each = 80 * 1024,
	};

	check_kind(&k);
}

static const struct unit_test tests[] = {
	{"heads", heads},
	{"bodies", bodies},
	{"readers", readers},
};

LAB_MAIN("http_slow", tests)
