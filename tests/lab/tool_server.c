/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tool_server.c - a small web server that tells its visitors who they are.
 *
 *	tool_server PORT [NAME]
 *
 * Answers whatever comes first on a connection with "NAME sees ADDR:PORT"
 * (NAME is "server" by default), and closes. IPv4 and IPv6, one process, no
 * files. It reads no HTTP: it is for the demo and for tests that open very
 * many connections. Prints one line for each visitor unless NAME is "-".
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/inet.h"

enum { EVENTS = 256 };

static int
listen_on(uint16_t port)
{
	union sockaddr_any sa = {
		.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
	int fd, on = 1, off = 0;

	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, &sa.sa, sizeof(sa.in6)) < 0 || listen(fd, 4096) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

static void
answer(int fd, const char *name)
{
	char text[512], body[256], who[ENDPOINT_TEXT_LEN];
	union sockaddr_any sa;
	socklen_t len = sizeof(sa);
	struct endpoint e;
	int n;

	if (getpeername(fd, &sa.sa, &len) < 0)
		return;
	e = endpoint_from_sockaddr(&sa);
	endpoint_format(&e, who);
	n = snprintf(body, sizeof(body), "%s sees %s\n",
		     strcmp(name, "-") ? name : "server", who);
	n = snprintf(text, sizeof(text),
		     "HTTP/1.0 200 OK\r\n"
		     "Content-Type: text/plain\r\n"
		     "Content-Length: %d\r\n"
		     "Connection: close\r\n"
		     "\r\n%s",
		     n, body);
	/* a fresh connection takes that much at once */
	if (send(fd, text, (size_t)n, MSG_NOSIGNAL) < 0)
		return;
	if (strcmp(name, "-"))
		printf("%s", body);
}

static void
accept_all(int loop, int listener)
{
	struct epoll_event e = {.events = EPOLLIN};
	int fd;

	while ((fd = accept4(listener, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		e.data.fd = fd;
		if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &e) < 0)
			close(fd);
	}
}

static void
serve(int loop, int listener, const char *name)
{
	struct epoll_event events[EVENTS];
	char request[8192];
	int i, n, fd;

	for (;;) {
		n = epoll_wait(loop, events, EVENTS, -1);
		for (i = 0; i < n; i++) {
			fd = events[i].data.fd;
			if (fd == listener) {
				accept_all(loop, listener);
				continue;
			}
			if (recv(fd, request, sizeof(request), 0) > 0)
				answer(fd, name);
			close(fd);
		}
	}
}

int
main(int argc, char **argv)
{
	struct epoll_event e = {.events = EPOLLIN};
	int listener, loop;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: tool_server PORT [NAME]\n");
		return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	listener = listen_on((uint16_t)atoi(argv[1]));
	if (listener < 0) {
		fprintf(stderr, "tool_server: port %s: %s\n", argv[1],
			strerror(-listener));
		return 1;
	}
	loop = epoll_create1(EPOLL_CLOEXEC);
	e.data.fd = listener;
	if (loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, listener, &e) < 0) {
		perror("tool_server: epoll");
		return 1;
	}
	serve(loop, listener, argc > 2 ? argv[2] : "server");
	return 0;
}
