/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_control.c - proxyctl and a proxyd that runs: what is asked is true,
 * who may not is told so, and who is rude costs nobody else anything.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"

#include "proxyd/ctl/local.h"

#include "tests/lab/alone.h"
#include "tests/lab/ctl.h"

/* --- status, services, stats ---------------------------------------------- */

static void
status(void)
{
	pid_t pid, workers[4];
	struct lab *lab;
	json_t *doc, *w;
	size_t i;

	lab = ctl_begin(2, "", &pid);
	doc = ctl_ask(lab, "status");
	CU_ASSERT_EQUAL(ctl_number(doc, "pid"), pid);
	UNIT_STRINGS(ctl_text(doc, "version"), INTERPOSE_VERSION);
	UNIT_STRINGS(ctl_text(doc, "state"), "serving");
	UNIT_STRINGS(ctl_text(json_object_get(doc, "policy"), "path"),
		     LAB_DIR "/policy.conf");
	CU_ASSERT(json_is_true(json_object_get(doc, "alive")));
	UNIT_STRINGS(ctl_text(doc, "log_level"), "notice");
	CU_ASSERT_EQUAL(ctl_count(doc, "workers"), 2);
	CU_ASSERT_EQUAL(lab_children(pid, "worker", workers, 4), 2);
	for (i = 0; i < 2; i++) {
		w = ctl_member(doc, "workers", i);
		CU_ASSERT_EQUAL(ctl_number(w, "worker"), (int64_t)i);
		UNIT_STRINGS(ctl_text(w, "state"), "serving");
		CU_ASSERT(ctl_number(w, "pid") == workers[0] ||
			  ctl_number(w, "pid") == workers[1]);
	}
	json_decref(doc);
	ctl_expect(lab, "status", 0, "policy       " LAB_DIR "/policy.conf\n");
	ctl_expect(lab, "status", 0, "serving");
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static void
counters(void)
{
	json_t *doc, *ended, *s;
	struct lab_flow f, g;
	struct lab *lab;
	pid_t pid;
	int l;

	lab = ctl_begin(1, "", &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	alone_flow(lab, l, &f);
	lab_send(f.client, "12345");
	CU_ASSERT(lab_expect(f.server, "12345", 2000));
	lab_send(f.server, "123");
	CU_ASSERT(lab_expect(f.client, "123", 2000));
	lab_flow_close(&f);
	/* the other node, where nobody listens */
	g.client = alone_knock(lab);
	lab_expect_reset(g.client, 2000);
	CU_ASSERT(LAB_WAIT(ctl_ask_number(lab, "stats", "flows") == 0, 2000));
	alone_flow(lab, l, &g);
	doc = ctl_ask(lab, "stats");
	s = ctl_member(doc, "services", 0);
	CU_ASSERT_EQUAL(ctl_number(doc, "accepted"), 3);
	CU_ASSERT_EQUAL(ctl_number(doc, "flows"), 1);
	UNIT_STRINGS(ctl_text(s, "service"), "web");
	CU_ASSERT_EQUAL(ctl_number(s, "accepted"), 3);
	CU_ASSERT_EQUAL(ctl_number(s, "flows"), 1);
	CU_ASSERT_EQUAL(ctl_number(s, "lost"), 0);
	CU_ASSERT_EQUAL(ctl_number(s, "bytes_in"), 5);
	CU_ASSERT_EQUAL(ctl_number(s, "bytes_out"), 3);
	ended = json_object_get(s, "ended");
	CU_ASSERT_EQUAL(ctl_number(ended, "refused"), 1);
	CU_ASSERT_EQUAL(json_object_size(ended), 2);
	json_decref(doc);
	doc = ctl_ask(lab, "services");
	s = ctl_member(doc, "services", 0);
	UNIT_STRINGS(ctl_text(s, "rules"), "none");
	UNIT_STRINGS(json_string_value(ctl_member(s, "sockets", 0)),
		     "0.0.0.0:80");
	CU_ASSERT_EQUAL(ctl_number(s, "accepted"), 3);
	CU_ASSERT_EQUAL(ctl_number(s, "flows"), 1);
	json_decref(doc);
	ctl_expect(lab, "stats", 0, "refused");
	ctl_expect(lab, "services", 0, "0.0.0.0:80 [::]:80");
	lab_flow_close(&g);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* What a killed worker had is gone, and that is said; the rest is not. */
static void
killed_worker(void)
{
	struct lab_flow f, g;
	struct lab *lab;
	pid_t pid, worker;
	int l;

	lab = ctl_begin(1, "", &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	alone_flow(lab, l, &f);
	worker = alone_child(pid, "worker");
	kill(worker, SIGKILL);
	CU_ASSERT(LAB_WAIT(ctl_ask_number(lab, "stats", "lost") == 1, 2000));
	CU_ASSERT_EQUAL(ctl_ask_number(lab, "stats", "flows"), 0);
	CU_ASSERT_EQUAL(ctl_ask_number(lab, "stats", "accepted"), 1);
	CU_ASSERT(LAB_WAIT(alone_child(pid, "worker") > 0, 2000));
	/* the node that has its turn may be the other one */
	g.client = alone_knock(lab);
	CU_ASSERT(
		LAB_WAIT(ctl_ask_number(lab, "stats", "accepted") == 2, 2000));
	close(g.client);
	lab_flow_close(&f);
	close(l);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGINT, 5000), 0);
	lab_down(lab);
}

/* --- who may -------------------------------------------------------------- */

/* As `nobody` with this group: its status. */
static int
as(struct lab *lab, const char *user, const char *group, const char *arguments)
{
	return lab_run(lab, LAB_GATEWAY, NULL,
		       "setpriv --reuid=%s --regid=%s --clear-groups "
		       "proxyctl %s",
		       user, group, arguments);
}

static void
permissions(void)
{
	struct lab *lab;
	pid_t pid;

	if (!strcmp(lab_user(), "root")) {
		unit_skip("there is only one user here");
		return;
	}
	lab = ctl_begin(2, "", &pid);
	/* a user of proxyd's group: asks, and changes nothing */
	CU_ASSERT_EQUAL(as(lab, "daemon", "nogroup", "status"), 0);
	CU_ASSERT_EQUAL(as(lab, "daemon", "nogroup", "flows"), 0);
	CU_ASSERT_EQUAL(as(lab, "daemon", "nogroup", "reload"), 77);
	CU_ASSERT_EQUAL(as(lab, "daemon", "nogroup", "reopen"), 77);
	CU_ASSERT_EQUAL(as(lab, "daemon", "nogroup", "log-level debug"), 77);
	/* anybody else */
	CU_ASSERT_EQUAL(as(lab, "daemon", "daemon", "status"), 77);
	CU_ASSERT_EQUAL(as(lab, "daemon", "daemon", "reload"), 77);
	/* proxyd's own user, and root */
	CU_ASSERT_EQUAL(as(lab, "nobody", "nogroup", "log-level info"), 0);
	CU_ASSERT_EQUAL(as(lab, "nobody", "nogroup", "reload"), 0);
	ctl_expect(lab, "status", 0, "log level    info\n");
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- changing ------------------------------------------------------------- */

static void
write_policy(struct lab *lab, const char *port, const char *more)
{
	lab_policy(lab,
		   "gateway { user %s; workers 2 }\n"
		   "pool app { node " LAB_SERVER4 ":80; source gateway }\n"
		   "service web { listen tcp %s; use app }\n%s",
		   lab_user(), port, more);
}

/* When `proxyctl reload` returns, it is done, or nothing was. */
static void
reload(void)
{
	struct lab_flow f;
	struct lab *lab;
	pid_t pid;
	int l, fd;

	lab = lab_up(&alone_options);
	write_policy(lab, "80", "");
	pid = lab_proxyd_up(lab);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	alone_flow(lab, l, &f);
	write_policy(lab, "80, 81", "service web { }\n");
	ctl_expect(lab, "reload", 65, "/policy.conf:4:9: error: ");
	write_policy(lab, "81", "");
	ctl_expect(lab, "reload", 0, "");
	fd = lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":81", 1000);
	CU_ASSERT(fd >= 0);
	lab_reset(fd);
	/* the flow of before goes on, and both are listed */
	CU_ASSERT(lab_flow_works(&f));
	CU_ASSERT(LAB_WAIT(ctl_count_flows(lab, "flows") == 1, 2000));
	ctl_expect(lab, "status", 0, "draining");
	CU_ASSERT_EQUAL(ctl_ask_number(lab, "stats", "accepted"), 2);
	write_policy(lab, "81", "gateway { }\n");
	ctl_expect(lab, "reload", 65, "error: ");
	lab_policy(lab, "gateway { user %s; workers 3 }\n", lab_user());
	ctl_expect(lab, "reload", 1, "'workers'");
	lab_flow_close(&f);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static void
log_level(void)
{
	struct lab *lab;
	pid_t pid;

	lab = ctl_begin(2, "", &pid);
	ctl_expect(lab, "log-level debug", 0, "");
	ctl_expect(lab, "status", 0, "log level    debug\n");
	kill(pid, SIGTERM);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, 0, 5000), 0);
	/* of a worker, and of the master: not said otherwise */
	CU_ASSERT(lab_logged("proxyd", "draining 0 flows"));
	CU_ASSERT(lab_logged("proxyd", "the worker ended"));
	lab_down(lab);
}

static void
reopen(void)
{
	struct lab *lab;
	pid_t pid;

	lab = lab_up(&alone_options);
	lab_must(lab, LAB_GATEWAY, "install -d -o %s /run/logs", lab_user());
	lab_policy(lab,
		   "gateway { user %s; log access /run/logs/a }\n"
		   "service web { listen tcp 80 }\n",
		   lab_user());
	pid = lab_proxyd_up(lab);
	CU_ASSERT_EQUAL(rename("/run/logs/a", "/run/logs/b"), 0);
	ctl_expect(lab, "reopen", 0, "");
	CU_ASSERT(LAB_WAIT(access("/run/logs/a", F_OK) == 0, 2000));
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- rude clients --------------------------------------------------------- */

static void
rude(void)
{
	char garbage[4096];
	int fds[64], i, fd;
	struct lab *lab;
	ssize_t n;
	pid_t pid;

	lab = ctl_begin(2, "", &pid);
	memset(garbage, 0xee, sizeof(garbage));
	CU_ASSERT_EQUAL_FATAL(local_connect(POLICY_CONTROL_PATH, 3000, &fd), 0);
	n = send(fd, garbage, sizeof(garbage), MSG_NOSIGNAL);
	CU_ASSERT(n > 0);
	CU_ASSERT(lab_recv(fd, garbage, sizeof(garbage) - 1, 3000) > 0);
	CU_ASSERT(strstr(garbage, "\"usage\"") != NULL);
	close(fd);
	/* nobody says a word: they are sent away, and then one may ask */
	for (i = 0; i < 64; i++)
		CU_ASSERT_EQUAL_FATAL(
			local_connect(POLICY_CONTROL_PATH, 3000, &fds[i]), 0);
	ctl_expect(lab, "status", 1, "too many others are asking");
	CU_ASSERT(LAB_WAIT(lab_ended(fds[0], 100), 5000));
	ctl_expect(lab, "status", 0, "serving");
	for (i = 0; i < 64; i++)
		close(fds[i]);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- the socket ----------------------------------------------------------- */

static void
none(void)
{
	struct lab *lab = lab_up(&alone_options);

	ctl_expect(lab, "status", 1,
		   "no proxyd listens at /run/interpose/proxyd/control; "
		   "`systemctl start interpose` starts one");
	ctl_expect(lab, "status -s /nonexistent/socket", 1,
		   "/nonexistent/socket");
	ctl_expect(lab, "", 64, "usage: proxyctl");
	ctl_expect(lab, "pools", 64, "unknown command 'pools'");
	ctl_expect(lab, "reloud", 64, "did you mean 'reload'?");
	ctl_expect(lab, "flows --colour", 64, "usage: proxyctl flows");
	ctl_expect(lab, "flows --client 10.1", 64, "'10.1' is not an address");
	ctl_expect(lab, "status --pool app", 64, "usage: proxyctl status");
	ctl_expect(lab, "log-level", 64, "a level is error");
	ctl_expect(lab, "log-level loud", 64, "a level is error");
	ctl_expect(lab, "status now", 64, "usage: proxyctl status");
	ctl_expect(lab, "-h", 0, "usage: proxyctl");
	ctl_expect(lab, "flows -h", 0, "--service");
	ctl_expect(lab, "-V", 0, "proxyctl " INTERPOSE_VERSION);
	lab_down(lab);
}

/* Killed, it leaves a name; the next one takes it over. */
static void
stale(void)
{
	struct lab *lab;
	struct stat st;
	pid_t pid;

	lab = ctl_begin(2, "", &pid);
	kill(pid, SIGKILL);
	lab_stop(lab, pid, 0, 2000);
	CU_ASSERT_EQUAL(stat(POLICY_CONTROL_PATH, &st), 0);
	CU_ASSERT(S_ISSOCK(st.st_mode));
	ctl_expect(lab, "status", 1, "no proxyd listens");
	pid = lab_proxyd_up(lab);
	CU_ASSERT_EQUAL(ctl_ask_number(lab, "status", "pid"), pid);
	lab_stop_proxyd(lab, pid);
	/* one that ends in order leaves none */
	CU_ASSERT(stat(POLICY_CONTROL_PATH, &st) < 0 && errno == ENOENT);
	lab_down(lab);
}

/*
 * A second one, in another network of the same box: it does not take the
 * socket of the first, serves without, says so, and can have its own.
 */
static void
second(void)
{
	static const char with[] =
		"proxyd -f " LAB_DIR "/policy.conf -c " LAB_DIR "/own";
	pid_t pid, other;
	struct lab *lab;

	lab = ctl_begin(2, "", &pid);
	other = lab_spawn(lab, LAB_SERVER, "second",
			  "proxyd -f " LAB_DIR "/policy.conf");
	CU_ASSERT(LAB_WAIT(lab_logged("second", "proxyd: ready"), 5000));
	CU_ASSERT_EQUAL(lab_log_count("second", "another one listens"), 1);
	CU_ASSERT_EQUAL(ctl_ask_number(lab, "status", "pid"), pid);
	CU_ASSERT_EQUAL(lab_stop(lab, other, SIGINT, 5000), 0);
	CU_ASSERT_EQUAL(ctl_ask_number(lab, "status", "pid"), pid);
	lab_must(lab, LAB_SERVER, "chown %s " LAB_DIR, lab_user());
	other = lab_spawn(lab, LAB_SERVER, "third", "%s", with);
	CU_ASSERT(LAB_WAIT(lab_logged("third", "proxyd: ready"), 5000));
	CU_ASSERT(!lab_logged("third", "another one listens"));
	CU_ASSERT_EQUAL(ctl_ask_number(lab, "status -s " LAB_DIR "/own", "pid"),
			other);
	CU_ASSERT_EQUAL(lab_stop(lab, other, SIGINT, 5000), 0);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/*
 * Another program takes its place: who asks meanwhile gets an answer or is
 * refused, and does not wait; then it is asked as before.
 */
static void
replaced(void)
{
	struct lab *lab;
	pid_t pid, asking;

	lab = ctl_begin(2, "", &pid);
	asking = lab_spawn(lab, LAB_GATEWAY, "asking",
			   "sh -c 'for i in $(seq 60); do timeout 5 proxyctl "
			   "status >/dev/null; [ $? -le 1 ] || exit 3; done'");
	kill(pid, SIGUSR2);
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "proxyd: replaced"), 5000));
	CU_ASSERT_EQUAL(lab_stop(lab, asking, 0, 15000), 0);
	CU_ASSERT_EQUAL(ctl_ask_number(lab, "status", "pid"), pid);
	ctl_expect(lab, "reload", 0, "");
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGINT, 5000), 0);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"status", status},
	{"counters", counters},
	{"killed_worker", killed_worker},
	{"permissions", permissions},
	{"reload", reload},
	{"log_level", log_level},
	{"reopen", reopen},
	{"rude", rude},
	{"none", none},
	{"stale", stale},
	{"second", second},
	{"replaced", replaced},
};

LAB_MAIN("control", tests)
