/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_faults.c - proxyd where something is wrong around it: system calls
 * that fail, a peer that vanished, a log that nobody reads, a careless
 * parent. It goes on, does not spin, and loses nothing silently.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/alone.h"

/* --- peers that say nothing ----------------------------------------------- */

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* How many sockets of the gateway wait to ask their peer? */
static size_t
asked(struct lab *lab, struct str *out)
{
	str_clear(out);
	lab_run(lab, LAB_GATEWAY, out, "ss -H -tno state established");
	return count(str_text(out), "timer:(keepalive,4min");
}

/* The kernel asks both peers of an idle flow, after five minutes first. */
static void
keepalive(void)
{
	static const char policy[] =
		"gateway {\n\tinside in0\n\tuser %s\n\tworkers 1\n}\n"
		"service web {\n\tintercept tcp port 80\n}\n";
	struct lab_flow flows[2];
	struct str out = {0};
	struct lab *lab;
	int i, l;
	pid_t pid;

	lab = lab_begin(NULL, policy, &pid);
	for (i = 0; i < 2; i++) {
		l = lab_serve(lab, lab_families[i], 80);
		lab_flow_open(lab, lab_families[i], l, NULL, 80, &flows[i]);
		CU_ASSERT(lab_flow_works(&flows[i]));
		close(l);
	}
	/* what was sent is acknowledged: no other timer is set */
	CU_ASSERT(LAB_WAIT(
		lab_sockets(lab, LAB_GATEWAY, "state established") == 4, 1000));
	/* the server's side once it is known that the flow lasts */
	CU_ASSERT(LAB_WAIT(asked(lab, &out) == 4, 3000));
	UNIT_CHECK(asked(lab, &out) == 4, "%s", str_text(&out));
	str_fini(&out);
	for (i = 0; i < 2; i++)
		lab_flow_close(&flows[i]);
	lab_end(lab, pid);
}

/*
 * The client does not read for so long that the flow ends: it must not take
 * what it got for the whole.
 */
static void
cut_is_no_end(void)
{
	char sink[65536];
	struct lab_flow f;
	struct lab *lab;
	ssize_t n;
	pid_t pid;
	int l;

	lab = alone_begin("\ttimeout idle 600ms\n", "", &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	alone_flow(lab, l, &f);
	lab_stuff(f.server);
	CU_ASSERT(lab_closed("idle-timeout", 1));
	do
		n = lab_recv(f.client, sink, sizeof(sink), 2000);
	while (n > 0);
	UNIT_CHECK(n == -ECONNRESET, "the client read to %zd", n);
	lab_flow_close(&f);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- what proxyd was started with ----------------------------------------- */

/* Its parent ignores SIGCHLD: it must still see its children end. */
static void
careless_parent(void)
{
	struct lab *lab = lab_up(&alone_options);
	pid_t pid, worker;

	lab_policy(lab,
		   "gateway { user %s; workers 1 }\n"
		   "pool app { node " LAB_SERVER4 ":80; source gateway }\n"
		   "service web { listen tcp 80; use app }\n",
		   lab_user());
	pid = lab_spawn(lab, LAB_GATEWAY, "proxyd",
			"env --ignore-signal=CHLD proxyd -f " LAB_DIR
			"/policy.conf");
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "proxyd: ready"), 5000));
	worker = alone_child(pid, "worker");
	CU_ASSERT_FATAL(worker > 0);
	kill(worker, SIGKILL);
	CU_ASSERT(LAB_WAIT(alone_child(pid, "worker") > 0 &&
				   alone_child(pid, "worker") != worker,
			   3000));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGTERM, 5000), 0);
	lab_down(lab);
}

/* More listening sockets than the soft limit of descriptors allows. */
static void
many_services(void)
{
	struct lab *lab = lab_up(&alone_options);
	struct str policy = {0};
	pid_t pid;
	int i;

	str_addf(&policy,
		 "gateway { user %s; workers 1; max-flows 100000 }\n"
		 "pool app { node " LAB_SERVER4 ":80; source gateway }\n",
		 lab_user());
	for (i = 0; i < 100; i++)
		str_addf(&policy, "service s%d { listen tcp %d; use app }\n", i,
			 80 + i);
	lab_policy(lab, "%s", str_text(&policy));
	str_fini(&policy);
	pid = lab_spawn(lab, LAB_GATEWAY, "proxyd",
			"prlimit --nofile=128:400 proxyd -f " LAB_DIR
			"/policy.conf");
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "proxyd: ready"), 5000));
	/* 200 for listeners, 12 for pipes, 64 for all else */
	CU_ASSERT(lab_logged("proxyd", "max-flows is 62,"));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGTERM, 5000), 0);
	lab_down(lab);
}

/* --- a log that nobody reads ---------------------------------------------- */

/*
 * Standard error is a pipe, and full: neither the worker, which refuses a
 * flow, nor the master, whose worker dies, may wait for it.
 */
