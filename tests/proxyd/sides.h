/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sides.h - for tests: two sides and a relay between them.
 *
 * The sides are ends of socket pairs, or of TCP connections over loopback;
 * the test holds the other ends and plays client and server. Events come
 * from epoll, edge-triggered, once each, as in the worker.
 */
#ifndef TESTS_PROXYD_SIDES_H
#define TESTS_PROXYD_SIDES_H

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxyd/stream/relay.h"

#include "tests/unit.h"

enum {
	SIDES_PERIOD = 251, /* of the bytes that patterns are made of */
	SIDES_TURNS = 20000,
};

struct bench {
	struct relay relay;
	struct side a;
	struct side b;
	int client; /* the other end of a */
	int server; /* the other end of b */
	int epoll;
	int patience_ms; /* TCP over loopback may need some */
	enum relay_state state;
};

static inline void
sides_unix(int fds[2])
{
	CU_ASSERT_EQUAL_FATAL(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

static inline void
sides_tcp(int fds[2])
{
	struct sockaddr_in sin = {.sin_family = AF_INET,
				  .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(sin);
	int l = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	CU_ASSERT_EQUAL_FATAL(bind(l, (struct sockaddr *)&sin, len), 0);
	CU_ASSERT_EQUAL_FATAL(listen(l, 1), 0);
	getsockname(l, (struct sockaddr *)&sin, &len);
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL_FATAL(connect(fds[1], (struct sockaddr *)&sin, len), 0);
	fds[0] = accept(l, NULL, NULL);
	CU_ASSERT_FATAL(fds[0] >= 0);
	close(l);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	setsockopt(fds[0], SOL_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fds[1], SOL_TCP, TCP_NODELAY, &on, sizeof(on));
}

static inline void
sides_begin(struct bench *t, struct side *s, int family, int *ret_other)
{
	struct epoll_event e = {.events = SIDE_EVENTS, .data.ptr = s};
	int fds[2];

	if (family == AF_UNIX)
		sides_unix(fds);
	else
		sides_tcp(fds);
	side_init(s);
	s->fd = fds[0];
	*ret_other = fds[1];
	CU_ASSERT_EQUAL(epoll_ctl(t->epoll, EPOLL_CTL_ADD, s->fd, &e), 0);
}

static inline void
bench_init(struct bench *t, int family)
{
	memset(t, 0, sizeof(*t));
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	CU_ASSERT_EQUAL_FATAL(relay_init(&t->relay), 0);
	sides_begin(t, &t->a, family, &t->client);
	sides_begin(t, &t->b, family, &t->server);
}

static inline void
bench_fini(struct bench *t)
{
	relay_release(&t->relay, &t->a);
	relay_release(&t->relay, &t->b);
	CU_ASSERT_EQUAL(t->relay.pipes.n, t->relay.pipes.n_spare);
	side_close(&t->a, false);
	side_close(&t->b, true);
	if (t->client >= 0)
		close(t->client);
	if (t->server >= 0)
		close(t->server);
	close(t->epoll);
	relay_fini(&t->relay);
	CU_ASSERT_EQUAL(t->relay.pipes.n, 0);
}

/* Tell the sides what happened. Did anything? */
static inline bool
look(struct bench *t)
{
	struct epoll_event events[8];
	int i, n;

	n = epoll_wait(t->epoll, events, 8, t->patience_ms);
	for (i = 0; i < n; i++)
		side_event(events[i].data.ptr, events[i].events);
	return n > 0;
}

/* What a loop does until nothing happens any more. */
static inline void
settle(struct bench *t)
{
	bool again = false;
	int i;

	for (i = 0; i < SIDES_TURNS && (look(t) || again); i++)
		t->state = relay_pump(&t->relay, &t->a, &t->b, &again);
	CU_ASSERT(i < SIDES_TURNS);
}

static inline void
expect(int fd, const char *text)
{
	char buf[4096];
	ssize_t n;

	n = recv(fd, buf, sizeof(buf) - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	UNIT_STRINGS(buf, text);
}

/* Send what follows the first `at` bytes of the pattern, once; how many. */
static inline size_t
put(int fd, size_t at, size_t n)
{
	unsigned char buf[65536] = {0};
	ssize_t sent;
	size_t i;

	n = n < sizeof(buf) ? n : sizeof(buf);
	for (i = 0; i < n; i++)
		buf[i] = (unsigned char)((at + i) % SIDES_PERIOD);
	sent = send(fd, buf, n, MSG_NOSIGNAL);
	return sent > 0 ? (size_t)sent : 0;
}

/* Read at most `max` bytes that are there; do they follow the first `at`? */
static inline size_t
take(int fd, size_t at, size_t max)
{
	unsigned char buf[65536] = {0};
	size_t i, total = 0, wrong = 0;
	ssize_t n = 1;

	while (total < max && n > 0) {
		n = max - total < sizeof(buf) ? (ssize_t)(max - total)
					      : (ssize_t)sizeof(buf);
		n = recv(fd, buf, (size_t)n, 0);
		for (i = 0; n > 0 && i < (size_t)n; i++)
			wrong += buf[i] != (at + total + i) % SIDES_PERIOD;
		total += n > 0 ? (size_t)n : 0;
	}
	UNIT_CHECK(!wrong, "%zu bytes are wrong", wrong);
	return total;
}

#endif
