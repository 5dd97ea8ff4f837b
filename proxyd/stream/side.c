/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * side.c - system calls of one side, and what they taught us.
 *
 * With edge-triggered events a read that fills less than was offered has
 * emptied the socket, so the EAGAIN behind it need not be fetched. That is
 * not so when the peer has closed (the end must be read) and not at the mark
 * of urgent data (reading stops there): then the side is `hungry`.
 *
 * splice() says EAGAIN when the source is empty or the sink is full, and 0 at
 * the end or before urgent data. The first is clear because a pipe is empty
 * when it is filled and not when it is drained; the second is left to recv().
 */
#include "proxyd/stream/side.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxyd/base/sock.h"

void
side_init(struct side *s)
{
	memset(s, 0, sizeof(*s));
	s->fd = -1;
}

void
side_event(struct side *s, uint32_t events)
{
	const uint32_t last = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;

	if (events & (EPOLLIN | last))
		s->readable = true;
	if (events & last)
		s->hungry = true;
	if (events & EPOLLOUT)
		s->writable = true;
	/* a reset after the peer's end is told in no other way */
	if (events & EPOLLERR)
		side_fail(s, sock_take_error(s->fd));
}

void
side_fail(struct side *s, int error)
{
	if (s->error || !error)
		return;
	s->error = error;
	s->writable = false;
	/* what came before the error can still be read */
	s->readable = s->hungry = true;
}

static bool
would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK;
}

bool
side_is_quiet(struct side *s)
{
	char byte;

	if (s->error || s->eof)
		return false;
	if (s->readable && recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	    would_block(errno))
		s->readable = s->hungry = false;
	return !s->readable;
}

/* Up to `size` bytes; 0: the side knows why. */
static size_t
receive(struct side *s, void *buf, size_t size, int flags)
{
	ssize_t n;

	do {
		n = recv(s->fd, buf, size, MSG_DONTWAIT | flags);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		return (size_t)n;
	s->readable = s->hungry = false;
	if (n == 0)
		s->eof = true;
	else if (!would_block(errno))
		side_fail(s, errno);
	return 0;
}

size_t
side_receive(struct side *s, void *buf, size_t size)
{
	size_t n = receive(s, buf, size, 0);

	s->received += n;
	if (n && n < size && !s->hungry)
		s->readable = false;
	return n;
}

size_t
side_peek(struct side *s, void *buf, size_t size)
{
	return receive(s, buf, size, MSG_PEEK);
}

size_t
side_send(struct side *s, const void *buf, size_t len)
{
	ssize_t n;

	assert(!s->shut);
	if (s->error)
		return len;
	do {
		n = send(s->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n >= 0) {
		s->sent += (uint64_t)n;
		if ((size_t)n < len)
			s->writable = false;
		return (size_t)n;
	}
	if (would_block(errno)) {
		s->writable = false;
		return 0;
	}
	side_fail(s, errno);
	return len;
}

/* Errors of splice() that are not about the peer: bytes can go by copying. */
static bool
cannot_splice(struct side *s, int error)
{
	if (error == EINVAL || error == ENOSYS)
		s->plain = true;
	return s->plain || error == ENOMEM || error == ENOBUFS;
}

static ssize_t
splice_once(int from, int to, size_t size)
{
	ssize_t n;

	do {
		n = splice(from, NULL, to, NULL, size,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	} while (n < 0 && errno == EINTR);
	return n;
}

size_t
side_fill(struct side *s, struct pipe *p, size_t size)
{
	ssize_t n;

	assert(!p->held);
	n = splice_once(s->fd, p->in, size);
	if (n > 0) {
		s->received += (uint64_t)n;
		p->held = (uint32_t)n;
		return (size_t)n;
	}
	if (n == 0)
		s->hungry = true;
	else if (would_block(errno))
		s->readable = s->hungry;
	else if (!cannot_splice(s, errno))
		side_fail(s, errno);
	return 0;
}

size_t
side_drain(struct side *s, struct pipe *p)
{
	ssize_t n;

	assert(p->held && !s->shut);
	n = splice_once(p->out, s->fd, p->held);
	if (n > 0) {
		s->sent += (uint64_t)n;
		p->held -= (uint32_t)n;
		return (size_t)n;
	}
	if (n < 0 && would_block(errno))
		s->writable = false;
	else if (n < 0 && !cannot_splice(s, errno))
		side_fail(s, errno);
	return 0;
}

void
side_shut(struct side *s)
{
	if (s->shut)
		return;
	s->shut = true;
	if (!s->error && shutdown(s->fd, SHUT_WR) < 0 && errno != ENOTCONN)
		side_fail(s, errno);
}

void
side_close(struct side *s, bool reset)
{
	if (s->fd < 0)
		return;
	if (reset)
		sock_reset(s->fd);
	else
		close(s->fd);
	s->fd = -1;
}
