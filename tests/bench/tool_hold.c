/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tool_hold.c - opens connections, asks once on each, and keeps them idle.
 *
 *	tool_hold CONNECTIONS ADDR:PORT [FIRST/COUNT]
 *
 * Of COUNT addresses from FIRST on. A request of HTTP goes over each; when all
 * were answered it prints "held N" and waits for the end of its standard
 * input. Then it resets them all, so that nothing is left of them. It ends
 * with 1 if one of them fails.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/inet.h"

#include "tests/bench/from.h"

enum { CONNECTIONS_MAX = 19000, BATCH = 64, PATIENCE_MS = 10000 };

static void
fail(const char *what)
{
	fprintf(stderr, "tool_hold: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int
begin(const struct endpoint *to, const struct endpoint *local)
{
	static const struct linger at_once = {.l_onoff = 1};
	static const int on = 1;
	union sockaddr_any sa;
	socklen_t len;
	int fd;

	len = endpoint_to_sockaddr(local, &sa);
	fd = socket(sa.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	if (fd < 0)
		fail("socket");
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	if (bind(fd, &sa.sa, len) < 0)
		fail("bind");
	len = endpoint_to_sockaddr(to, &sa);
	if (connect(fd, &sa.sa, len) < 0 && errno != EINPROGRESS)
		fail("connect");
	return fd;
}

static void
wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	if (poll(&p, 1, PATIENCE_MS) == 1)
		return;
	errno = ETIMEDOUT;
	fail(events == POLLOUT ? "connect" : "answer");
}

static void
ask(int fd)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";

	wait_for(fd, POLLOUT);
	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		fail("request");
}

static void
hear(int fd)
{
	char answer[4096];
	ssize_t n;

	wait_for(fd, POLLIN);
	n = recv(fd, answer, sizeof(answer), 0);
	if (n <= 0) {
		errno = n == 0 ? ECONNRESET : errno;
		fail("answer");
	}
}

int
main(int argc, char **argv)
{
	struct endpoint to, local;
	struct from from;
	int *fds, i, k, n, last;
	char c;

	n = argc < 3 || argc > 4 ? 0 : atoi(argv[1]);
	if (n < 1 || n > CONNECTIONS_MAX || endpoint_parse(argv[2], &to) < 0 ||
	    from_parse(argv[3], &from) < 0) {
		fputs("usage: tool_hold CONNECTIONS ADDR:PORT [FIRST/COUNT]\n",
		      stderr);
		return 64;
	}
	fds = calloc((size_t)n, sizeof(*fds));
	if (!fds)
		return 1;
	for (i = 0; i < n; i = last) {
		last = i + BATCH < n ? i + BATCH : n;
		for (k = i; k < last; k++) {
			local = from_turn(&from, (uint32_t)k);
			fds[k] = begin(&to, &local);
		}
		for (k = i; k < last; k++)
			ask(fds[k]);
		for (k = i; k < last; k++)
			hear(fds[k]);
	}
	printf("held %d\n", n);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		continue;
	/* the end of the process resets them */
	free(fds);
	return 0;
}
