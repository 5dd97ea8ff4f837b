/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tool_churn.c - clients that open and close connections as fast as they can.
 *
 *	tool_churn [-f FIRST/COUNT] CLIENTS SECONDS ADDR:PORT...
 *
 * Each client connects to one of the addresses, sends a line, reads until
 * the server closes, and begins again. With -f, each connection comes from the
 * next of COUNT addresses from FIRST on. Prints one line at the end:
 *
 *	connections 123456 failed 0 p50_us 900 p99_us 4200 max_us 9000
 *
 * and what the first failure was. A connection fails by any error, by an
 * empty answer, or by taking more than five seconds. Exits 1 if any failed.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/inet.h"

#include "tests/bench/from.h"

enum { CLIENTS_MAX = 1024, SLOW_US = 5000000 };

struct client {
	union sockaddr_any to;
	socklen_t to_len;
	int fd; /* owns, or -1 */
	uint64_t began_us;
	size_t bytes;
};

struct churn {
	struct client clients[CLIENTS_MAX];
	int n;
	bool given; /* where connections come from, or the kernel's choice */
	struct from from;
	uint32_t begun;
	int loop; /* owns */
	uint64_t end_us;
	uint64_t done;
	uint64_t failed;
	char first[128];   /* what failed first */
	uint32_t *took_us; /* owns: one for each done */
	size_t cap;
};

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void
fail(struct churn *c, const char *what, int error)
{
	if (!c->failed++)
		snprintf(c->first, sizeof(c->first), "%s: %s", what,
			 strerror(error));
}

static void
note(struct churn *c, uint64_t us)
{
	if (c->done == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 65536;
		c->took_us = realloc(c->took_us, c->cap * sizeof(*c->took_us));
		if (!c->took_us)
			abort();
	}
	c->took_us[c->done++] = (uint32_t)us;
}

static void
bind_next(struct churn *c, int fd)
{
	static const int on = 1;
	struct endpoint local = from_turn(&c->from, c->begun);
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(&local, &sa);

	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, &sa.sa, len) < 0) {
		perror("tool_churn: bind");
		exit(1);
	}
}

static void
begin(struct churn *c, struct client *k)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
				.data.ptr = k};

	k->bytes = 0;
	k->began_us = now_us();
	k->fd = socket(k->to.sa.sa_family,
		       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (k->fd < 0 || epoll_ctl(c->loop, EPOLL_CTL_ADD, k->fd, &e) < 0) {
		perror("tool_churn: socket");
		exit(1);
	}
	if (c->given)
		bind_next(c, k->fd);
	c->begun++;
	if (connect(k->fd, &k->to.sa, k->to_len) < 0 && errno != EINPROGRESS) {
		perror("tool_churn: connect");
		exit(1);
	}
}

static void
end(struct churn *c, struct client *k)
{
	uint64_t now = now_us();

	note(c, now - k->began_us);
	close(k->fd);
	k->fd = -1;
	if (now < c->end_us)
		begin(c, k);
}

/* Read what is there. The connection goes on, or has ended. */
static void
receive(struct churn *c, struct client *k)
{
	char buf[4096];
	ssize_t n;

	while ((n = recv(k->fd, buf, sizeof(buf), 0)) > 0)
		k->bytes += (size_t)n;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0)
		fail(c, "recv", errno);
	else if (!k->bytes)
		fail(c, "the answer is empty", 0);
	end(c, k);
}

static void
progress(struct churn *c, struct client *k, uint32_t events)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	int error = 0;
	socklen_t len = sizeof(error);

	if (events & EPOLLERR)
		getsockopt(k->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error) {
		fail(c, k->bytes ? "answer" : "connect", error);
		end(c, k);
		return;
	}
	/* edge-triggered: EPOLLOUT comes once, when connected */
	if ((events & EPOLLOUT) && !(events & EPOLLIN))
		if (send(k->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
			fail(c, "send", errno);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP))
		receive(c, k);
}

static bool
check_slow(struct churn *c)
{
	uint64_t now = now_us();
	bool busy = false;
	int i;

	for (i = 0; i < c->n; i++) {
		if (c->clients[i].fd < 0)
			continue;
		busy = true;
		if (now - c->clients[i].began_us < SLOW_US)
			continue;
		fail(c, "slow", ETIMEDOUT);
		end(c, &c->clients[i]);
	}
	return busy;
}

static void
run(struct churn *c)
{
	struct epoll_event events[256];
	int i, n;

	for (i = 0; i < c->n; i++)
		begin(c, &c->clients[i]);
	while (check_slow(c)) {
		n = epoll_wait(c->loop, events, 256, 100);
		for (i = 0; i < n; i++)
			progress(c, events[i].data.ptr, events[i].events);
	}
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
report(struct churn *c)
{
	qsort(c->took_us, c->done, sizeof(*c->took_us), compare);
	printf("connections %llu failed %llu p50_us %u p99_us %u max_us %u\n",
	       (unsigned long long)c->done, (unsigned long long)c->failed,
	       c->took_us[c->done / 2], c->took_us[c->done * 99 / 100],
	       c->took_us[c->done - 1]);
	if (c->failed)
		printf("first failure: %s\n", c->first);
}

int
main(int argc, char **argv)
{
	struct churn c = {0};
	struct endpoint e;
	int i;

	if (argc > 2 && !strcmp(argv[1], "-f")) {
		if (from_parse(argv[2], &c.from) < 0) {
			fprintf(stderr, "tool_churn: -f wants FIRST/COUNT\n");
			return 64;
		}
		c.given = true;
		argv += 2;
		argc -= 2;
	}
	if (argc < 4 || atoi(argv[1]) < 1 || atoi(argv[1]) > CLIENTS_MAX) {
		fprintf(stderr, "usage: tool_churn [-f FIRST/COUNT] CLIENTS "
				"SECONDS ADDR:PORT...\n");
		return 64;
	}
	c.n = atoi(argv[1]);
	c.loop = epoll_create1(EPOLL_CLOEXEC);
	c.end_us = now_us() + (uint64_t)atoi(argv[2]) * 1000000;
	for (i = 0; i < c.n; i++) {
		if (endpoint_parse(argv[3 + i % (argc - 3)], &e) < 0) {
			fprintf(stderr, "tool_churn: no endpoint: %s\n",
				argv[3 + i % (argc - 3)]);
			return 64;
		}
		c.clients[i].to_len =
			endpoint_to_sockaddr(&e, &c.clients[i].to);
	}
	run(&c);
	report(&c);
	free(c.took_us);
	close(c.loop);
	return c.failed != 0;
}
