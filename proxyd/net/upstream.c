/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * upstream.c - makes the socket of upstream.h.
 *
 * SO_REUSEADDR stands on every spoofed socket: a client that keeps its port
 * and comes again soon finds its former socket still ending.
 */
#include "proxyd/net/upstream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "proxyd/base/sock.h"

static int
bind_source(int fd, const struct upstream *u)
{
	int r;

	r = sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* the port is then chosen by connect(), for these four numbers */
	if (r == 0 && u->source.port == 0)
		r = sock_set(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return r < 0 ? r : sock_bind(fd, &u->source);
}

static int
prepare(int fd, const struct upstream *u)
{
	int r;

	r = sock_set(fd, SOL_TCP, TCP_NODELAY, 1);
	if (r == 0 && u->mark)
		r = sock_set_transparent(fd, u->target.addr.family);
	if (r == 0 && u->mark)
		r = sock_set(fd, SOL_SOCKET, SO_MARK, (int)u->mark);
	if (r == 0 && u->source.addr.family)
		r = bind_source(fd, u);
	return r;
}

int
upstream_connect(const struct upstream *u, int *ret_fd)
{
	int fd, r;

	fd = socket(u->target.addr.family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = prepare(fd, u);
	if (r == 0)
		r = sock_connect(fd, &u->target);
	/* under way, which is all that is asked for */
	if (r == -EINPROGRESS || r == -EALREADY)
		r = 0;
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}
