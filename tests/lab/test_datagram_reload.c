/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_datagram_reload.c - flows of datagrams go on while proxyd is reloaded,
 * or replaced.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/crowd.h"
#include "tests/lab/lab_udp.h"

enum { CLIENTS = 30, TIMES = 6, FIRST_PORT = 21000 };

static void
reload(pid_t pid, int turn)
{
	(void)turn;
	crowd_reload(pid);
}

/* Another program takes over crews of which some drain, or begin to. */
static void
replace(pid_t pid, int turn)
{
	size_t before = lab_log_count("proxyd", "replaced");

	if (turn % 3 == 0)
		crowd_reload(pid);
	kill(pid, SIGHUP);
	lab_sleep(13 * (unsigned int)turn);
	kill(pid, SIGUSR2);
	if (turn % 2)
		kill(pid, SIGHUP);
	CU_ASSERT(LAB_WAIT(lab_log_count("proxyd", "replaced") > before, 8000));
}

/* Everyone asks, and everyone is answered; how many were not? */
static int
round_of(const int *clients, int n, int turn)
{
	char word[32];
	int i, lost = 0;

	for (i = 0; i < n; i++) {
		snprintf(word, sizeof(word), "r-%d-%d", i, turn);
		lab_send(clients[i], word);
	}
	for (i = 0; i < n; i++) {
		snprintf(word, sizeof(word), "r-%d-%d", i, turn);
		lost += !lab_udp_receives(clients[i], word, NULL);
	}
	return lost;
}

/* Questions all the while, by a process of their own; its status says. */
static pid_t
keep_asking(const int *clients, int n)
{
	int turn, lost = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid != 0)
		return pid;
	for (turn = 0; lab_alive(getppid()) && turn < 100000; turn++) {
		lost += round_of(clients, n, turn);
		if (access(LAB_DIR "/enough", F_OK) == 0)
			break;
	}
	_exit(lost > 100 ? 100 : lost);
}

/* The same flows from the beginning to the end; the alive set is never empty */
static void
check(const char *via, int family, void (*renew)(pid_t pid, int turn))
{
	struct lab *lab;
	pid_t pid, echo, asking, watch;
	int clients[CLIENTS], i, lost;

	lab = lab_udp_begin(NULL, via, "client-port", "", &pid);
	echo = lab_udp_echo(lab, family, LAB_HOST_SERVER);
	for (i = 0; i < CLIENTS; i++)
		clients[i] = lab_udp_client(lab, family,
					    FIRST_PORT + (unsigned int)i,
					    LAB_HOST_SERVER);
	CU_ASSERT_EQUAL(round_of(clients, CLIENTS, 0), 0);
	crowd_watch(lab, "dns", &watch);
	asking = keep_asking(clients, CLIENTS);
	for (i = 0; i < TIMES; i++)
		renew(pid, i);
	/* longer than a flow lives in a worker that drains */
	lab_sleep(1500);
	lab_write_file(LAB_DIR "/enough", "");
	lost = lab_stop(lab, asking, 0, 5000);
	UNIT_CHECK(crowd_gaps(lab, watch) == 0, "no alive set via %s", via);
	UNIT_CHECK(lost == 0, "%d answers are missing via %s", lost, via);
	for (i = 0; i < CLIENTS; i++)
		close(clients[i]);
	lab_stop(lab, echo, SIGKILL, 1000);
	UNIT_CHECK(lab_log_count("proxyd", "mode=udp") == 0,
		   "flows ended via %s", via);
	lab_stop_proxyd(lab, pid);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", " close=stopped"), CLIENTS);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "mode=udp"), CLIENTS);
	lab_down(lab);
}

static void
reloads(void)
{
	check("tproxy", AF_INET, reload);
	check("redirect", AF_INET6, reload);
}

static void
mixed(void)
{
	check("tproxy", AF_INET6, replace);
	check("redirect", AF_INET, replace);
}

/* Of a service that is no more, flows are given their second, and end. */
static void
removed(void)
{
	struct lab *lab;
	int client, server;
	pid_t pid;

	lab = lab_udp_begin(NULL, "tproxy", "client", "", &pid);
	server = lab_udp_serve(lab, AF_INET, LAB_HOST_SERVER);
	client = lab_udp_client(lab, AF_INET, 0, LAB_HOST_SERVER);
	CU_ASSERT(lab_udp_asks(client, server, "question", NULL));
	lab_policy(lab,
		   "gateway {\n inside in0\n outside out0\n user %s\n}\n"
		   "service other {\n intercept udp port 54\n}\n",
		   lab_user());
	crowd_reload(pid);
	CU_ASSERT(LAB_WAIT(lab_log_count("proxyd", " close=drain-timeout") == 1,
			   8000));
	close(client);
	close(server);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"reloads", reloads},
	{"mixed", mixed},
	{"removed", removed},
};

LAB_MAIN("datagram_reload", tests)
