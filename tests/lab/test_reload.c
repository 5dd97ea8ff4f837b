/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_reload.c - SIGHUP: a new policy, and nobody is cut off for it.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/crowd.h"

#define GATEWAY                                                                \
	"gateway { inside in0; user %s; workers 2\n"                           \
	"\talive-timeout 1s; drain-timeout 20s }\n"

static void
refused(pid_t pid, const char *why)
{
	pid_t before[CROWD_MAX], after[CROWD_MAX];
	size_t n = crowd_workers(pid, before);

	crowd_hup(pid, "proxyd: not reloaded, all stays as it was\n");
	UNIT_CHECK(lab_logged("proxyd", why), "it does not say '%s'", why);
	CU_ASSERT(LAB_WAIT(crowd_workers(pid, after) == n, 3000));
	CU_ASSERT_EQUAL(memcmp(before, after, n * sizeof(before[0])), 0);
}

/* --- what changes --------------------------------------------------------- */

static void
policy(struct lab *lab, const char *gateway, const char *services)
{
	lab_policy(lab,
		   "gateway {\n inside in0\n user %s\n workers 2\n"
		   " alive-timeout 1s\n %s\n}\n"
		   "pool app { node " LAB_SERVER4 ":80; source gateway }\n"
		   "%s",
		   lab_user(), gateway, services);
}

/* What the server answers at `to`, through a new flow; -errno if nothing. */
static int
ask(struct lab *lab, const char *to)
{
	return lab_get(lab, LAB_CLIENT, NULL, to, "/", NULL);
}

static bool
recorded(const char *service, const char *text)
{
	char what[64];
	struct str record = {0};
	bool found;

	snprintf(what, sizeof(what), "service=%s", service);
	found = lab_record(what, &record) && strstr(str_text(&record), text);
	str_fini(&record);
	return found;
}

/* Services come, go and change their names; `listen` moves. */
static void
services(void)
{
	struct lab *lab;
	pid_t pid;

	lab = lab_up(NULL);
	policy(lab, "",
	       "service old { listen tcp 8080; use app }\n"
	       "service stays { listen tcp 8081; use app }\n"
	       "service all { listen tcp 8082; use app }\n");
	pid = lab_proxyd_up(lab);
	lab_nginx(lab);
	CU_ASSERT_EQUAL(ask(lab, LAB_GATEWAY4 ":8080"), 200);
	policy(lab, "",
	       "service new { listen tcp 8083; use app }\n"
	       "service renamed { listen tcp 8081; use app }\n"
	       "service one { listen tcp 10.1.0.1:8082; use app }\n");
	crowd_reload(pid);
	CU_ASSERT_EQUAL(ask(lab, LAB_GATEWAY4 ":8083"), 200);
	CU_ASSERT_EQUAL(ask(lab, LAB_GATEWAY4 ":8081"), 200);
	CU_ASSERT(LAB_WAIT(recorded("renamed", "close=server-closed"), 1000));
	/* one address, after it was on all of them: when those are closed */
	CU_ASSERT(LAB_WAIT(ask(lab, LAB_GATEWAY4 ":8082") == 200 &&
				   recorded("one", "close=server-closed"),
			   4000));
	CU_ASSERT(LAB_WAIT(ask(lab, LAB_GATEWAY4 ":8080") == -ECONNREFUSED,
			   3000));
	CU_ASSERT_EQUAL(ask(lab, "[" LAB_GATEWAY6 "]:8082"), -ECONNREFUSED);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/*
 * From redirect to tproxy, and another service instead of one: rules first
 * or daemon first, no flow meets what is not for it, and in between they are
 * routed.
 */
static void
captures(void)
{
	static const char *const steps[] = {
		"service web { intercept tcp port 80 via redirect }\n"
		"service gone { intercept tcp port 81 }\n",
		"service web { intercept tcp port 80 via tproxy }\n"
		"service here { intercept tcp port 81 }\n",
	};
	static const char *const via[] = {"dst_via=nat", "dst_via=socket"};
	size_t i, k;
	struct lab *lab;
	pid_t pid;

	lab = lab_up(NULL);
	policy(lab, "", steps[0]);
	lab_apply(lab);
	pid = lab_proxyd_up(lab);
	lab_nginx(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
	for (i = 0; i < 4; i++) {
		k = i % 2;
		CU_ASSERT_EQUAL(ask(lab, LAB_SERVER4 ":80"), 200);
		CU_ASSERT(LAB_WAIT(recorded("web", via[k]), 1000));
		CU_ASSERT_EQUAL(ask(lab, LAB_SERVER4 ":81"), 200);
		CU_ASSERT(LAB_WAIT(recorded(k ? "here" : "gone", "close="),
				   1000));
		policy(lab, "", steps[!k]);
		/* twice with the daemon first, twice with the rules first */
		if (i < 2)
			crowd_reload(pid);
		else
			lab_apply(lab);
		CU_ASSERT_EQUAL(ask(lab, LAB_SERVER4 ":80"), 200);
		CU_ASSERT_EQUAL(ask(lab, LAB_SERVER4 ":81"), 200);
		lab_sleep(1500);
		CU_ASSERT_EQUAL(ask(lab, LAB_SERVER4 ":80"), 200);
		CU_ASSERT_EQUAL(ask(lab, LAB_SERVER4 ":81"), 200);
		if (i < 2)
			lab_apply(lab);
		else
			crowd_reload(pid);
		CU_ASSERT(LAB_WAIT(lab_armed(lab), 4000));
	}
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "close=loop"), 0);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "close=direct"), 0);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "close=no-destination"), 0);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- what is refused ------------------------------------------------------ */

