/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_http_faults.c - system calls fail while requests are on their way.
 *
 * strace(1) makes them fail in a worker that goes on living. What a client
 * gets then is the right answer, an answer of proxyd's own, or one that is
 * visibly broken off, and never anything else; afterwards all is as before.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/crowd.h"
#include "tests/lab/web.h"

enum {
	TIMES = 4, /* each call fails the first to so manieth time */
	GUESTS = 6,
	REQUESTS = 3, /* of each guest's connection */
	BULK = 1 << 20,
	SPARE_PIPES = 32, /* descriptors that may wait for the next bulk */
	LATE_MS = 3000,
};

/* clang-format off */

static const char *const calls[] = {
	"accept4", "socket", "bind", "connect", "epoll_ctl", "pipe2",
	"splice", "recvfrom", "sendto",
};

static const char *const errors[] = {
	"EMFILE", "ENOMEM", "ENOBUFS", "EINTR", "ECONNRESET",
};

/* clang-format on */

enum {
	CALLS = sizeof(calls) / sizeof(calls[0]),
	ERRORS = sizeof(errors) / sizeof(errors[0]),
};

struct faults {
	struct lab *lab;
	pid_t master;
	pid_t worker;
	size_t descriptors; /* at rest, without pipes */
	size_t injected[CALLS];
	struct str bulk; /* what the server has */
};

static pid_t
worker_of(pid_t master)
{
	pid_t worker = -1;

	return lab_children(master, "worker", &worker, 1) == 1 ? worker : -1;
}

static size_t
descriptors(pid_t pid)
{
	struct lab_descriptors d = lab_descriptors(pid);

	return d.pipes > SPARE_PIPES ? d.n - SPARE_PIPES : d.n - d.pipes;
}

/* --- the clients ---------------------------------------------------------- */

/* Is it one of those that may be? Counts those that are right. */
static bool
is_honest(int status, const struct str *body, const char *want, size_t *right)
{
	if (status == 200) {
		++*right;
		return strstr(str_text(body), want);
	}
	/* cut off, or not even begun; else by proxyd */
	return status <= 0 || status == 500 || status == 502 || status == 503;
}

/* Some requests on one connection, as long as it is there. */
static size_t
ask_some(struct faults *s, int fd, size_t who)
{
	struct str body = {0};
	char fields[64], want[64];
	int i, status = 200;
	size_t right = 0;

	(void)s;
	for (i = 0; i < REQUESTS && status == 200; i++) {
		str_clear(&body);
		snprintf(fields, sizeof(fields), "X-Who: %zu-%d\r\n", who, i);
		snprintf(want, sizeof(want), "|%zu-%d|", who, i);
		status = web_ask(fd, "/who", fields, &body);
		UNIT_CHECK(is_honest(status, &body, want, &right),
			   "status %d, of %s: %s", status, want,
			   str_text(&body));
	}
	str_fini(&body);
	return right;
}

/* More than is copied: by pipes. */
static size_t
load(struct faults *s)
{
	int fd = lab_connect(s->lab, LAB_CLIENT, NULL, LAB_SERVER4 ":80", 1000);
	struct str body = {0};
	size_t right = 0;
	int status;

	if (fd < 0)
		return 0;
	status = web_ask(fd, "/bulk", "", &body);
	UNIT_CHECK(is_honest(status, &body, "", &right) &&
			   (status != 200 ||
			    (body.len == s->bulk.len &&
			     !memcmp(body.data, s->bulk.data, body.len))),
		   "bulk: status %d, %zu bytes", status, body.len);
	close(fd);
	str_fini(&body);
	return right;
}

enum { ALL = GUESTS * REQUESTS + 1 };

/* How many requests were answered by the server? */
static size_t
visit(struct faults *s)
{
	int fds[GUESTS];
	size_t i, right = 0;

	for (i = 0; i < GUESTS; i++)
		fds[i] = lab_connect(s->lab, LAB_CLIENT, NULL,
				     LAB_SERVER4 ":80", 1000);
	for (i = 0; i < GUESTS; i++) {
		if (fds[i] < 0)
			continue;
		right += ask_some(s, fds[i], i);
		close(fds[i]);
	}
	return right + load(s);
}

/* --- the cases ------------------------------------------------------------ */

static pid_t
attach(struct faults *s, const char *name, const char *error, int when)
{
	struct str options = {0};
	pid_t tracer;
	size_t i;

	for (i = 0; i < CALLS; i++)
		str_addf(&options, " -e inject=%s:error=%s:when=%d", calls[i],
			 error, when);
	tracer = lab_spawn(s->lab, LAB_GATEWAY, name, "strace -p %d%s",
			   (int)s->worker, str_text(&options));
	CU_ASSERT(LAB_WAIT(lab_logged(name, "attached"), LATE_MS));
	str_fini(&options);
	return tracer;
}

