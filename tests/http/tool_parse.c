/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tool_parse.c - how long do parsers take for one request?
 *
 *	tool_parse LLHTTP ROUNDS TIMES
 *
 * The request of request_703.h, TIMES in a row by each parser, then again by
 * each, ROUNDS times: a line "PARSER ns N" for each round, and one
 * "PARSER instructions N", counted by stepping through one parse. Every parser
 * notes where the parts of the head are; that it found them is looked at.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proxyd/http/parse.h"

#include "tests/http/peers.h"
#include "tests/http/request_703.h"

enum { LEN = sizeof(request_703) - 1, FIELDS = 9, MOST = 16384 };

struct bench {
	struct peers peers;
	struct http_head head;
	struct peers_header headers[PEERS_HEADERS];
	struct peers_llhttp llhttp;
};

static void
nothing(struct bench *b)
{
	(void)b;
}

static void
by_proxyd(struct bench *b)
{
	enum http_bad bad;

	if (http_parse_request(request_703, LEN, MOST, &b->head, &bad) !=
		    HTTP_HEAD ||
	    b->head.n_fields != FIELDS || b->head.size != LEN)
		abort();
}

static void
by_pico(struct bench *b)
{
	size_t method_len, path_len, n = PEERS_HEADERS;
	const char *method, *path;
	int minor;

	if (b->peers.phr_request(request_703, LEN, &method, &method_len, &path,
				 &path_len, &minor, b->headers, &n, 0) != LEN ||
	    n != FIELDS)
		abort();
}

static void
by_llhttp(struct bench *b)
{
	peers_llhttp(&b->peers, request_703, LEN, true, &b->llhttp);
	if (!b->llhttp.head || b->llhttp.n_spans != 1 + 2 * FIELDS)
		abort();
}

static const struct {
	const char *name;
	void (*parse)(struct bench *b);
} parsers[] = {
	{"proxyd", by_proxyd},
	{"picohttpparser", by_pico},
	{"llhttp", by_llhttp},
};

enum { PARSERS = sizeof(parsers) / sizeof(parsers[0]) };

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Instructions of a child between its two stops. */
static long
steps_between(pid_t child)
{
	int status;
	long n = 0;

	waitpid(child, &status, 0);
	do {
		n++;
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) < 0)
			return -1;
		waitpid(child, &status, 0);
	} while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return n;
}

static long
steps(struct bench *b, void (*parse)(struct bench *b))
{
	pid_t child = fork();

	if (child < 0)
		return -1;
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		parse(b);
		raise(SIGSTOP);
		_exit(0);
	}
	return steps_between(child);
}

int
main(int argc, char **argv)
{
	int rounds, times, i, k, n;
	struct bench b = {0};
	double begin;

	if (argc != 4 || !peers_open(&b.peers, argv[1])) {
		peers_close(&b.peers);
		return 77;
	}
	rounds = atoi(argv[2]);
	times = atoi(argv[3]);
	/* the first round is not counted: caches, lazy binding */
	for (n = -1; n < rounds; n++) {
		for (i = 0; i < PARSERS; i++) {
			begin = now();
			for (k = 0; k < times; k++)
				parsers[i].parse(&b);
			if (n >= 0)
				printf("%s ns %.1f\n", parsers[i].name,
				       (now() - begin) / times);
		}
	}
	for (i = 0; i < PARSERS; i++)
		printf("%s instructions %ld\n", parsers[i].name,
		       steps(&b, parsers[i].parse) - steps(&b, nothing));
	peers_close(&b.peers);
	return 0;
}
