/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_http_reload.c - the policy, the program and a worker change under
 * requests of clients that keep their connection: none of them fails.
 */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/crowd.h"
#include "tests/lab/web.h"

enum {
	TIMES = 10,
	CLIENTS = 32,
	LATE_MS = 8000,
};

#define GATEWAY "\tworkers 2\n\talive-timeout 1s\n\tdrain-timeout 20s\n"

/* --- under load ----------------------------------------------------------- */

/* In turns: the policy is read anew, the program replaced. */
static void
change(void *owner, size_t i)
{
	pid_t pid = *(pid_t *)owner;
	size_t before = lab_log_count("proxyd", "proxyd: replaced");

	if (i % 2 == 0) {
		crowd_reload(pid);
		return;
	}
	kill(pid, SIGUSR2);
	UNIT_CHECK(
		LAB_WAIT(lab_log_count("proxyd", "proxyd: replaced") > before,
			 LATE_MS),
		"not replaced, the %zuth time", i);
}

/* Requests once, kept, and of a slow download: none fails. */
static void
in_turns(void)
{
	struct lab *lab;
	pid_t pid;

	lab = web_proxyd(GATEWAY, "\tsource client\n", "", &pid);
	lab_nginx(lab);
	crowd_trial(lab, pid, TIMES, change, &pid);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", " status=50"), 0);
	lab_end(lab, pid);
}

/* As many as can be, on connections that are kept as long as they last. */
static void
pressed(void)
{
	struct str out = {0};
	struct lab *lab;
	pid_t pid, wrk;
	size_t i;

	lab = web_begin(GATEWAY, "\tsource client\n",
			"\tintercept tcp port 80 via tproxy\n"
			"\tlog access none\n",
			&pid);
	wrk = lab_spawn(lab, LAB_CLIENT, "wrk",
			"wrk -t 1 -c 32 -d 3s http://" LAB_SERVER4 "/who");
	lab_sleep(200);
	for (i = 0; i < TIMES && lab_alive(wrk); i++) {
		change(&pid, i);
		lab_sleep(100);
	}
	CU_ASSERT_EQUAL(lab_stop(lab, wrk, 0, 10000), 0);
	lab_read_file(LAB_DIR "/wrk.log", &out);
	UNIT_CHECK(i >= TIMES / 2 && strstr(str_text(&out), "requests in") &&
			   !strstr(str_text(&out), "Socket errors") &&
			   !strstr(str_text(&out), "Non-2xx"),
		   "%zu changes: %s", i, str_text(&out));
	str_fini(&out);
	lab_end(lab, pid);
}

/* --- a worker dies -------------------------------------------------------- */

/* kill -9 of one of two: its clients' connections end, and no others. */
static void
killed(void)
{
	size_t i, ended = 0, work = 0;
	pid_t pid, workers[CROWD_MAX];
	struct web_who who;
	int fds[CLIENTS];
	struct lab *lab;

	lab = web_begin(GATEWAY, "\tsource client\n", "", &pid);
	for (i = 0; i < CLIENTS; i++) {
		fds[i] = web_open(lab, NULL, LAB_SERVER4 ":80");
		web_ask_who(fds[i], "", &who);
	}
	CU_ASSERT_EQUAL_FATAL(crowd_workers(pid, workers), 2);
	kill(workers[0], SIGKILL);
	CU_ASSERT(LAB_WAIT(!lab_alive(workers[0]), LATE_MS));
	for (i = 0; i < CLIENTS; i++) {
		if (lab_ended(fds[i], 1))
			ended++;
		else
			work += web_ask_who(fds[i], "", &who);
		close(fds[i]);
	}
	UNIT_CHECK(ended >= CLIENTS / 8 && work >= CLIENTS / 8 &&
			   ended + work == CLIENTS,
		   "%zu ended, %zu still work", ended, work);
	for (i = 0; i < CLIENTS; i++) {
		fds[i] = web_open(lab, NULL, LAB_SERVER4 ":80");
		web_ask_who(fds[i], "", &who);
		close(fds[i]);
	}
	CU_ASSERT(LAB_WAIT(crowd_workers(pid, workers) == 2, LATE_MS));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGINT, LATE_MS), 0);
	lab_down(lab);
}

/* --- it ends -------------------------------------------------------------- */

/*
 * Who waits for an answer gets all of it, and who asks once more is answered,
 * and told that it was the last time.
 */
static void
drained(void)
{
	struct str got = {0}, body = {0};
	int slow, kept, idle;
	struct lab *lab;
	bool last = false;
	pid_t pid;

	lab = web_begin("\tworkers 1\n\talive-timeout 1s\n"
			"\tdrain-timeout 5s\n\ttimeout keep-alive 1800ms\n",
			"\tsource client\n", "", &pid);
	lab_www(lab, "some", 280000); /* for two seconds */
	slow = web_open(lab, NULL, LAB_SERVER4 ":80");
	kept = web_open(lab, NULL, LAB_SERVER4 ":80");
	idle = web_open(lab, NULL, LAB_SERVER4 ":80");
	CU_ASSERT_EQUAL(web_ask(kept, "/who", "", &body), 200);
	CU_ASSERT_EQUAL(web_ask(idle, "/who", "", &body), 200);
	CU_ASSERT(web_get(slow, "/slow/some", ""));
	lab_sleep(50);
	kill(pid, SIGTERM);
	CU_ASSERT(LAB_WAIT(!lab_sockets(lab, LAB_GATEWAY, "state listening"),
			   LATE_MS));
	str_clear(&body);
	CU_ASSERT(web_get(kept, "/who", ""));
	CU_ASSERT_EQUAL(web_answer(kept, &body, &last), 200);
	CU_ASSERT(last && lab_ended(kept, 1000));
	lab_read_file(LAB_DIR "/www/some", &got);
	str_clear(&body);
	CU_ASSERT_EQUAL(web_answer(slow, &body, NULL), 200);
	CU_ASSERT(body.len == got.len && !memcmp(body.data, got.data, got.len));
	CU_ASSERT(lab_ended(idle, LATE_MS));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, 0, LATE_MS), 0);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "close=drain-timeout"), 0);
	close(slow);
	close(kept);
	close(idle);
	str_fini(&got);
	str_fini(&body);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"in_turns", in_turns},
	{"pressed", pressed},
	{"killed", killed},
	{"drained", drained},
};

LAB_MAIN("http_reload", tests)
