/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockets.c - opens what sockets.h describes.
 *
 * What accepted sockets need, TCP_NODELAY and keep-alive, they inherit, which
 * saves the calls for each.
 */
#include "proxyd/net/sockets.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxyd/base/sock.h"
#include "proxyd/net/datagram.h"

enum { BACKLOG = 4096 };

static int
prepare_tcp(int fd)
{
	int r;

	r = sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0)
		r = sock_set(fd, SOL_TCP, TCP_NODELAY, 1);
	if (r == 0)
		r = sock_keep_alive(fd);
	return r;
}

static int
prepare(int fd, const struct sockets_what *what)
{
	int family = what->at.addr.family, r;

	if (what->proto == PROTO_UDP)
		r = datagram_prepare(fd, family, what->transparent);
	else
		r = prepare_tcp(fd);
	if (r == 0 && family == AF_INET6)
		r = sock_set(fd, SOL_IPV6, IPV6_V6ONLY, 1);
	if (r == 0 && what->transparent)
		r = sock_set_transparent(fd, family);
	if (r == 0 && what->mark)
		r = sock_set(fd, SOL_SOCKET, SO_MARK, (int)what->mark);
	return r;
}

/*
 * The first one asks for the endpoint for itself, and then lets the others
 * in, who say so before and are of the same user: whoever else comes later
 * is refused. So it is for legs of datagrams.
 * Source: inet_csk_get_port(), socket(7).
 */
static int
bind_and_listen(int fd, const struct sockets_what *what, bool first)
{
	int r = 0;

	if (!first)
		r = sock_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (r == 0)
		r = sock_bind(fd, &what->at);
	if (r == 0 && first)
		r = sock_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (r == 0 && what->proto == PROTO_TCP && listen(fd, BACKLOG) < 0)
		r = -errno;
	return r;
}

static int
open_one(const struct sockets_what *what, bool first, int *ret_fd)
{
	int fd, r;

	fd = socket(what->at.addr.family,
		    (what->proto == PROTO_UDP ? SOCK_DGRAM : SOCK_STREAM) |
			    SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		return -errno;
	r = prepare(fd, what);
	if (r == 0)
		r = bind_and_listen(fd, what, first);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int
sockets_possible(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

struct sockets *
sockets_new(const struct sockets_what *what)
{
	struct sockets *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->what = *what;
	s->users = 1;
	return s;
}

int
sockets_put(struct sockets *s, uint32_t slot, int fd)
{
	int *more;

	if (slot >= s->n) {
		more = realloc(s->fds, (slot + 1) * sizeof(*more));
		if (!more) {
			close(fd);
			return -ENOMEM;
		}
		s->fds = more;
		while (s->n <= slot)
			s->fds[s->n++] = -1;
	}
	if (s->fds[slot] >= 0)
		close(s->fds[slot]);
	s->fds[slot] = fd;
	return 0;
}

int
sockets_grow(struct sockets *s, uint32_t n)
{
	int fd = -1, r = 0;

	while (r == 0 && s->n < n) {
		r = open_one(&s->what, s->n == 0, &fd);
		if (r == 0)
			r = sockets_put(s, s->n, fd);
	}
	return r;
}

void
sockets_shrink(struct sockets *s, uint32_t n)
{
	while (s->n > n)
		if (s->fds[--s->n] >= 0)
			close(s->fds[s->n]);
}

int
sockets_open(const struct sockets_what *what, uint32_t n,
	     struct sockets **ret_sockets)
{
	struct sockets *s = sockets_new(what);
	int r;

	if (!s)
		return -ENOMEM;
	r = sockets_grow(s, n);
	if (r < 0)
		sockets_let_go(s);
	else
		*ret_sockets = s;
	return r;
}

int
sockets_fd(const struct sockets *s, uint32_t slot)
{
	return s && slot < s->n ? s->fds[slot] : -1;
}

void
sockets_let_go(struct sockets *s)
{
	uint32_t i;

	if (!s || --s->users > 0)
		return;
	for (i = 0; i < s->n; i++)
		if (s->fds[i] >= 0)
			close(s->fds[i]);
	free(s->fds);
	free(s);
}

bool
sockets_what_equal(const struct sockets_what *a, const struct sockets_what *b)
{
	return a->proto == b->proto && endpoint_equal(&a->at, &b->at) &&
	       a->transparent == b->transparent && a->mark == b->mark;
}
