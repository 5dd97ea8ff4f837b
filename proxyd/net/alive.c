/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alive.c - two UDP sockets behind alive.h. */
#include "proxyd/net/alive.h"

#include <endian.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/inet.h"

#include "proxyd/base/sock.h"

enum { PORT_DISCARD = 9 };

static int
open_family(int family, uint32_t mark, int *ret_fd)
{
	int fd, r;

	fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = sock_set(fd, SOL_SOCKET, SO_MARK, (int)mark);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int
alive_open(struct alive *a, uint32_t mark)
{
	int r;

	a->fd4 = a->fd6 = -1;
	r = open_family(AF_INET, mark, &a->fd4);
	if (r < 0)
		return r;
	r = open_family(AF_INET6, mark, &a->fd6);
	if (r < 0 && r != -EAFNOSUPPORT) {
		alive_close(a);
		return r;
	}
	return 0;
}

void
alive_close(struct alive *a)
{
	if (a->fd4 >= 0)
		close(a->fd4);
	if (a->fd6 >= 0)
		close(a->fd6);
	a->fd4 = a->fd6 = -1;
}

enum alive_answer
alive_send(struct alive *a, int family, uint64_t digest)
{
	struct endpoint to = {.port = PORT_DISCARD};
	int fd = family == AF_INET6 ? a->fd6 : a->fd4;
	uint64_t wire = htobe64(digest);
	union sockaddr_any sa;
	socklen_t len;

	if (fd < 0)
		return ALIVE_UNSENT;
	addr_parse(family == AF_INET6 ? "::1" : "127.0.0.1", &to.addr);
	len = endpoint_to_sockaddr(&to, &sa);
	if (sendto(fd, &wire, sizeof(wire), MSG_NOSIGNAL, &sa.sa, len) >= 0)
		return ALIVE_UNSEEN;
	return errno == EPERM ? ALIVE_SEEN : ALIVE_UNSENT;
}