static void
wrong(void)
{
	static const char *const words[][2] = {
		{"capture-ports 17000-17999", "'capture-ports' changes only"},
		{"mark 0x4000 0x8000 mask 0xc000", "'mark' changes only"},
		{"table 77", "'table' changes only"},
		{"zone 77", "'zone' changes only"},
	};
	static const char service[] =
		"service web { listen tcp 80; use app }\n";
	struct lab *lab;
	pid_t pid;
	size_t i;
	int l;

	lab = lab_up(NULL);
	policy(lab, "", service);
	pid = lab_proxyd_up(lab);
	lab_nginx(lab);
	lab_policy(lab, "service web { lisen tcp 80 }\n");
	refused(pid, "policy.conf:1:15: error: unknown keyword 'lisen'");
	for (i = 0; i < 4; i++) {
		policy(lab, words[i][0], service);
		refused(pid, words[i][1]);
	}
	lab_policy(lab, "gateway { user nosuchuser; workers 2 }\n%s", "");
	refused(pid, "'user' changes only by restart: `systemctl");
	lab_policy(lab, "gateway { user %s; workers 3 }\n", lab_user());
	refused(pid, "'workers' changes only by restart or SIGUSR2");
	l = lab_listen(lab, LAB_GATEWAY, LAB_GATEWAY4 ":8080");
	policy(lab, "", "service web { listen tcp 80; listen tcp 8080 }\n");
	refused(pid, "service web: cannot listen on 0.0.0.0:8080: Address "
		     "already in use");
	close(l);
	policy(lab, "",
	       "service web { listen tcp 80; log access /nowhere/a }\n");
	refused(pid, "service web: cannot open /nowhere/a");
	policy(lab, "",
	       "service web {\n listen tcp 80\n mode http\n"
	       " error-page 503 nowhere.html\n}\n");
	refused(pid, "policy.conf:12:2: error: cannot read '" LAB_DIR
		     "/nowhere.html': No such file or directory");
	CU_ASSERT_EQUAL(ask(lab, LAB_GATEWAY4 ":80"), 200);
	/* and what is right is taken, after all that */
	policy(lab, "", "service web { listen tcp 8080; use app }\n");
	crowd_reload(pid);
	CU_ASSERT_EQUAL(ask(lab, LAB_GATEWAY4 ":8080"), 200);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* Kill a worker that is not one of `before`, as soon as it is there. */
static bool
kill_new(pid_t pid, const pid_t *before, size_t n)
{
	pid_t now[CROWD_MAX];
	size_t i, k, n_now = crowd_workers(pid, now);

	for (i = 0; i < n_now; i++) {
		for (k = 0; k < n && now[i] != before[k]; k++)
			;
		if (k < n)
			continue;
		kill(now[i], SIGKILL);
		return true;
	}
	return false;
}

/* New processes that die before they are ready: the old ones stay. */
static void
young(void)
{
	static const char said[] = "the new processes did not get ready";
	pid_t pid, before[CROWD_MAX];
	uint64_t until_ms;
	struct lab *lab;
	int i;

	lab = lab_up(NULL);
	policy(lab, "", "service web { listen tcp 80; use app }\n");
	pid = lab_proxyd_up(lab);
	lab_nginx(lab);
	policy(lab, "", "service web { listen tcp 80; listen tcp 81 }\n");
	/* they are ready in some milliseconds: we may come too late */
	for (i = 0; i < 20 && !lab_logged("proxyd", said); i++) {
		LAB_WAIT(crowd_is_one(pid), 3000);
		CU_ASSERT_EQUAL_FATAL(crowd_workers(pid, before), 2);
		kill(pid, SIGHUP);
		until_ms = clock_now_ms() + 1000;
		while (!kill_new(pid, before, 2) && clock_now_ms() < until_ms)
			;
		lab_sleep(100);
	}
	CU_ASSERT(lab_logged("proxyd", said));
	CU_ASSERT_EQUAL(ask(lab, LAB_GATEWAY4 ":80"), 200);
	crowd_reload(pid);
	/* the old ones are told at the same moment, and may accept one more */
	CU_ASSERT(LAB_WAIT(ask(lab, LAB_GATEWAY4 ":80") == -ECONNRESET, 3000));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGINT, 5000), 0);
	lab_down(lab);
}

