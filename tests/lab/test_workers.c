/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_workers.c - two workers: each gets its share, and when one dies or
 * hangs, only its own flows know.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/crowd.h"

enum { FLOWS = 48 };

static const char two[] = "gateway {\n"
			  "	inside in0\n"
			  "	user %s\n"
			  "	workers 2\n"
			  "	alive-timeout 3s\n"
			  "}\n"
			  "service web {\n"
			  "	intercept tcp port 80 via redirect\n"
			  "	listen tcp 8080\n"
			  "}\n"
			  "service other {\n"
			  "	intercept tcp port 82 via tproxy\n"
			  "}\n";

/* Open flows to the server's `port` and leave them open. */
static void
open_flows(struct lab *lab, int family, unsigned int port,
	   struct lab_flow *flows, size_t n)
{
	int l = lab_serve(lab, family, port);
	size_t i;

	for (i = 0; i < n; i++)
		lab_flow_open(lab, family, l, NULL, port, &flows[i]);
	close(l);
}

static void
close_flows(struct lab_flow *flows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		lab_flow_close(&flows[i]);
}

/* --- shares --------------------------------------------------------------- */

static void
check_shares(struct lab *lab, pid_t pid, int family, unsigned int port)
{
	struct lab_flow flows[FLOWS];
	pid_t workers[CROWD_MAX];
	size_t before[2], i;

	/* what was before has been closed */
	lab_sleep(300);
	CU_ASSERT_EQUAL_FATAL(crowd_workers(pid, workers), 2);
	for (i = 0; i < 2; i++)
		before[i] = lab_descriptors(workers[i]).n;
	open_flows(lab, family, port, flows, FLOWS);
	for (i = 0; i < 2; i++)
		UNIT_CHECK(lab_descriptors(workers[i]).n >=
				   before[i] + 2 * (FLOWS / 6),
			   "port %u, family %d: worker %zu has %zu of %d", port,
			   family, i,
			   (lab_descriptors(workers[i]).n - before[i]) / 2,
			   FLOWS);
	close_flows(flows, FLOWS);
	for (i = 0; i < 2; i++)
		CU_ASSERT(LAB_WAIT(lab_descriptors(workers[i]).n <= before[i],
				   3000));
}

/* The kernel spreads clients over the sockets, whatever brings them. */
static void
shares(void)
{
	struct lab *lab;
	pid_t pid;
	int i;

	lab = lab_begin(NULL, two, &pid);
	for (i = 0; i < 2; i++) {
		check_shares(lab, pid, lab_families[i], 80);
		check_shares(lab, pid, lab_families[i], 82);
	}
	lab_end(lab, pid);
}

/* With `listen`, whom no rule brings. */
static void
shares_listen(void)
{
	pid_t pid, workers[CROWD_MAX];
	size_t before[2], i, n[2];
	struct lab *lab;
	int fds[FLOWS], l;

	lab = lab_up(NULL);
	lab_policy(lab,
		   "gateway { user %s; workers 2 }\n"
		   "pool app { node " LAB_SERVER4 ":80; source gateway }\n"
		   "service web { listen tcp 80; use app }\n",
		   lab_user());
	pid = lab_proxyd_up(lab);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	CU_ASSERT_EQUAL_FATAL(crowd_workers(pid, workers), 2);
	for (i = 0; i < 2; i++)
		before[i] = lab_descriptors(workers[i]).n;
	for (i = 0; i < FLOWS; i++)
		fds[i] = lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":80",
				     2000);
	CU_ASSERT(LAB_WAIT(lab_descriptors(workers[0]).n +
					   lab_descriptors(workers[1]).n >=
				   before[0] + before[1] + 2 * FLOWS,
			   3000));
	for (i = 0; i < 2; i++) {
		n[i] = lab_descriptors(workers[i]).n - before[i];
		UNIT_CHECK(n[i] >= 2 * (FLOWS / 6), "worker %zu: %zu", i, n[i]);
	}
	for (i = 0; i < FLOWS; i++)
		close(fds[i]);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/*
 * Sockets that workers share with each other they share with nobody else: a
 * second proxyd is refused, and so is one of its user's with the option.
 */
static void
second(void)
{
	static const char *const policies[] = {
		"service web { listen tcp 80 }\n",
		"service web { listen tcp 10.1.0.1:80 }\n",
		"service web { listen tcp [fd01::1]:80 }\n",
		"service dns { listen udp 53 }\n",
		"service dns { listen udp 10.1.0.1:53 }\n",
		"service dns { listen udp [fd01::1]:53 }\n",
	};
	struct str out = {0};
	struct lab *lab;
	pid_t pid;
	size_t i;

	lab = lab_up(NULL);
	lab_policy(lab,
		   "gateway { user %s; workers 2 }\n"
		   "service web { listen tcp 80 }\n"
		   "service dns { listen udp 53 }\n",
		   lab_user());
	pid = lab_proxyd_up(lab);
	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		str_clear(&out);
		lab_policy(lab, "gateway { user %s; workers 2 }\n%s",
			   lab_user(), policies[i]);
		CU_ASSERT_EQUAL(lab_run(lab, LAB_GATEWAY, &out,
					"proxyd -f " LAB_DIR "/policy.conf"),
				1);
		UNIT_CHECK(strstr(str_text(&out), "Address already in use") !=
				   NULL,
			   "%s%s", policies[i], str_text(&out));
	}
	str_fini(&out);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- one of two ----------------------------------------------------------- */

