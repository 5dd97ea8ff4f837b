/* SPDX-License-Identifier: GPL-2.0-or-later */
/* talk.c - sendmsg(2) and recvmsg(2) behind talk.h. */
#include "proxyd/base/talk.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for descriptors, aligned as the kernel's headers want it. */
union talk_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(TALK_FDS * sizeof(int))];
};

int
talk_pair(int ret_ends[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0, ret_ends) < 0)
		return -errno;
	return 0;
}

int
talk_send(int fd, const void *data, size_t len, const int *fds, size_t n_fds)
{
	struct iovec part = {.iov_base = (void *)data, .iov_len = len};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	union talk_control control;
	struct cmsghdr *c;

	if (len == 0 || len > TALK_MAX || n_fds > TALK_FDS)
		return -EINVAL;
	if (n_fds) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	if (sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	/* no memory for one message now, or for that many descriptors */
	if (errno == ENOBUFS || errno == ETOOMANYREFS)
		return -EAGAIN;
	return errno == ECONNRESET ? -EPIPE : -errno;
}

static void
take_fds(struct msghdr *m, struct talk_fds *fds)
{
	struct cmsghdr *c;

	fds->n = 0;
	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		fds->n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds->fd, CMSG_DATA(c), fds->n * sizeof(int));
	}
}

ssize_t
talk_receive(int fd, void *buf, size_t size, struct talk_fds *ret_fds)
{
	struct iovec part = {.iov_base = buf, .iov_len = size};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	union talk_control control;
	struct talk_fds fds;
	bool whole;
	ssize_t n;

	/* no room for them: the kernel closes those that nobody wants */
	if (ret_fds) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
	}
	n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	/* comes once, before what the other left: it had not read it all */
	if (n < 0 && errno == ECONNRESET)
		n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	take_fds(&m, &fds);
	whole = !(m.msg_flags & MSG_TRUNC);
	if (whole && !(ret_fds && m.msg_flags & MSG_CTRUNC)) {
		if (ret_fds)
			*ret_fds = fds;
		return n;
	}
	talk_close(&fds);
	return whole ? -EMFILE : -EMSGSIZE;
}

void
talk_close(struct talk_fds *fds)
{
	while (fds->n > 0)
		close(fds->fd[--fds->n]);
}
