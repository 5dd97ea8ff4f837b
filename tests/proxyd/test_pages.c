/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pages.c - shared memory, found again by its descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxyd/base/pages.h"

#include "tests/unit.h"

enum { SIZE = 5000 };

/* A child's writing is seen, and so it is by whoever takes it again. */
static void
test_again(void)
{
	struct pages p = {0}, again = {0};
	pid_t pid;
	int fd;

	CU_ASSERT_EQUAL_FATAL(pages_new(&p, "test", SIZE, 7), 0);
	CU_ASSERT_EQUAL((uintptr_t)p.at % 64, 0);
	CU_ASSERT_EQUAL(((char *)p.at)[SIZE - 1], 0);
	CU_ASSERT_EQUAL(fcntl(p.fd, F_GETFD), FD_CLOEXEC);
	pid = fork();
	if (pid == 0) {
		memset(p.at, 'x', SIZE);
		_exit(0);
	}
	CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
	/* as after execve(): the descriptor is all that is left */
	fd = dup(p.fd);
	pages_free(&p);
	CU_ASSERT_PTR_NULL(p.at);
	CU_ASSERT_EQUAL_FATAL(pages_take(&again, fd, 7), 0);
	CU_ASSERT_EQUAL(again.size, SIZE);
	CU_ASSERT_EQUAL(((char *)again.at)[0], 'x');
	CU_ASSERT_EQUAL(((char *)again.at)[SIZE - 1], 'x');
	CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	/* let go, it is taken by whoever knows no size */
	pages_let_go(&again);
	CU_ASSERT_EQUAL_FATAL(pages_take(&again, fd, 7), 0);
	CU_ASSERT_EQUAL(again.size, SIZE);
	pages_free(&again);
	CU_ASSERT(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
	pages_free(&again);
}

/* Another program may mean something else by it. */
static void
test_other(void)
{
	struct pages p = {0}, again = {0};
	int plain = memfd_create("plain", MFD_CLOEXEC), pair[2];

	CU_ASSERT_EQUAL_FATAL(pages_new(&p, "test", SIZE, 7), 0);
	CU_ASSERT_EQUAL(pages_take(&again, p.fd, 8), -EPROTOTYPE);
	CU_ASSERT_EQUAL(ftruncate(plain, SIZE + 64), 0);
	CU_ASSERT_EQUAL(pages_take(&again, plain, 7), -EPROTOTYPE);
	CU_ASSERT_EQUAL_FATAL(pipe(pair), 0);
	CU_ASSERT_EQUAL(pages_take(&again, pair[0], 7), -EPROTOTYPE);
	CU_ASSERT_EQUAL(pages_take(&again, 999999, 7), -EBADF);
	CU_ASSERT_PTR_NULL(again.at);
	/* nor can it be taken away */
	CU_ASSERT(ftruncate(p.fd, 1) < 0 && errno == EPERM);
	pages_free(&p);
	close(plain);
	close(pair[0]);
	close(pair[1]);
}

static const struct unit_test tests[] = {
	{"again", test_again},
	{"other", test_other},
};

UNIT_MAIN("pages", tests)