/* --- at the wrong moment -------------------------------------------------- */

/* Asked again while one is under way: another follows, with the file as is. */
static void
twice(void)
{
	struct lab *lab;
	pid_t pid;

	lab = lab_up(NULL);
	policy(lab, "", "service web { listen tcp 80; use app }\n");
	pid = lab_proxyd_up(lab);
	lab_nginx(lab);
	policy(lab, "", "service web { listen tcp 81; use app }\n");
	kill(pid, SIGHUP);
	lab_sleep(2);
	policy(lab, "", "service web { listen tcp 82; use app }\n");
	kill(pid, SIGHUP);
	CU_ASSERT(LAB_WAIT(ask(lab, LAB_GATEWAY4 ":82") == 200, 3000));
	CU_ASSERT(LAB_WAIT(lab_log_count("proxyd", "proxyd: reloaded") == 2,
			   3000));
	CU_ASSERT(LAB_WAIT(crowd_is_one(pid), 5000));
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* While it ends, and just before: it ends, in order. */
static void
ending(void)
{
	struct lab_flow f;
	struct lab *lab;
	int l, i;
	pid_t pid;

	lab = lab_up(NULL);
	lab_policy(lab, GATEWAY "service web { intercept tcp port 80 }\n",
		   lab_user());
	lab_apply(lab);
	l = lab_serve(lab, AF_INET, 80);
	for (i = 0; i < 2; i++) {
		pid = lab_proxyd_up(lab);
		CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
		lab_flow_open(lab, AF_INET, l, NULL, 80, &f);
		if (i == 0)
			kill(pid, SIGTERM);
		else
			kill(pid, SIGHUP);
		lab_sleep(i == 0 ? 50 : 3);
		kill(pid, i == 0 ? SIGHUP : SIGTERM);
		CU_ASSERT(LAB_WAIT(!lab_armed(lab), 4000));
		CU_ASSERT(lab_flow_works(&f));
		lab_flow_close(&f);
		CU_ASSERT_EQUAL(lab_stop(lab, pid, 0, 5000), 0);
	}
	CU_ASSERT(lab_logged("proxyd", "not reloaded"));
	close(l);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"services", services}, {"captures", captures}, {"wrong", wrong},
	{"young", young},	{"twice", twice},	{"ending", ending},
};

LAB_MAIN("reload", tests)
