/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tool_units.c - so many connections, requests or datagrams, one by one.
 *
 *	tool_units connections|requests|datagrams N ADDR:PORT
 *
 * Connections with a request each, which the server closes; requests over one
 * connection; datagrams of one flow. The next begins when the one before was
 * answered, so that nothing depends on how fast anybody is. It ends with 1 if
 * one is not answered within ten seconds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/inet.h"

static const char request[] = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
static const char last_request[] = "GET / HTTP/1.0\r\n\r\n";

static void
fail(const char *what)
{
	fprintf(stderr, "tool_units: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int
begin(const struct endpoint *to, int type)
{
	static const struct timeval patience = {.tv_sec = 10};
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(to, &sa);
	int fd;

	fd = socket(sa.sa.sa_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, &sa.sa, len) < 0)
		fail("connect");
	return fd;
}

/* What came: 0 is the end. */
static size_t
ask(int fd, const char *what, size_t len)
{
	char answer[4096];
	ssize_t n;

	if (send(fd, what, len, MSG_NOSIGNAL) < 0)
		fail("send");
	n = recv(fd, answer, sizeof(answer), 0);
	if (n < 0)
		fail("answer");
	return (size_t)n;
}

static void
connections(const struct endpoint *to, int n)
{
	char rest[4096];
	int fd;

	while (n-- > 0) {
		fd = begin(to, SOCK_STREAM);
		if (!ask(fd, last_request, sizeof(last_request) - 1))
			fail("empty answer");
		while (recv(fd, rest, sizeof(rest), 0) > 0)
			continue;
		close(fd);
	}
}

/* Both over one socket. */
static void
messages(const struct endpoint *to, int type, int n)
{
	int fd = begin(to, type);

	while (n-- > 0)
		if (!ask(fd, request, sizeof(request) - 1))
			fail("empty answer");
	close(fd);
}

int
main(int argc, char **argv)
{
	struct endpoint to;
	int n;

	n = argc == 4 ? atoi(argv[2]) : 0;
	if (n < 1 || endpoint_parse(argv[3], &to) < 0) {
		fputs("usage: tool_units connections|requests|datagrams N "
		      "ADDR:PORT\n",
		      stderr);
		return 64;
	}
	if (!strcmp(argv[1], "connections"))
		connections(&to, n);
	else if (!strcmp(argv[1], "requests"))
		messages(&to, SOCK_STREAM, n);
	else
		messages(&to, SOCK_DGRAM, n);
	return 0;
}
