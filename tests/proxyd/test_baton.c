/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_baton.c - what a proxyd that was executed makes of what it finds.
 * That it is executed, and with which rights, the lab sees.
 */
#include "proxyd/baton.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"

#include "proxyd/base/sock.h"

#include "tests/unit.h"

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

/* What a child finds; its exit status says what became of it. */
struct found {
	const char *pid;  /* NULL: its own */
	const char *text; /* %d: a listening socket */
	int seals;
};

enum outcome {
	TAKEN = 10,
	SALVAGED, /* the socket, and nothing else */
	NOTHING,
	WRONG,
};

static int
make_memfd(const struct found *f, int socket_fd)
{
	char text[512];
	int fd, len;

	fd = memfd_create("test", MFD_ALLOW_SEALING);
	len = snprintf(text, sizeof(text), f->text, socket_fd);
	if (write(fd, text, (size_t)len) != len ||
	    fcntl(fd, F_ADD_SEALS, f->seals) < 0)
		_exit(WRONG);
	return fd;
}

static enum outcome
take(const struct found *f, int listener)
{
	struct listeners ls = {0};
	struct handover h;
	int pair[2], memfd;
	char value[64];
	bool piped;

	if (pipe(pair) < 0)
		return WRONG;
	memfd = make_memfd(f, listener);
	snprintf(value, sizeof(value), "%d:%d", getpid(), memfd);
	if (f->pid)
		snprintf(value, sizeof(value), "%s:%d", f->pid, memfd);
	setenv("PROXYD_HANDOVER", value, 1);
	baton_take(&h, &ls);
	if (getenv("PROXYD_HANDOVER"))
		return WRONG;
	piped = fcntl(pair[0], F_GETFD) >= 0;
	if (ls.n == 0)
		return piped && !h.n_sockets ? NOTHING : WRONG;
	if (ls.n != 1 || ls.list[0].sockets->n != 1 ||
	    ls.list[0].sockets->fds[0] != listener ||
	    fcntl(listener, F_GETFD) != FD_CLOEXEC ||
	    fcntl(memfd, F_GETFD) >= 0)
		return WRONG;
	if (!piped)
		return h.n_sockets ? WRONG : SALVAGED;
	return h.n_sockets == 1 && h.sockets[0] == listener ? TAKEN : WRONG;
}

static enum outcome
take_in_child(const struct found *f)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), status = 0;
	pid_t pid;

	CU_ASSERT_EQUAL(listen(listener, 1), 0);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		log_init("test", LOG_LEVEL_ERROR);
		close(STDERR_FILENO);
		open("/dev/null", O_WRONLY);
		_exit((int)take(f, listener));
	}
	CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
	close(listener);
	return WIFEXITED(status) ? (enum outcome)WEXITSTATUS(status) : WRONG;
}

#define HEAD "proxyd-handover 1\n"

static void
test_take(void)
{
	static const struct {
		struct found found;
		enum outcome want;
	} cases[] = {
		{{NULL, HEAD "socket %d\nend\n", SEALS}, TAKEN},
		/* for another process: a leftover */
		{{"1", HEAD "socket %d\nend\n", SEALS}, NOTHING},
		{{"x", HEAD "socket %d\nend\n", SEALS}, NOTHING},
		{{"", HEAD "socket %d\nend\n", SEALS}, NOTHING},
		/* it could change while it is read */
		{{NULL, HEAD "socket %d\nend\n", F_SEAL_SHRINK}, SALVAGED},
		{{NULL, "proxyd-handover 2\nsocket %d\nend\n", SEALS},
		 SALVAGED},
		{{NULL, HEAD "socket %d\n", SEALS}, SALVAGED},
		{{NULL, "", SEALS}, SALVAGED},
		{{NULL, HEAD "socket %d\nsocket 999\nend\n", SEALS}, SALVAGED},
		{{NULL, HEAD "shm 999\nsocket %d\nend\n", SEALS}, SALVAGED},
		{{NULL, HEAD "socket %d\nshm 2\nend\n", SEALS}, SALVAGED},
	};
	enum outcome got;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		got = take_in_child(&cases[i].found);
		UNIT_CHECK(got == cases[i].want, "case %zu: %d, not %d", i, got,
			   cases[i].want);
	}
}

/* Without a word there is nothing to take. */
static void
test_none(void)
{
	struct listeners ls = {0};
	struct handover h;

	baton_take(&h, &ls);
	CU_ASSERT(!ls.n && h.shm_fd == -1 && !h.n_children);
	listeners_close(&ls);
	handover_fini(&h);
}

static void
test_path(void)
{
	char *path = baton_path();

	CU_ASSERT_PTR_NOT_NULL_FATAL(path);
	CU_ASSERT_EQUAL(path[0], '/');
	CU_ASSERT(!access(path, X_OK) && strstr(path, "test_baton"));
	free(path);
}

static const struct unit_test tests[] = {
	{"take", test_take},
	{"none", test_none},
	{"path", test_path},
};

UNIT_MAIN("baton", tests)
