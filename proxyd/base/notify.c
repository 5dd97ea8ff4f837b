/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notify.c - datagrams to the service manager, behind notify.h. */
#include "proxyd/base/notify.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The address of $NOTIFY_SOCKET; its length, 0 if there is none. */
static socklen_t
manager(struct sockaddr_un *sa)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return 0;
	len = strlen(path);
	if (len >= sizeof(sa->sun_path))
		return 0;
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	memcpy(sa->sun_path, path, len);
	/* '@' stands for the NUL of an abstract name */
	if (path[0] == '@')
		sa->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static void
attach(struct msghdr *msg, void *control, const int *fds, size_t n)
{
	struct cmsghdr *c;

	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(n * sizeof(*fds));
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(*fds));
	memcpy(CMSG_DATA(c), fds, n * sizeof(*fds));
}

static int
send_fds(const char *state, const int *fds, size_t n)
{
	_Alignas(struct cmsghdr) char
		control[CMSG_SPACE(NOTIFY_FDS_MAX * sizeof(int))];
	struct iovec iov = {(void *)(uintptr_t)state, strlen(state)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct sockaddr_un sa;
	int fd, r = 0;

	assert(n <= NOTIFY_FDS_MAX);
	msg.msg_namelen = manager(&sa);
	if (!msg.msg_namelen)
		return 0;
	msg.msg_name = &sa;
	memset(control, 0, sizeof(control));
	if (n)
		attach(&msg, control, fds, n);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		r = -errno;
	close(fd);
	return r;
}

void
notify_send(const char *state)
{
	(void)send_fds(state, NULL, 0);
}

void
notify_reloading(void)
{
	struct timespec now;
	char state[80];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	notify_send(state);
}

/*
 * FDPOLL=0: else it would drop a udp socket that has an error to report.
 */
int
notify_store(const char *name, const int *fds, size_t n)
{
	char state[NOTIFY_NAME_LEN + sizeof("FDSTORE=1\nFDPOLL=0\nFDNAME=")];

	snprintf(state, sizeof(state), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	return send_fds(state, fds, n);
}

int
notify_forget(const char *name)
{
	char state[NOTIFY_NAME_LEN + sizeof("FDSTOREREMOVE=1\nFDNAME=")];

	snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	return send_fds(state, NULL, 0);
}

/* The number in a variable, which goes; 0: there is none. */
static unsigned long
take_number(const char *variable)
{
	const char *text = getenv(variable);
	unsigned long n = 0;
	char *end = NULL;

	errno = 0;
	if (text && text[0] >= '0' && text[0] <= '9')
		n = strtoul(text, &end, 10);
	if (errno || !end || *end)
		n = 0;
	unsetenv(variable);
	return n;
}

unsigned int
notify_take_fds(void)
{
	bool ours = take_number("LISTEN_PID") == (unsigned long)getpid();
	unsigned long n = take_number("LISTEN_FDS"), i;

	unsetenv("LISTEN_FDNAMES");
	if (!ours)
		return 0;
	/* the first that is not open ends what can have been passed */
	for (i = 0; i < n && i < INT32_MAX / 2; i++)
		if (fcntl(NOTIFY_FIRST_FD + (int)i, F_SETFD, FD_CLOEXEC) < 0)
			break;
	return (unsigned int)i;
}
