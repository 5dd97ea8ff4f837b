/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_access.c - records on their way to files, pipes and nowhere. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/diag.h"
#include "lib/str.h"

#include "policy/policy.h"

#include "proxyd/ctl/access.h"

#include "tests/unit.h"

struct bench {
	char dir[64];
	char log[96];
	struct policy *policy;
	struct access access;
	struct record record;
};

/* `where` is what the second service logs to. */
static int
bench_init(struct bench *t, const char *where, struct str *why)
{
	struct str text = {0};
	struct diags diags;

	memset(t, 0, sizeof(*t));
	strcpy(t->dir, "/tmp/access.XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(t->dir));
	snprintf(t->log, sizeof(t->log), "%s/log", t->dir);
	str_addf(
		&text,
		"service a { listen tcp 81; log access \"%s\" }\n"
		"service b { listen tcp 82; log access \"%s%s\" format json }\n"
		"service c { listen tcp 83; log access none }\n",
		t->log, t->dir, where);
	diags_init(&diags);
	t->policy = policy_load_text("t.conf", text.data, text.len, &diags);
	CU_ASSERT_PTR_NOT_NULL_FATAL(t->policy);
	diags_fini(&diags);
	str_fini(&text);
	strcpy(t->record.time, "now");
	t->record.service = "x";
	t->record.close = REASON_IDLE_TIMEOUT;
	return access_open(&t->access, t->policy, why);
}

static void
bench_fini(struct bench *t)
{
	char old[128];

	access_close(&t->access);
	policy_free(t->policy);
	unlink(t->log);
	snprintf(old, sizeof(old), "%s.1", t->log);
	unlink(old);
	snprintf(old, sizeof(old), "%s/fifo", t->dir);
	unlink(old);
	rmdir(t->dir);
}

static void
put(struct bench *t, const char *service)
{
	access_write(&t->access, policy_service(t->policy, service),
		     &t->record);
}

static size_t
lines(const char *path, const char *with)
{
	char *line = NULL;
	size_t size = 0, n = 0;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return 0;
	while (getline(&line, &size, f) > 0)
		if (strstr(line, with) == line)
			n++;
	free(line);
	fclose(f);
	return n;
}

/* Two services share a file, each in its own format; a third has none. */
static void
test_shared(void)
{
	struct str why = {0};
	struct bench t;

	CU_ASSERT_EQUAL_FATAL(bench_init(&t, "/log", &why), 0);
	CU_ASSERT_EQUAL(t.access.n, 1);
	put(&t, "a");
	put(&t, "b");
	put(&t, "c");
	CU_ASSERT_EQUAL(lines(t.log, "time=now"), 0);
	access_flush(&t.access);
	CU_ASSERT_EQUAL(lines(t.log, "time=now"), 1);
	CU_ASSERT_EQUAL(lines(t.log, "{\"time\""), 1);
	CU_ASSERT(access_wanted(&t.access, policy_service(t.policy, "a")));
	CU_ASSERT(!access_wanted(&t.access, policy_service(t.policy, "c")));
	bench_fini(&t);
}

/* After a rotation, records go to the new file; none is lost. */
static void
test_reopen(void)
{
	struct str why = {0};
	char old[128];
	struct bench t;

	CU_ASSERT_EQUAL_FATAL(bench_init(&t, "/log", &why), 0);
	snprintf(old, sizeof(old), "%s.1", t.log);
	put(&t, "a");
	CU_ASSERT_EQUAL(rename(t.log, old), 0);
	put(&t, "a");
	access_reopen(&t.access);
	put(&t, "a");
	access_flush(&t.access);
	CU_ASSERT_EQUAL(lines(old, "time=now"), 2);
	CU_ASSERT_EQUAL(lines(t.log, "time=now"), 1);
	bench_fini(&t);
}

/* The same for a process that opens none: it is given what another opened. */
static void
test_gift(void)
{
	struct access_gift gift = {0};
	int fds[ACCESS_GIFT];
	struct access worker;
	struct str why = {0};
	struct bench t;
	char old[128];

	CU_ASSERT_EQUAL_FATAL(bench_init(&t, "/log", &why), 0);
	CU_ASSERT_EQUAL_FATAL(access_open(&worker, t.policy, &why), 0);
	snprintf(old, sizeof(old), "%s.1", t.log);
	CU_ASSERT_EQUAL(rename(t.log, old), 0);
	access_reopen(&t.access);
	CU_ASSERT_FATAL(access_give(&t.access, &gift, fds));
	CU_ASSERT_EQUAL(gift.n, 1);
	fds[0] = dup(fds[0]);
	CU_ASSERT(!access_take(&worker, &gift, fds, 0));
	gift.first = 1;
	CU_ASSERT(!access_take(&worker, &gift, fds, 1));
	gift.first = 0;
	CU_ASSERT_FATAL(access_take(&worker, &gift, fds, 1));
	CU_ASSERT(!access_give(&t.access, &gift, fds));
	access_close(&t.access);
	t.access = worker;
	put(&t, "a");
	access_flush(&t.access);
	CU_ASSERT_EQUAL(lines(old, "time=now"), 0);
	CU_ASSERT_EQUAL(lines(t.log, "time=now"), 1);
	bench_fini(&t);
}

/* What cannot be opened is named. */
static void
test_unopened(void)
{
	struct str why = {0};
	struct bench t;

	CU_ASSERT(bench_init(&t, "/none/log", &why) < 0);
	UNIT_CHECK(strstr(str_text(&why), "service b: cannot open") != NULL,
		   "%s", str_text(&why));
	str_fini(&why);
	bench_fini(&t);
	/* not even root makes a file there */
	CU_ASSERT(bench_init(&t, "/../../sys/log", &why) < 0);
	UNIT_CHECK(strstr(str_text(&why), "; ") != NULL, "%s", str_text(&why));
	str_fini(&why);
	bench_fini(&t);
}

/* A reader that does not read stops nothing; whole lines are dropped. */
static void
test_slow_pipe(void)
{
	const size_t size = 1 << 20;
	char *buf = malloc(size);
	struct str why = {0};
	struct bench t;
	char fifo[96];
	ssize_t n, got = 0;
	int fd, i;

	memset(&t, 0, sizeof(t));
	CU_ASSERT_EQUAL_FATAL(bench_init(&t, "/log", &why), 0);
	snprintf(fifo, sizeof(fifo), "%s/fifo", t.dir);
	CU_ASSERT_EQUAL_FATAL(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_RDONLY | O_NONBLOCK);
	CU_ASSERT_EQUAL(rename(fifo, t.log), 0);
	access_reopen(&t.access);
	CU_ASSERT_EQUAL(t.access.targets[0].kind, ACCESS_PIPE);
	for (i = 0; i < 10000; i++) {
		put(&t, "a");
		access_flush(&t.access);
	}
	CU_ASSERT(t.access.targets[0].lost > 0);
	for (i = 0; i < 100; i++) {
		while ((n = read(fd, buf, size)) > 0)
			got += n;
		access_flush(&t.access);
	}
	/* all that was not dropped, and nothing cut in the middle */
	put(&t, "a");
	access_flush(&t.access);
	n = read(fd, buf, size);
	CU_ASSERT(n > 0 && got % n == 0);
	CU_ASSERT_EQUAL(t.access.targets[0].lost, 0);
	close(fd);
	free(buf);
	bench_fini(&t);
}

/* A disk that stays full is told of now, and not when there is room. */
static void
test_full_disk(void)
{
	int fds[2], i, saved = dup(STDERR_FILENO);
	char said[256] = "";
	struct bench t;

	CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
	CU_ASSERT_EQUAL(bench_init(&t, "/../../dev/full", NULL), 0);
	for (i = 0; i < 3; i++)
		put(&t, "b");
	dup2(fds[1], STDERR_FILENO);
	access_flush(&t.access);
	put(&t, "b");
	access_flush(&t.access);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[1]);
	CU_ASSERT(read(fds[0], said, sizeof(said) - 1) > 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(said, ": 3 access records were lost\n"));
	/* once in a while */
	CU_ASSERT_PTR_NULL(strstr(said, "1 access"));
	close(fds[0]);
	bench_fini(&t);
}

static const struct unit_test tests[] = {
	{"shared", test_shared},       {"reopen", test_reopen},
	{"gift", test_gift},	       {"unopened", test_unopened},
	{"slow_pipe", test_slow_pipe}, {"full_disk", test_full_disk},
};

UNIT_MAIN("access", tests)
