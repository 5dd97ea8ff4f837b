/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tool_datagrams.c - asks by datagrams as fast as answers come, and answers.
 *
 *	tool_datagrams answer PORT
 *	tool_datagrams ask FLOWS MS ADDR:PORT [FIRST/COUNT]
 *
 * The first sends back whatever arrives. The second has FLOWS sockets, of
 * COUNT addresses from FIRST on, and keeps WINDOW small datagrams of each
 * under way; those that are not answered in LOST_MS count as lost and are
 * replaced. After so many milliseconds it prints
 *
 *	answers 123456 lost 0 ns 1000123456 p50_us 90 p99_us 420 max_us 900
 *
 * It ends with 1 if an answer was that of another flow, or none came.
 */
#include <errno.h>
#include <stdbool.h>
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

enum {
	BATCH = 64,
	FLOWS_MAX = 10000,
	SIZE_MAX_ANSWER = 2048,
	WINDOW = 8,
	LOST_MS = 200,
	LOOK_MS = 50,
};

struct message {
	uint64_t sent_ns;
	uint32_t flow;
	uint32_t
		turn; /* of the flow: answers of an earlier one were given up */
	uint8_t rest[16];
};

struct flow {
	int fd; /* owns */
	uint32_t turn;
	uint64_t heard_ns;
};

