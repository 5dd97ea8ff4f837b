/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_talk.c - whole messages, their descriptors, and the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxyd/base/talk.h"

#include "tests/unit.h"

static bool
same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 &&
	       sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static void
whole(void)
{
	char big[TALK_MAX], got[TALK_MAX];
	int ends[2];

	CU_ASSERT_EQUAL_FATAL(talk_pair(ends), 0);
	memset(big, 'x', sizeof(big));
	CU_ASSERT_EQUAL(talk_receive(ends[1], got, sizeof(got), NULL), -EAGAIN);
	CU_ASSERT_EQUAL(talk_send(ends[0], "one", 3, NULL, 0), 0);
	CU_ASSERT_EQUAL(talk_send(ends[0], big, sizeof(big), NULL, 0), 0);
	CU_ASSERT_EQUAL(talk_send(ends[0], "three", 5, NULL, 0), 0);
	CU_ASSERT_EQUAL(talk_receive(ends[1], got, sizeof(got), NULL), 3);
	CU_ASSERT_EQUAL(talk_receive(ends[1], got, sizeof(got), NULL),
			sizeof(big));
	CU_ASSERT_EQUAL(memcmp(got, big, sizeof(big)), 0);
	/* too long for who receives: gone, and the next is whole */
	CU_ASSERT_EQUAL(talk_receive(ends[1], got, 4, NULL), -EMSGSIZE);
	CU_ASSERT_EQUAL(talk_send(ends[0], "four", 4, NULL, 0), 0);
	CU_ASSERT_EQUAL(talk_receive(ends[1], got, 4, NULL), 4);
	CU_ASSERT_EQUAL(memcmp(got, "four", 4), 0);
	/* an empty one would be an end; too much is refused */
	CU_ASSERT_EQUAL(talk_send(ends[0], big, 0, NULL, 0), -EINVAL);
	CU_ASSERT_EQUAL(talk_send(ends[0], big, TALK_MAX + 1, NULL, 0),
			-EINVAL);
	CU_ASSERT_EQUAL(talk_send(ends[0], big, 1, ends, TALK_FDS + 1),
			-EINVAL);
	close(ends[0]);
	close(ends[1]);
}

static void
descriptors(void)
{
	int ends[2], pipes[2][2];
	struct talk_fds fds;
	char got[8];

	CU_ASSERT_EQUAL_FATAL(talk_pair(ends), 0);
	CU_ASSERT_EQUAL_FATAL(pipe2(pipes[0], O_CLOEXEC), 0);
	CU_ASSERT_EQUAL_FATAL(pipe2(pipes[1], O_CLOEXEC), 0);
	CU_ASSERT_EQUAL(talk_send(ends[0], "a", 1, pipes[0], 2), 0);
	CU_ASSERT_EQUAL(talk_send(ends[0], "b", 1, NULL, 0), 0);
	CU_ASSERT_EQUAL(talk_receive(ends[1], got, sizeof(got), &fds), 1);
	CU_ASSERT_EQUAL_FATAL(fds.n, 2);
	CU_ASSERT(same_file(fds.fd[0], pipes[0][0]));
	CU_ASSERT(same_file(fds.fd[1], pipes[0][1]));
	CU_ASSERT_EQUAL(fcntl(fds.fd[0], F_GETFD), FD_CLOEXEC);
	talk_close(&fds);
	CU_ASSERT_EQUAL(talk_receive(ends[1], got, sizeof(got), &fds), 1);
	CU_ASSERT_EQUAL(fds.n, 0);
	/* unwanted ones do not stay open: the pipe ends with its own end */
	CU_ASSERT_EQUAL(talk_send(ends[0], "c", 1, &pipes[1][1], 1), 0);
	close(pipes[1][1]);
	CU_ASSERT_EQUAL(talk_receive(ends[1], got, sizeof(got), NULL), 1);
	CU_ASSERT_EQUAL(read(pipes[1][0], got, 1), 0);
	close(pipes[0][0]);
	close(pipes[0][1]);
	close(pipes[1][0]);
	close(ends[0]);
	close(ends[1]);
}

/* Who has no descriptor left loses the message, not the talk. */
static void
shortage(void)
{
	struct rlimit before, none;
	struct talk_fds fds;
	int ends[2], pair[2];
	char got[8];
	ssize_t n;

	CU_ASSERT_EQUAL_FATAL(talk_pair(ends), 0);
	CU_ASSERT_EQUAL_FATAL(talk_pair(pair), 0);
	CU_ASSERT_EQUAL(talk_send(ends[0], "a", 1, pair, 2), 0);
	CU_ASSERT_EQUAL(talk_send(ends[0], "b", 1, NULL, 0), 0);
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	/* room for one more, and there are two */
	none.rlim_cur = (rlim_t)pair[1] + 2;
	setrlimit(RLIMIT_NOFILE, &none);
	n = talk_receive(ends[1], got, sizeof(got), &fds);
	setrlimit(RLIMIT_NOFILE, &before);
	CU_ASSERT_EQUAL(n, -EMFILE);
	/* the one that did arrive was closed */
	CU_ASSERT_EQUAL(fcntl(pair[1] + 1, F_GETFD), -1);
	CU_ASSERT_EQUAL(talk_receive(ends[1], got, sizeof(got), &fds), 1);
	CU_ASSERT_EQUAL(got[0], 'b');
	close(pair[0]);
	close(pair[1]);
	close(ends[0]);
	close(ends[1]);
}

/* Full, it says so and does not wait; then it goes on where it was. */
static void
full(void)
{
	unsigned int sent = 0, n = 0, got;
	int ends[2], r;

	CU_ASSERT_EQUAL_FATAL(talk_pair(ends), 0);
	while ((r = talk_send(ends[0], &sent, sizeof(sent), NULL, 0)) == 0 &&
	       sent < 1000000)
		sent++;
	CU_ASSERT_EQUAL(r, -EAGAIN);
	CU_ASSERT(sent > 100);
	while (talk_receive(ends[1], &got, sizeof(got), NULL) > 0)
		CU_ASSERT_EQUAL(got, n++);
	CU_ASSERT_EQUAL(n, sent);
	CU_ASSERT_EQUAL(talk_send(ends[0], &sent, sizeof(sent), NULL, 0), 0);
	close(ends[0]);
	close(ends[1]);
}

/* What was sent before the end still arrives. */
static void
end(void)
{
	int ends[2];
	char got[8];

	CU_ASSERT_EQUAL_FATAL(talk_pair(ends), 0);
	CU_ASSERT_EQUAL(talk_send(ends[0], "last", 4, NULL, 0), 0);
	CU_ASSERT_EQUAL(talk_send(ends[1], "lost", 4, NULL, 0), 0);
	close(ends[0]);
	CU_ASSERT_EQUAL(talk_receive(ends[1], got, sizeof(got), NULL), 4);
	CU_ASSERT_EQUAL(talk_receive(ends[1], got, sizeof(got), NULL), 0);
	CU_ASSERT_EQUAL(talk_send(ends[1], "x", 1, NULL, 0), -EPIPE);
	close(ends[1]);
}

static const struct unit_test tests[] = {
	{"whole", whole},	{"descriptors", descriptors},
	{"shortage", shortage}, {"full", full},
	{"end", end},
};

UNIT_MAIN("talk", tests)
