/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_tryout.c - programs that would start, and some that would not. */
#include "proxyd/tryout.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"

#include "tests/unit.h"

/* A shell script; returns its path. */
static const char *
script(char path[64], const char *text)
{
	FILE *f;
	int fd;

	snprintf(path, 64, "/tmp/interpose-tryout-XXXXXX");
	fd = mkstemp(path);
	CU_ASSERT_FATAL(fd >= 0);
	f = fdopen(fd, "w");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fprintf(f, "#!/bin/sh\n%s\n", text);
	fchmod(fd, 0700);
	fclose(f);
	return path;
}

/* Try it to its end: is it good? What it said is in t->said. */
static bool
try_to_end(struct tryout *t, const char *text)
{
	char name[] = "proxyd", option[] = "-f", value[] = "/a policy";
	char *argv[] = {name, option, value, NULL}, path[64];
	uint64_t end = clock_now_ms() + 10000;
	bool good = false;
	struct loop loop;

	CU_ASSERT_EQUAL_FATAL(loop_init(&loop), 0);
	script(path, text);
	CU_ASSERT_EQUAL(tryout_start(t, &loop, path, argv), 0);
	CU_ASSERT_EQUAL(tryout_start(t, &loop, path, argv), -EBUSY);
	while (!tryout_ended(t, &good) && clock_now_ms() < end) {
		/* so that a turn ends also where it only ends */
		usleep(1000);
		loop_again(&loop, &t->source);
		CU_ASSERT_EQUAL(loop_turn(&loop), 0);
	}
	CU_ASSERT(clock_now_ms() < end);
	unlink(path);
	loop_fini(&loop);
	return good;
}

static void
test_good(void)
{
	struct tryout t = {0};

	CU_ASSERT(try_to_end(&t, "echo \"$# $1 $2 $3\"; echo oh >&2"));
	UNIT_STRINGS(str_text(&t.said), "3 -n -f /a policy\noh\n");
	/* what the last one said is forgotten */
	CU_ASSERT(try_to_end(&t, "exit 0"));
	UNIT_STRINGS(str_text(&t.said), "");
	tryout_fini(&t);
}

static void
test_bad(void)
{
	struct tryout t = {0};

	CU_ASSERT(!try_to_end(&t, "echo policy.conf:1: no; exit 65"));
	UNIT_STRINGS(str_text(&t.said), "policy.conf:1: no\n");
	CU_ASSERT(!try_to_end(&t, "kill -SEGV $$"));
	/* more than is kept, and more than fits into a pipe */
	CU_ASSERT(!try_to_end(&t, "head -c 300000 /dev/zero; exit 1"));
	CU_ASSERT_EQUAL(t.said.len, TRYOUT_SAID_MAX);
	tryout_fini(&t);
}

static void
test_not_started(void)
{
	char name[] = "proxyd", *argv[] = {name, NULL}, path[64];
	struct tryout t = {0};
	struct loop loop;
	pid_t pid;

	CU_ASSERT_EQUAL_FATAL(loop_init(&loop), 0);
	CU_ASSERT_EQUAL(tryout_start(&t, &loop, "/nowhere", argv), -ENOENT);
	CU_ASSERT_EQUAL(tryout_start(&t, &loop, "/etc/passwd", argv), -EACCES);
	CU_ASSERT_EQUAL(t.pid, 0);
	/* one that does not end is killed with us */
	script(path, "exec sleep 1000");
	CU_ASSERT_EQUAL(tryout_start(&t, &loop, path, argv), 0);
	pid = t.pid;
	tryout_fini(&t);
	CU_ASSERT(kill(pid, 0) < 0 && errno == ESRCH);
	unlink(path);
	tryout_fini(&t);
	loop_fini(&loop);
}

static const struct unit_test tests[] = {
	{"good", test_good},
	{"bad", test_bad},
	{"not_started", test_not_started},
};

UNIT_MAIN("tryout", tests)