static void
count_injected(struct faults *s, const char *name)
{
	struct str log = {0};
	char path[128], *line, *rest;
	size_t i;

	snprintf(path, sizeof(path), LAB_DIR "/%s.log", name);
	lab_read_file(path, &log);
	rest = log.data;
	while ((line = strsep(&rest, "\n")))
		for (i = 0; i < CALLS && strstr(line, "INJECTED"); i++)
			s->injected[i] +=
				!strncmp(line, calls[i], strlen(calls[i])) &&
				line[strlen(calls[i])] == '(';
	unlink(path);
	str_fini(&log);
}

/* Everybody is served, and nothing is left of them. */
static void
check_rest(struct faults *s, const char *name)
{
	unsigned long ticks;

	UNIT_CHECK(LAB_WAIT(visit(s) == ALL, LATE_MS),
		   "after %s: not all are served", name);
	UNIT_CHECK(LAB_WAIT(descriptors(s->worker) <= s->descriptors, LATE_MS),
		   "after %s: %zu descriptors and not %zu", name,
		   descriptors(s->worker), s->descriptors);
	ticks = lab_ticks(s->worker);
	lab_sleep(30);
	UNIT_CHECK(lab_ticks(s->worker) - ticks < 3, "after %s: it spins",
		   name);
	UNIT_CHECK(worker_of(s->master) == s->worker, "%s: it ended the worker",
		   name);
}

static void
check_case(struct faults *s, const char *error, int when)
{
	unsigned long before = lab_ticks(s->worker);
	char name[64];
	size_t right;
	pid_t tracer;

	snprintf(name, sizeof(name), "%s-%d", error, when);
	tracer = attach(s, name, error, when);
	right = visit(s);
	UNIT_CHECK(right >= REQUESTS, "%s: only %zu of %d are answered", name,
		   right, ALL);
	UNIT_CHECK(lab_ticks(s->worker) - before < 30, "%s: %lu ticks", name,
		   lab_ticks(s->worker) - before);
	lab_stop(s->lab, tracer, SIGINT, 2000);
	count_injected(s, name);
	check_rest(s, name);
}

static void
sweep(void)
{
	struct faults s = {.lab = NULL};
	size_t i;

	s.lab = web_begin("\tworkers 1\n\ttimeout response 500ms\n",
			  "\tsource client\n\treuse-idle 50ms\n",
			  "\tintercept tcp port 80 via tproxy\n", &s.master);
	s.worker = worker_of(s.master);
	lab_www(s.lab, "bulk", BULK);
	lab_read_file(LAB_DIR "/www/bulk", &s.bulk);
	s.descriptors = descriptors(s.worker);
	check_rest(&s, "the start");
	/* the cases after one that went wrong say no more */
	for (i = 0; i < ERRORS * TIMES; i++)
		if (CU_get_number_of_failures() == s.lab->failures)
			check_case(&s, errors[i / TIMES], 1 + (int)i % TIMES);
	for (i = 0; i < CALLS; i++)
		UNIT_CHECK(s.injected[i] >= ERRORS ||
				   !strcmp(calls[i], "pipe2"),
			   "%s failed %zu times", calls[i], s.injected[i]);
	str_fini(&s.bulk);
	lab_end(s.lab, s.master);
}

/* --- no descriptor is left ------------------------------------------------ */

enum {
	BEFORE = 20, /* who leave a link that is kept */
	AFTER = 15,  /* who come then, and stay */
	FREE = 14,   /* descriptors that are left */
};

/* Links that nobody uses make room for clients and servers. */
static void
shed(void)
{
	char from[ADDR_TEXT_LEN];
	struct web_who who;
	struct lab *lab;
	pid_t pid, worker;
	int fd, fds[AFTER];
	size_t i;

	lab = web_begin("\tworkers 1\n", "\tsource client\n", "", &pid);
	worker = worker_of(pid);
	web_crowd(lab, BEFORE + AFTER);
	for (i = 0; i < BEFORE; i++) {
		fd = web_open(lab, web_address(AF_INET, i, from),
			      LAB_SERVER4 ":80");
		web_ask_who(fd, "", &who);
		close(fd);
	}
	CU_ASSERT(
		LAB_WAIT(lab_sockets(lab, LAB_SERVER,
				     "state established sport = :80") == BEFORE,
			 LATE_MS));
	lab_must(lab, LAB_GATEWAY, "prlimit --pid %d --nofile=%zu", (int)worker,
		 lab_descriptors(worker).n + FREE);
	for (i = 0; i < AFTER; i++) {
		fds[i] = web_open(lab, web_address(AF_INET, BEFORE + i, from),
				  LAB_SERVER4 ":80");
		web_ask_who(fds[i], "", &who);
		UNIT_STRINGS(who.address, from);
	}
	for (i = 0; i < AFTER; i++)
		close(fds[i]);
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"sweep", sweep},
	{"shed", shed},
};

LAB_MAIN("http_faults", tests)
