/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_store.c - the service manager keeps what clients wait at: over a
 * crash of all of proxyd, and not longer than that.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lab/crowd.h"

enum { WAITING = 20, PATIENCE_MS = 10000 };

#define MANAGER "tool_manager " LAB_DIR "/manager " LAB_DIR "/notify proxyd"

/* %s: the user; further services. */
static const char policy[] = "gateway {\n"
			     "	user %s\n"
			     "	workers 2\n"
			     "	drain-timeout 3s\n"
			     "}\n"
			     "pool app {\n"
			     "	node " LAB_SERVER4 ":80\n"
			     "	source gateway\n"
			     "}\n"
			     "service web {\n"
			     "	listen tcp 80\n"
			     "	use app\n"
			     "}\n"
			     "%s";

static const char more[] = "service more {\n"
			   "	listen tcp 10.1.0.1:81\n"
			   "	use app\n"
			   "}\n";

static const struct lab_options options = {.forwarding = true};

/* The manager's pid; proxyd is below it. */
static struct lab *
begin(const char *services, pid_t *ret_manager)
{
	struct lab *lab = lab_up(&options);

	lab_policy(lab, policy, lab_user(), services);
	*ret_manager = lab_proxyd_at(lab, MANAGER, "");
	CU_ASSERT_FATAL(*ret_manager > 0);
	return lab;
}

static pid_t
master(pid_t manager)
{
	pid_t pid = -1;

	return lab_children(manager, NULL, &pid, 1) ? pid : -1;
}

static bool
kept(const char *what, size_t n)
{
	char text[128];

	snprintf(text, sizeof(text), "keeps %s\n", what);
	return LAB_WAIT(lab_log_count("proxyd", text) == n, 3000);
}

/*
 * All that proxyd is, stopped or killed. Stopped first in any case: nobody
 * shall see another's end.
 */
static void
strike(pid_t manager, int sig)
{
	pid_t all[17];
	size_t i, n;

	all[0] = master(manager);
	kill(all[0], SIGSTOP);
	n = 1 + lab_children(all[0], NULL, all + 1, 16);
	for (i = 1; i < n; i++)
		kill(all[i], SIGSTOP);
	/* the master last: its end would wake the others, setpgid(2) */
	while (n-- > 0)
		kill(all[n], sig);
}

static int
knock(struct lab *lab, const char *port)
{
	char at[64];

	snprintf(at, sizeof(at), "10.1.0.1:%s", port);
	return lab_connect(lab, LAB_CLIENT, NULL, at, 2000);
}

/*
 * They connect while nobody accepts, and then all of it is killed: they are
 * served, every one of them, by the next proxyd.
 */
static void
crash(void)
{
	pid_t manager, before;
	struct lab *lab = begin("", &manager);
	int clients[WAITING], server, i;
	char buf[16];

	server = lab_serve(lab, AF_INET, 80);
	CU_ASSERT(kept("tcp-0.0.0.0-80", 2));
	CU_ASSERT(kept("tcp-__-80", 2));
	before = master(manager);
	strike(manager, SIGSTOP);
	for (i = 0; i < WAITING; i++) {
		clients[i] = knock(lab, "80");
		CU_ASSERT_FATAL(clients[i] >= 0);
		lab_send(clients[i], "hello");
	}
	strike(manager, SIGKILL);
	for (i = 0; i < WAITING; i++) {
		int fd = lab_accept(server, PATIENCE_MS, NULL);

		UNIT_CHECK(fd >= 0, "%d: %s", i, strerror(-fd));
		UNIT_CHECK(lab_recv(fd, buf, sizeof(buf), 3000) == 5, "%d", i);
		close(fd);
	}
	for (i = 0; i < WAITING; i++) {
		UNIT_CHECK(lab_recv(clients[i], buf, sizeof(buf), 3000) == 0,
			   "client %d", i);
		close(clients[i]);
	}
	CU_ASSERT(master(manager) > 0 && master(manager) != before);
	/* the same ones: nothing was added to the store */
	CU_ASSERT(kept("tcp-0.0.0.0-80", 2));
	CU_ASSERT(lab_logged("proxyd", "with 4\n"));
	CU_ASSERT_EQUAL(lab_stop(lab, manager, SIGINT, 5000), 0);
	close(server);
	lab_down(lab);
}

/* What no service wants any more is closed, and is not kept. */
static void
changed(void)
{
	pid_t manager;
	struct lab *lab = begin(more, &manager);

	CU_ASSERT(kept("tcp-10.1.0.1-81", 2));
	lab_policy(lab, policy, lab_user(), "");
	strike(manager, SIGKILL);
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "nobody listens on tcp "
						"10.1.0.1:81 any more"),
			   PATIENCE_MS));
	CU_ASSERT(LAB_WAIT(
		lab_log_count("proxyd", "forgets tcp-10.1.0.1-81\n") == 2,
		3000));
	CU_ASSERT(LAB_WAIT(knock(lab, "81") == -ECONNREFUSED, 3000));
	/* and the other way round, by a reload */
	lab_policy(lab, policy, lab_user(), more);
	kill(master(manager), SIGHUP);
	CU_ASSERT(kept("tcp-10.1.0.1-81", 4));
	CU_ASSERT_EQUAL(lab_stop(lab, manager, SIGINT, 5000), 0);
	lab_down(lab);
}

/*
 * Told to end, nothing is kept: a client that comes while the last flow
 * finishes is refused at once, as if there were no store.
 */
static void
stop(void)
{
	pid_t manager, pid;
	struct lab *lab = begin("", &manager);
	int server = lab_serve(lab, AF_INET, 80), client;
	struct lab_flow flow;

	CU_ASSERT(kept("tcp-0.0.0.0-80", 2));
	flow.client = knock(lab, "80");
	flow.server = lab_accept(server, 3000, NULL);
	CU_ASSERT_FATAL(flow.client >= 0 && flow.server >= 0);
	pid = master(manager);
	kill(pid, SIGTERM);
	CU_ASSERT(LAB_WAIT(lab_log_count("proxyd", "forgets ") == 4, 3000));
	CU_ASSERT(LAB_WAIT((client = knock(lab, "80")) == -ECONNREFUSED, 2000));
	CU_ASSERT(lab_alive(pid) && lab_flow_works(&flow));
	lab_flow_close(&flow);
	CU_ASSERT_EQUAL(lab_stop(lab, manager, 0, 10000), 0);
	close(server);
	lab_down(lab);
}

/* Replaced in place the store stays; a crash after that is no different. */
static void
replaced(void)
{
	pid_t manager;
	struct lab *lab = begin("", &manager);
	int server = lab_serve(lab, AF_INET, 80), client, fd;

	CU_ASSERT(kept("tcp-0.0.0.0-80", 2));
	kill(master(manager), SIGUSR2);
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "proxyd: replaced\n"),
			   PATIENCE_MS));
	/* whoever ends shall do so in peace */
	CU_ASSERT(LAB_WAIT(crowd_is_one(master(manager)), PATIENCE_MS));
	strike(manager, SIGSTOP);
	client = knock(lab, "80");
	CU_ASSERT_FATAL(client >= 0);
	strike(manager, SIGKILL);
	fd = lab_accept(server, PATIENCE_MS, NULL);
	CU_ASSERT(fd >= 0);
	CU_ASSERT(kept("tcp-0.0.0.0-80", 2));
	CU_ASSERT_EQUAL(lab_stop(lab, manager, SIGINT, 5000), 0);
	close(fd);
	close(client);
	close(server);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"crash", crash},
	{"changed", changed},
	{"stop", stop},
	{"replaced", replaced},
};

LAB_MAIN("store", tests)