static void
log_is_stuck(void)
{
	struct lab *lab = lab_up(&alone_options);
	struct lab_flow f;
	pid_t pid, worker;
	int i, l;

	lab_policy(lab,
		   "gateway { user %s; workers 1 }\n"
		   "pool app { node " LAB_SERVER4 ":80; source gateway }\n"
		   "pool me { node 127.0.0.1:81; source gateway }\n"
		   "service web { listen tcp 80; use app }\n"
		   "service loop { listen tcp 81; use me }\n",
		   lab_user());
	lab_must(lab, LAB_GATEWAY, "mkfifo " LAB_DIR "/stuck");
	pid = lab_spawn(lab, LAB_GATEWAY, "stuck",
			"sh -c 'exec 3<>" LAB_DIR "/stuck; "
			"dd if=/dev/zero of=" LAB_DIR "/stuck bs=4096 "
			"oflag=nonblock; "
			"exec proxyd -f " LAB_DIR "/policy.conf 2>&3'");
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	CU_ASSERT(LAB_WAIT(lab_sockets(lab, LAB_GATEWAY,
				       "state listening sport = :81") == 2,
			   5000));
	CU_ASSERT(LAB_WAIT((worker = alone_child(pid, "worker")) > 0, 2000));
	for (i = 0; i < 2; i++) {
		lab_expect_reset(lab_connect(lab, LAB_CLIENT, NULL,
					     LAB_GATEWAY4 ":81", 2000),
				 2000);
		alone_flow(lab, l, &f);
		CU_ASSERT(lab_flow_works(&f));
		lab_flow_close(&f);
		kill(worker, SIGKILL);
		CU_ASSERT(LAB_WAIT(alone_child(pid, "worker") > 0 &&
					   alone_child(pid, "worker") != worker,
				   3000));
		worker = alone_child(pid, "worker");
	}
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGTERM, 5000), 0);
	close(l);
	lab_down(lab);
}

/* --- ends ----------------------------------------------------------------- */

/* The master dies while the worker drains: SIGTERM must end that one. */
static void
orphan_of_a_drain(void)
{
	pid_t pid, worker;
	struct lab_flow f;
	struct lab *lab;
	int l;

	lab = alone_begin("\tdrain-timeout 1h\n", "", &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	alone_flow(lab, l, &f);
	worker = alone_child(pid, "worker");
	kill(pid, SIGTERM);
	CU_ASSERT(LAB_WAIT(alone_knock(lab) == -ECONNREFUSED, 2000));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGKILL, 1000), 137);
	CU_ASSERT(lab_flow_works(&f));
	kill(worker, SIGTERM);
	CU_ASSERT(LAB_WAIT(!lab_alive(worker), 1000));
	lab_flow_close(&f);
	close(l);
	lab_down(lab);
}

/* --- system calls that fail ----------------------------------------------- */

/* While a call of the worker's fails, some clients come. */
static void
check_failing(struct lab *lab, pid_t worker, const char *call,
	      const char *error, const char *when)
{
	unsigned long before;
	char name[64];
	pid_t tracer;
	int i, fd;

	snprintf(name, sizeof(name), "%s-%s", call, error);
	tracer = lab_spawn(lab, LAB_GATEWAY, name,
			   "strace -p %d -e trace=%s "
			   "-e inject=%s:error=%s:when=%s",
			   (int)worker, call, call, error, when);
	CU_ASSERT(LAB_WAIT(lab_logged(name, "attached"), 3000));
	before = lab_ticks(worker);
	for (i = 0; i < 3; i++) {
		fd = alone_knock(lab);
		if (fd >= 0)
			close(fd);
	}
	lab_sleep(300);
	UNIT_CHECK(lab_ticks(worker) - before < 15, "%s: %lu ticks of 30", name,
		   lab_ticks(worker) - before);
	UNIT_CHECK(lab_log_count(name, "INJECTED") > 0, "%s: not called", name);
	UNIT_CHECK(lab_log_count(name, "INJECTED") < 150, "%s: %zu calls", name,
		   lab_log_count(name, "INJECTED"));
	lab_stop(lab, tracer, SIGINT, 2000);
}

static void
failing_calls(void)
{
	/* clang-format off */
	static const struct {
		const char *call;
		const char *error;
		const char *when; /* which calls, as strace(1) has it */
	} rows[] = {
		{"accept4",     "EMFILE",       "1+"},
		{"accept4",     "ENOBUFS",      "1+"},
		{"accept4",     "ECONNABORTED", "1..9"},
		{"accept4",     "EINTR",        "1..9"},
		{"socket",      "EMFILE",       "1+"},
		{"socket",      "ENOBUFS",      "1+"},
		{"socket",      "EAFNOSUPPORT", "1+"},
		{"connect",     "ENETUNREACH",  "1+"},
		{"connect",     "EAGAIN",       "1+"},
		{"setsockopt",  "ENOMEM",       "1+"},
		{"getsockopt",  "ENOBUFS",      "1+"},
		{"getsockname", "ENOBUFS",      "1+"},
		{"epoll_ctl",   "ENOSPC",       "1+"},
		{"epoll_ctl",   "ENOMEM",       "1+"},
		{"recvfrom",    "EINTR",        "1..9"},
	};
	/* clang-format on */
	struct lab_flow f;
	struct lab *lab;
	pid_t pid, worker;
	int l, before;
	size_t i;

	lab = alone_begin("", "", &pid);
	worker = alone_child(pid, "worker");
	l = lab_listen(lab, LAB_SERVER, "0.0.0.0:80");
	before = (int)lab_descriptors(worker).n;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_failing(lab, worker, rows[i].call, rows[i].error,
			      rows[i].when);
		while ((f.server = lab_accept(l, 250, NULL)) >= 0)
			close(f.server);
		alone_flow(lab, l, &f);
		UNIT_CHECK(lab_flow_works(&f), "after %s", rows[i].call);
		lab_flow_close(&f);
	}
	CU_ASSERT(LAB_WAIT((int)lab_descriptors(worker).n == before, 2000));
	CU_ASSERT_EQUAL(alone_child(pid, "worker"), worker);
	CU_ASSERT(!lab_logged("proxyd", "close=internal"));
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"keepalive", keepalive},
	{"cut_is_no_end", cut_is_no_end},
	{"careless_parent", careless_parent},
	{"many_services", many_services},
	{"log_is_stuck", log_is_stuck},
	{"orphan_of_a_drain", orphan_of_a_drain},
	{"failing_calls", failing_calls},
};

LAB_MAIN("faults", tests)