struct asking {
	struct flow flows[FLOWS_MAX];
	uint32_t n;
	int loop; /* owns */
	uint64_t lost;
	uint64_t strays;
	uint32_t *took_us; /* owns: one for each answer */
	size_t n_answers, cap;
	struct message in[BATCH], out[BATCH];
	struct iovec iov_in[BATCH], iov_out[BATCH];
	struct mmsghdr msgs_in[BATCH], msgs_out[BATCH];
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int
udp_socket(const struct endpoint *local, bool force)
{
	static const int size = 8 << 20;
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(local, &sa);
	int fd;

	fd = socket(sa.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, &sa.sa, len) < 0) {
		perror("tool_datagrams: socket");
		exit(1);
	}
	if (force)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

/* --- answering ------------------------------------------------------------ */

static void __attribute__((noreturn)) answer(uint16_t port)
{
	static const struct addr any = {.family = AF_INET};
	struct endpoint local = {.addr = any, .port = port};
	char data[BATCH][SIZE_MAX_ANSWER];
	union sockaddr_any from[BATCH];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	int fd, i, n;

	fd = udp_socket(&local, true);
	for (;;) {
		memset(msgs, 0, sizeof(msgs));
		for (i = 0; i < BATCH; i++) {
			iov[i].iov_base = data[i];
			iov[i].iov_len = sizeof(data[i]);
			msgs[i].msg_hdr.msg_iov = &iov[i];
			msgs[i].msg_hdr.msg_iovlen = 1;
			msgs[i].msg_hdr.msg_name = &from[i];
			msgs[i].msg_hdr.msg_namelen = sizeof(from[i]);
		}
		n = recvmmsg(fd, msgs, BATCH, MSG_WAITFORONE, NULL);
		for (i = 0; i < n; i++)
			iov[i].iov_len = msgs[i].msg_len;
		/* what cannot be sent is lost, as datagrams are */
		if (n > 0)
			sendmmsg(fd, msgs, (unsigned int)n, 0);
	}
}

/* --- asking --------------------------------------------------------------- */

static void
send_some(struct asking *a, uint32_t flow, int n)
{
	struct flow *f = &a->flows[flow];
	uint64_t now = now_ns();
	int i, r;

	for (i = 0; i < n; i++) {
		a->out[i].sent_ns = now;
		a->out[i].flow = flow;
		a->out[i].turn = f->turn;
	}
	for (i = 0; i < n; i += r) {
		r = sendmmsg(f->fd, &a->msgs_out[i], (unsigned int)(n - i), 0);
		/* an ICMP error of an earlier one: as good as lost */
		if (r <= 0)
			return;
	}
}

static void
note(struct asking *a, const struct message *m, uint64_t now)
{
	if (a->n_answers == a->cap) {
		a->cap = a->cap ? 2 * a->cap : 1 << 20;
		a->took_us = realloc(a->took_us, a->cap * sizeof(*a->took_us));
		if (!a->took_us)
			abort();
	}
	a->took_us[a->n_answers++] = (uint32_t)((now - m->sent_ns) / 1000);
}

/* Each answer makes room for another question. */
static void
hear(struct asking *a, uint32_t flow)
{
	struct flow *f = &a->flows[flow];
	uint64_t now;
	int i, n, good = 0;

	n = recvmmsg(f->fd, a->msgs_in, BATCH, MSG_DONTWAIT, NULL);
	now = now_ns();
	for (i = 0; i < n; i++) {
		if (a->msgs_in[i].msg_len != sizeof(struct message) ||
		    a->in[i].flow != flow) {
			a->strays++;
			continue;
		}
		if (a->in[i].turn != f->turn)
			continue;
		note(a, &a->in[i], now);
		f->heard_ns = now;
		good++;
	}
	send_some(a, flow, good);
}

/* A flow that heard nothing for long begins again. */
static void
give_up(struct asking *a)
{
	uint64_t now = now_ns();
	uint32_t i;

	for (i = 0; i < a->n; i++) {
		struct flow *f = &a->flows[i];

		if (now - f->heard_ns < (uint64_t)LOST_MS * 1000000)
			continue;
		a->lost += WINDOW;
		f->turn++;
		f->heard_ns = now;
		send_some(a, i, WINDOW);
	}
}

static void
ask(struct asking *a, uint64_t ms)
{
	uint64_t began = now_ns(), end = began + ms * 1000000, look = began;
	struct epoll_event events[BATCH];
	int i, n;

	for (i = 0; i < (int)a->n; i++) {
		a->flows[i].heard_ns = began;
		send_some(a, (uint32_t)i, WINDOW);
	}
	while (now_ns() < end) {
		n = epoll_wait(a->loop, events, BATCH, LOOK_MS);
		for (i = 0; i < n; i++)
			hear(a, events[i].data.u32);
		if (now_ns() - look < (uint64_t)LOOK_MS * 1000000)
			continue;
		look = now_ns();
		give_up(a);
	}
	printf("answers %zu lost %llu ns %llu ", a->n_answers,
	       (unsigned long long)a->lost,
	       (unsigned long long)(now_ns() - began));
}

static void
open_flows(struct asking *a, const struct endpoint *to, const struct from *from)
{
	struct epoll_event e = {.events = EPOLLIN};
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(to, &sa);
	struct endpoint local;
	uint32_t i;

	for (i = 0; i < a->n; i++) {
		local = from_turn(from, i);
		a->flows[i].fd = udp_socket(&local, false);
		e.data.u32 = i;
		if (connect(a->flows[i].fd, &sa.sa, len) < 0 ||
		    epoll_ctl(a->loop, EPOLL_CTL_ADD, a->flows[i].fd, &e) < 0) {
			perror("tool_datagrams: connect");
			exit(1);
		}
	}
	for (i = 0; i < BATCH; i++) {
		a->iov_in[i] = (struct iovec){&a->in[i], sizeof(a->in[i])};
		a->iov_out[i] = (struct iovec){&a->out[i], sizeof(a->out[i])};
		a->msgs_in[i].msg_hdr.msg_iov = &a->iov_in[i];
		a->msgs_in[i].msg_hdr.msg_iovlen = 1;
		a->msgs_out[i].msg_hdr.msg_iov = &a->iov_out[i];
		a->msgs_out[i].msg_hdr.msg_iovlen = 1;
	}
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int
report(struct asking *a)
{
	size_t n = a->n_answers;

	if (!n) {
		puts("p50_us 0 p99_us 0 max_us 0");
		return 1;
	}
	qsort(a->took_us, n, sizeof(*a->took_us), compare);
	printf("p50_us %u p99_us %u max_us %u\n", a->took_us[n / 2],
	       a->took_us[n * 99 / 100], a->took_us[n - 1]);
	if (a->strays)
		fprintf(stderr, "tool_datagrams: %llu answers of others\n",
			(unsigned long long)a->strays);
	return a->strays != 0;
}

static int
usage(void)
{
	fputs("usage: tool_datagrams answer PORT\n"
	      "       tool_datagrams ask FLOWS MS ADDR:PORT [FIRST/COUNT]\n",
	      stderr);
	return 64;
}

int
main(int argc, char **argv)
{
	struct asking *a;
	struct endpoint to;
	struct from from;
	int r;

	if (argc == 3 && !strcmp(argv[1], "answer"))
		answer((uint16_t)atoi(argv[2]));
	if (argc < 5 || argc > 6 || strcmp(argv[1], "ask") ||
	    atoi(argv[2]) < 1 || atoi(argv[2]) > FLOWS_MAX ||
	    endpoint_parse(argv[4], &to) < 0 || from_parse(argv[5], &from) < 0)
		return usage();
	a = calloc(1, sizeof(*a));
	if (!a)
		return 1;
	a->n = (uint32_t)atoi(argv[2]);
	a->loop = epoll_create1(EPOLL_CLOEXEC);
	open_flows(a, &to, &from);
	ask(a, strtoull(argv[3], NULL, 10));
	r = report(a);
	free(a->took_us);
	free(a);
	return r;
}