/* kill -9 of one, under load: its flows end, and nobody else notices. */
static void
killed(void)
{
	pid_t pid, watch, workers[CROWD_MAX], after[CROWD_MAX];
	struct lab_flow flows[FLOWS];
	size_t i, ended = 0, work = 0;
	struct lab *lab;

	lab = lab_begin(NULL, two, &pid);
	lab_spawn(lab, LAB_SERVER, "server", "tool_server 80 -");
	open_flows(lab, AF_INET, 82, flows, FLOWS);
	crowd_watch(lab, "web", &watch);
	CU_ASSERT_EQUAL_FATAL(crowd_workers(pid, workers), 2);
	kill(workers[1], SIGKILL);
	/* who comes at this moment is served, by the other */
	lab_must(lab, LAB_CLIENT,
		 "tool_churn 4 1 " LAB_SERVER4 ":80 [" LAB_SERVER6 "]:80");
	for (i = 0; i < FLOWS; i++) {
		if (lab_ended(flows[i].client, 1))
			ended++;
		else
			work += lab_flow_works(&flows[i]);
	}
	UNIT_CHECK(ended >= FLOWS / 6 && work >= FLOWS / 6 &&
			   ended + work == FLOWS,
		   "%zu flows ended, %zu still work", ended, work);
	CU_ASSERT(LAB_WAIT(crowd_workers(pid, after) == 2, 3000));
	CU_ASSERT(lab_alive(workers[0]));
	CU_ASSERT_EQUAL(crowd_gaps(lab, watch), 0);
	close_flows(flows, FLOWS);
	/* both have their share again */
	check_shares(lab, pid, AF_INET, 82);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGINT, 5000), 0);
	lab_down(lab);
}

/* SIGSTOP of one: from the first second on the other serves for it. */
static void
stopped(void)
{
	pid_t pid, watch, workers[CROWD_MAX], after[CROWD_MAX];
	struct lab *lab;
	uint64_t slowest = 0, began;
	size_t i;

	lab = lab_begin(NULL, two, &pid);
	lab_nginx(lab);
	crowd_watch(lab, "web", &watch);
	CU_ASSERT_EQUAL_FATAL(crowd_workers(pid, workers), 2);
	kill(workers[0], SIGSTOP);
	for (i = 0; i < 40; i++) {
		began = clock_now_ms();
		CU_ASSERT_EQUAL(lab_get(lab, LAB_CLIENT, NULL,
					LAB_SERVER4 ":80", "/", NULL),
				200);
		if (clock_now_ms() - began > slowest)
			slowest = clock_now_ms() - began;
	}
	UNIT_CHECK(slowest > 100 && slowest < 2000, "the slowest waited %u ms",
		   (unsigned int)slowest);
	/* it still hangs, and has not been killed for it yet */
	CU_ASSERT(lab_alive(workers[0]));
	CU_ASSERT(LAB_WAIT(!lab_alive(workers[0]), 4000));
	CU_ASSERT(LAB_WAIT(crowd_workers(pid, after) == 2, 3000));
	CU_ASSERT(lab_logged("proxyd", "signal 9, because it hung"));
	CU_ASSERT_EQUAL(crowd_gaps(lab, watch), 0);
	/* its successor ticks, and is given what is its own */
	lab_sleep(500);
	check_shares(lab, pid, AF_INET, 82);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGINT, 5000), 0);
	lab_down(lab);
}

/* Stopped and continued: it has its slot back, and is not killed. */
static void
continued(void)
{
	pid_t pid, workers[CROWD_MAX];
	struct lab *lab;
	size_t i;

	lab = lab_begin(NULL, two, &pid);
	lab_nginx(lab);
	CU_ASSERT_EQUAL_FATAL(crowd_workers(pid, workers), 2);
	kill(workers[0], SIGSTOP);
	lab_sleep(1500);
	for (i = 0; i < 10; i++)
		CU_ASSERT_EQUAL(lab_get(lab, LAB_CLIENT, NULL,
					LAB_SERVER4 ":80", "/", NULL),
				200);
	kill(workers[0], SIGCONT);
	lab_sleep(500);
	check_shares(lab, pid, AF_INET, 82);
	CU_ASSERT(lab_alive(workers[0]));
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"shares", shares},   {"shares_listen", shares_listen},
	{"second", second},   {"killed", killed},
	{"stopped", stopped}, {"continued", continued},
};

LAB_MAIN("workers", tests)
