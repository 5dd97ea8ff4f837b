/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_notify.c - what a service manager hears and keeps, and gives back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxyd/base/notify.h"

#include "tests/unit.h"

/* A manager's socket with an abstract name, as systemd may give it. */
static int
open_manager(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(sa);
	char name[128] = "";
	int fd;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	/* the kernel chooses a name of five digits */
	CU_ASSERT_EQUAL_FATAL(
		bind(fd, (struct sockaddr *)&sa, sizeof(sa.sun_family)), 0);
	CU_ASSERT_EQUAL(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	name[0] = '@';
	memcpy(name + 1, sa.sun_path + 1, len - sizeof(sa.sun_family) - 1);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void
close_manager(int fd)
{
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}

/* One message: its text, and what came with it. Returns how many. */
static size_t
receive(int fd, char *text, size_t size, int *fds)
{
	_Alignas(struct cmsghdr) char
		control[CMSG_SPACE(NOTIFY_FDS_MAX * sizeof(int))];
	struct iovec iov = {text, size - 1};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	ssize_t n;

	n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	text[n > 0 ? n : 0] = '\0';
	c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	if (!c)
		return 0;
	memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

static void
test_send(void)
{
	int fd = open_manager(), fds[NOTIFY_FDS_MAX];
	char buf[128], *at;

	notify_send("READY=1");
	CU_ASSERT_EQUAL(receive(fd, buf, sizeof(buf), fds), 0);
	UNIT_STRINGS(buf, "READY=1");
	notify_reloading();
	receive(fd, buf, sizeof(buf), fds);
	at = strchr(buf, '\n');
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	*at = '\0';
	UNIT_STRINGS(buf, "RELOADING=1");
	CU_ASSERT(!strncmp(at + 1, "MONOTONIC_USEC=", 15) &&
		  strtoull(at + 16, NULL, 10) > 1000);
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	notify_send("READY=1");
	CU_ASSERT(notify_forget("web") < 0);
	close_manager(fd);
	/* nobody is there: that is no error */
	notify_send("READY=1");
	CU_ASSERT_EQUAL(notify_forget("web"), 0);
}

/* Descriptors arrive with their name, as many as one message takes. */
static void
test_store(void)
{
	int fd = open_manager(), fds[NOTIFY_FDS_MAX], i;
	int pair[2], many[NOTIFY_FDS_MAX];
	char buf[512], c;

	CU_ASSERT_EQUAL_FATAL(pipe(pair), 0);
	CU_ASSERT_EQUAL(notify_store("tcp-10.0.0.1-80", &pair[0], 1), 0);
	CU_ASSERT_EQUAL_FATAL(receive(fd, buf, sizeof(buf), fds), 1);
	UNIT_STRINGS(buf, "FDSTORE=1\nFDPOLL=0\nFDNAME=tcp-10.0.0.1-80");
	CU_ASSERT_EQUAL(write(pair[1], "x", 1), 1);
	CU_ASSERT_EQUAL(read(fds[0], &c, 1), 1);
	close(fds[0]);
	for (i = 0; i < NOTIFY_FDS_MAX; i++)
		many[i] = pair[0];
	CU_ASSERT_EQUAL(notify_store("many", many, NOTIFY_FDS_MAX), 0);
	CU_ASSERT_EQUAL(receive(fd, buf, sizeof(buf), fds), NOTIFY_FDS_MAX);
	for (i = 0; i < NOTIFY_FDS_MAX; i++)
		close(fds[i]);
	CU_ASSERT_EQUAL(notify_forget("many"), 0);
	CU_ASSERT_EQUAL(receive(fd, buf, sizeof(buf), fds), 0);
	UNIT_STRINGS(buf, "FDSTOREREMOVE=1\nFDNAME=many");
	close(pair[0]);
	close(pair[1]);
	close_manager(fd);
}

/* A manager that does not read makes nobody wait. */
static void
test_busy(void)
{
	int fd = open_manager(), r = 0, i;

	for (i = 0; i < 100000 && r == 0; i++)
		r = notify_forget("web");
	CU_ASSERT_EQUAL(r, -EAGAIN);
	close_manager(fd);
}

/* What these variables say, and that they are gone. */
static unsigned int
take(const char *pid, const char *fds)
{
	unsigned int n;

	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", fds, 1);
	setenv("LISTEN_FDNAMES", "a:b", 1);
	n = notify_take_fds();
	CU_ASSERT(!getenv("LISTEN_PID") && !getenv("LISTEN_FDS") &&
		  !getenv("LISTEN_FDNAMES"));
	return n;
}

static void
test_take_fds(void)
{
	static const char *const wrong[] = {
		"", "x", "-1", "2x", "0", " 2", "99999999999999999999999"};
	char self[32];
	size_t i;
	int fd;

	snprintf(self, sizeof(self), "%d", getpid());
	/* in a test 3 is free, or whatever was left open to it */
	for (fd = NOTIFY_FIRST_FD; fd < NOTIFY_FIRST_FD + 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			CU_ASSERT_EQUAL(dup2(STDIN_FILENO, fd), fd);
	fcntl(NOTIFY_FIRST_FD, F_SETFD, 0);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		UNIT_CHECK(take(self, wrong[i]) == 0, "LISTEN_FDS=%s",
			   wrong[i]);
		UNIT_CHECK(take(wrong[i], "2") == 0, "LISTEN_PID=%s", wrong[i]);
	}
	CU_ASSERT_EQUAL(take("1", "2"), 0);
	CU_ASSERT_EQUAL(fcntl(NOTIFY_FIRST_FD, F_GETFD), 0);
	CU_ASSERT_EQUAL(take(self, "2"), 2);
	CU_ASSERT_EQUAL(fcntl(NOTIFY_FIRST_FD, F_GETFD), FD_CLOEXEC);
	CU_ASSERT_EQUAL(notify_take_fds(), 0);
	/* fewer are open than it says */
	CU_ASSERT(take(self, "1000") < 1000);
}

static const struct unit_test tests[] = {
	{"send", test_send},
	{"store", test_store},
	{"busy", test_busy},
	{"take_fds", test_take_fds},
};

UNIT_MAIN("notify", tests)
