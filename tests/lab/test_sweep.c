/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_sweep.c - every system call of the data path fails, in each way that
 * the kernel may choose, the first to the fifth time that it is made.
 *
 * strace(1) makes them fail in a worker that goes on living from one case to
 * the next, while clients come over tcp and udp. What one failure costs is a
 * flow or a few; afterwards all is as before: the same process, as many
 * descriptors, no work without flows, and flows that work.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/alone.h"
#include "tests/lab/lab_udp.h"

enum {
	TIMES = 5,
	SMALL = 7, /* flows of one message */
	BULK = 2,  /* and of many bytes */
	DATAGRAMS = 7,
	GUESTS = SMALL + BULK + DATAGRAMS,
	BULK_SIZE = 1 << 20,
	PATIENCE_MS = 600,
	SERVED_MAX = 64,
	SPARE_PIPES = 32, /* descriptors that may wait for the next bulk */
};

/* clang-format off */

static const char *const calls[] = {
	"accept4", "socket", "bind", "connect", "epoll_ctl", "pipe2",
	"splice", "sendmmsg", "recvmmsg",
};

static const char *const errors[] = {
	"EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EINTR", "EAGAIN",
	"EADDRNOTAVAIL", "ECONNABORTED",
};

/* clang-format on */

enum {
	CALLS = sizeof(calls) / sizeof(calls[0]),
	ERRORS = sizeof(errors) / sizeof(errors[0]),
};

/* --- the server ----------------------------------------------------------- */

/* Answers a message with itself; but "b" with many bytes, and an end. */
static bool
answer(int fd, char *buf)
{
	size_t sent = 0;
	ssize_t n;

	n = recv(fd, buf, BULK_SIZE, 0);
	if (n <= 0)
		return false;
	if (*buf != 'b')
		return send(fd, buf, (size_t)n, MSG_NOSIGNAL) == n;
	while (sent < BULK_SIZE) {
		n = send(fd, buf, BULK_SIZE - sent, MSG_NOSIGNAL);
		if (n < 0)
			break;
		sent += (size_t)n;
	}
	return false;
}

static void
echo(int fd, char *buf)
{
	union sockaddr_any from;
	socklen_t len = sizeof(from);
	ssize_t n;

	n = recvfrom(fd, buf, BULK_SIZE, 0, &from.sa, &len);
	if (n >= 0)
		sendto(fd, buf, (size_t)n, 0, &from.sa, len);
}

static void
take_in(int listener, struct pollfd *fds, nfds_t *n)
{
	struct timeval limit = {.tv_usec = 300000};
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0 && *n == SERVED_MAX) {
		close(fd);
	} else if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		fds[(*n)++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
}

/* A process that serves whoever connects to `tcp` or sends to `udp`. */
static pid_t
serve(int tcp, int udp)
{
	struct pollfd fds[SERVED_MAX] = {{.fd = tcp, .events = POLLIN},
					 {.fd = udp, .events = POLLIN}};
	char *buf = calloc(1, BULK_SIZE);
	pid_t pid = fork();
	nfds_t i, n = 2;

	if (pid != 0 || !buf) {
		free(buf);
		return pid;
	}
	while (poll(fds, n, -1) >= 0) {
		if (fds[0].revents)
			take_in(tcp, fds, &n);
		if (fds[1].revents)
			echo(udp, buf);
		for (i = n; i-- > 2;)
			if (fds[i].revents && !answer(fds[i].fd, buf)) {
				close(fds[i].fd);
				fds[i] = fds[--n];
			}
	}
	_exit(0);
}

/* --- the clients ---------------------------------------------------------- */

/* Who waits for bytes, and for how many. */
struct guest {
	struct pollfd *fd; /* its descriptor */
	size_t wanted;
};

