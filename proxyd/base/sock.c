/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sock.c - system calls behind sock.h, one each. */
#include "proxyd/base/sock.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int
sock_set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		return -errno;
	return 0;
}

int
sock_set_transparent(int fd, int family)
{
	if (family == AF_INET6)
		return sock_set(fd, SOL_IPV6, IPV6_TRANSPARENT, 1);
	return sock_set(fd, SOL_IP, IP_TRANSPARENT, 1);
}

int
sock_keep_alive(int fd)
{
	int r;

	r = sock_set(fd, SOL_TCP, TCP_KEEPIDLE, SOCK_KEEP_IDLE_S);
	if (r == 0)
		r = sock_set(fd, SOL_TCP, TCP_KEEPINTVL, SOCK_KEEP_INTERVAL_S);
	if (r == 0)
		r = sock_set(fd, SOL_TCP, TCP_KEEPCNT, SOCK_KEEP_PROBES);
	if (r == 0)
		r = sock_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	return r;
}

int
sock_bind(int fd, const struct endpoint *e)
{
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(e, &sa);

	return bind(fd, &sa.sa, len) < 0 ? -errno : 0;
}

int
sock_connect(int fd, const struct endpoint *e)
{
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(e, &sa);
	int r;

	do {
		r = connect(fd, &sa.sa, len) < 0 ? -errno : 0;
	} while (r == -EINTR);
	return r;
}

int
sock_take_error(int fd)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error;
}

size_t
sock_unsent(int fd)
{
	int n = 0;

	if (ioctl(fd, SIOCOUTQ, &n) < 0 || n < 0)
		return 0;
	return (size_t)n;
}

struct endpoint
sock_name(int fd)
{
	union sockaddr_any sa;
	socklen_t len = sizeof(sa);

	if (getsockname(fd, &sa.sa, &len) < 0)
		sa.sa.sa_family = AF_UNSPEC;
	return endpoint_from_sockaddr(&sa);
}

void
sock_reset(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}
