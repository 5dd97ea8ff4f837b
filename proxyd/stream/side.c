/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * side.c - system calls of one side, and what they taught us.
 *
 * With edge-triggered events a read that fills less than was offered has
 * emptied the socket, so the EAGAIN behind it need not be fetched. That is
 * not so when the peer has closed (the end must be read) and not at the mark
 * of urgent data (reading stops there): then the side is `hungry`.
 */
#include "proxyd/stream/side.h"

#include <assert.h>
#include <errno.h>
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

size_t
side_receive(struct side *s, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = recv(s->fd, buf, size, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		s->received += (uint64_t)n;
		if ((size_t)n < size && !s->hungry)
			s->readable = false;
		return (size_t)n;
	}
	s->readable = s->hungry = false;
	if (n == 0)
		s->eof = true;
	else if (!would_block(errno))
		side_fail(s, errno);
	return 0;
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