static int
arrive(struct lab *lab, int type, const char *to, const char *message)
{
	struct endpoint e;
	union sockaddr_any sa;
	socklen_t len;
	int fd;

	endpoint_parse(to, &e);
	len = endpoint_to_sockaddr(&e, &sa);
	fd = lab_socket(lab, LAB_CLIENT, AF_INET, type);
	if (connect(fd, &sa.sa, len) < 0)
		lab_die("a client cannot come: %s", strerror(errno));
	/* it may have been turned away already: it will read that */
	(void)send(fd, message, strlen(message), MSG_NOSIGNAL);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* Reads; true when it is over for this one, well or not. */
static bool
listen_to(struct guest *g, char *buf)
{
	ssize_t n = recv(g->fd->fd, buf, BULK_SIZE, 0);

	if (n < 0)
		return errno != EAGAIN;
	g->wanted -= (size_t)n < g->wanted ? (size_t)n : g->wanted;
	return n == 0 || g->wanted == 0;
}

/*
 * Some of each kind come at once; how many got what they wanted? Some never
 * will: patience is for as long as nothing happens, and long at first, when
 * a busy machine has not come to any of them.
 */
static int
visit(struct lab *lab)
{
	uint64_t end = clock_now_ms() + 10 * PATIENCE_MS;
	struct pollfd fds[GUESTS];
	struct guest guests[GUESTS];
	char *buf = malloc(BULK_SIZE);
	int i, over = 0, served = 0;
	bool udp, bulk;

	for (i = 0; i < GUESTS; i++) {
		udp = i >= SMALL + BULK;
		bulk = i >= SMALL && !udp;
		fds[i].fd = arrive(lab, udp ? SOCK_DGRAM : SOCK_STREAM,
				   udp ? LAB_SERVER4 ":53" : LAB_SERVER4 ":80",
				   bulk ? "b" : "e");
		fds[i].events = POLLIN;
		guests[i] = (struct guest){&fds[i], bulk ? BULK_SIZE : 1};
	}
	while (over < GUESTS && clock_now_ms() < end) {
		poll(fds, GUESTS, 20);
		for (i = 0; i < GUESTS; i++) {
			if (fds[i].fd < 0 || !fds[i].revents ||
			    !listen_to(&guests[i], buf))
				continue;
			close(fds[i].fd);
			fds[i].fd = -1;
			if (++over >= GUESTS / 4)
				end = clock_now_ms() + PATIENCE_MS;
		}
	}
	for (i = 0; i < GUESTS; i++) {
		served += guests[i].wanted == 0;
		if (fds[i].fd >= 0)
			close(fds[i].fd);
	}
	free(buf);
	return served;
}

/* --- the cases ------------------------------------------------------------ */

struct sweep {
	struct lab *lab;
	pid_t master;
	pid_t worker;
	pid_t server;
	size_t descriptors; /* at rest, without pipes */
	size_t injected[CALLS];
};

/* Descriptors of a process; of pipes only those in excess of SPARE_PIPES. */
static size_t
descriptors(pid_t pid)
{
	struct lab_descriptors d = lab_descriptors(pid);

	return d.pipes > SPARE_PIPES ? d.n - SPARE_PIPES : d.n - d.pipes;
}

static pid_t
attach(struct sweep *s, const char *name, pid_t pid, const char *options)
{
	pid_t tracer;

	tracer = lab_spawn(s->lab, LAB_GATEWAY, name, "strace -p %d%s",
			   (int)pid, options);
	CU_ASSERT(LAB_WAIT(lab_logged(name, "attached"), 3000));
	return tracer;
}

/* All calls fail, each at its own time of being made. */
static pid_t
attach_all(struct sweep *s, const char *name, const char *error, int when)
{
	struct str options = {0};
	pid_t tracer;
	size_t i;

	for (i = 0; i < CALLS; i++)
		str_addf(&options, " -e inject=%s:error=%s:when=%d", calls[i],
			 error, when);
	tracer = attach(s, name, s->worker, str_text(&options));
	str_fini(&options);
	return tracer;
}

/* Which calls were made so often that one of them failed? */
static void
count_injected(struct sweep *s, const char *name)
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

/* Everybody is served, and then nothing is left of them. */
static void
check_rest(struct sweep *s, const char *name)
{
	unsigned long ticks;

	UNIT_CHECK(LAB_WAIT(visit(s->lab) == GUESTS, 3000),
		   "after %s: not all are served", name);
	UNIT_CHECK(LAB_WAIT(descriptors(s->worker) == s->descriptors, 3000),
		   "after %s: %zu descriptors and not %zu", name,
		   descriptors(s->worker), s->descriptors);
	ticks = lab_ticks(s->worker);
	lab_sleep(50);
	UNIT_CHECK(lab_ticks(s->worker) - ticks < 4, "after %s: it spins",
		   name);
}

static void
check_case(struct sweep *s, const char *error, int when)
{
	unsigned long before = lab_ticks(s->worker);
	char name[64];
	pid_t tracer;
	int served;

	snprintf(name, sizeof(name), "%s-%d", error, when);
	tracer = attach_all(s, name, error, when);
	served = visit(s->lab);
	UNIT_CHECK(served >= GUESTS / 4, "%s: only %d of %d are served", name,
		   served, GUESTS);
	UNIT_CHECK(lab_ticks(s->worker) - before < 30, "%s: %lu ticks", name,
		   lab_ticks(s->worker) - before);
	lab_stop(s->lab, tracer, SIGINT, 2000);
	count_injected(s, name);
	check_rest(s, name);
	UNIT_CHECK(alone_child(s->master, "worker") == s->worker,
		   "%s: it ended the worker", name);
}

static void
sweep_begin(struct sweep *s)
{
	static const char policy[] =
		"gateway {\n\tinside in0\n\tuser %s\n\tworkers 1\n}\n"
		"pool as-client {\n\tnode original\n\tsource client\n}\n"
		"service web {\n\tintercept tcp port 80 via tproxy\n"
		"\tuse as-client\n}\n"
		"service dns {\n\tintercept udp port 53 via tproxy\n"
		"\tuse as-client\n\tresponses 1\n\ttimeout idle 500ms\n}\n";
	int tcp, udp;

	memset(s, 0, sizeof(*s));
	s->lab = lab_begin(NULL, policy, &s->master);
	s->worker = alone_child(s->master, "worker");
	tcp = lab_serve(s->lab, AF_INET, 80);
	udp = lab_udp_serve(s->lab, AF_INET, LAB_HOST_SERVER);
	s->server = serve(tcp, udp);
	close(tcp);
	close(udp);
	s->descriptors = descriptors(s->worker);
}

static void
sweep_end(struct sweep *s)
{
	lab_stop(s->lab, s->server, SIGKILL, 1000);
	lab_end(s->lab, s->master);
}

static bool
is_fine(const struct sweep *s)
{
	return CU_get_number_of_failures() == s->lab->failures;
}

static void
flowing(void)
{
	struct sweep s;
	size_t i;

	sweep_begin(&s);
	check_rest(&s, "the start");
	/* the cases after one that went wrong say no more */
	for (i = 0; i < ERRORS * TIMES && is_fine(&s); i++)
		check_case(&s, errors[i / TIMES], 1 + (int)i % TIMES);
	/* pipes are kept: see below */
	for (i = 0; i < CALLS && is_fine(&s); i++)
		UNIT_CHECK(s.injected[i] >= ERRORS * TIMES / 2 ||
				   !strcmp(calls[i], "pipe2"),
			   "%s failed %zu times", calls[i], s.injected[i]);
	sweep_end(&s);
}

/* Bulk goes on without pipes, and has them as soon as there are some. */
static void
check_pipes(struct sweep *s, const char *error)
{
	char options[64];
	pid_t tracer;

	snprintf(options, sizeof(options),
		 " -e inject=pipe2:error=%s:when=1..%d", error, TIMES);
	tracer = attach(s, "pipes", s->worker, options);
	UNIT_CHECK(visit(s->lab) == GUESTS, "without pipes, %s", error);
	lab_stop(s->lab, tracer, SIGINT, 2000);
	UNIT_CHECK(lab_log_count("pipes", "INJECTED") >= BULK,
		   "pipe2 did not fail with %s", error);
	unlink(LAB_DIR "/pipes.log");
	check_rest(s, "pipe2");
}

/*
 * A worker that cannot start is replaced by one that can. Not with
 * sanitizers, which give up without memory of their own.
 */
static void
check_start(struct sweep *s, const char *error, int when, size_t *injected)
{
	char options[64];
	pid_t tracer;

#ifdef __SANITIZE_ADDRESS__
	*injected = ERRORS;
	return;
#endif
	snprintf(options, sizeof(options),
		 " -f -e inject=mmap:error=%s:when=%d", error, when);
	tracer = attach(s, "start", s->master, options);
	kill(s->worker, SIGKILL);
	CU_ASSERT(
		LAB_WAIT(alone_child(s->master, "worker") != s->worker, 3000));
	lab_sleep(100);
	lab_stop(s->lab, tracer, SIGINT, 2000);
	*injected += lab_log_count("start", "INJECTED");
	unlink(LAB_DIR "/start.log");
	UNIT_CHECK(LAB_WAIT(visit(s->lab) == GUESTS, 6000),
		   "no worker after mmap %d, %s", when, error);
	UNIT_CHECK(lab_log_count("proxyd", "was killed by signal") ==
			   lab_log_count("proxyd", "killed by signal 9"),
		   "mmap %d, %s: a crash", when, error);
	s->worker = alone_child(s->master, "worker");
	check_rest(s, "mmap");
}

static void
starting(void)
{
	size_t i, injected = 0;
	struct sweep s;

	for (i = 0; i < ERRORS; i++) {
		sweep_begin(&s);
		check_pipes(&s, errors[i]);
		check_start(&s, errors[i], 1 + (int)i % TIMES, &injected);
		lab_stop(s.lab, s.server, SIGKILL, 1000);
		CU_ASSERT_EQUAL(lab_stop(s.lab, s.master, SIGINT, 5000), 0);
		lab_down(s.lab);
	}
	/* it needs fewer than five */
	UNIT_CHECK(injected >= ERRORS / 2, "mmap failed %zu times", injected);
}

static const struct unit_test tests[] = {
	{"flowing", flowing},
	{"starting", starting},
};

LAB_MAIN("sweep", tests)
