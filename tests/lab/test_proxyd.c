/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_proxyd.c - proxyd on its own, without netsetup: its processes and
 * their rights, its pools, its log, and its ends.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/diag.h"

#include "policy/policy.h"

#include "tests/lab/alone.h"

/* --- rights --------------------------------------------------------------- */

enum { NET_BIND_SERVICE = 1 << 10, NET_ADMIN = 1 << 12, NET_RAW = 1 << 13 };

static void
check_rights(const char *who, pid_t pid, unsigned int caps)
{
	static const char *const empty[] = {"CapInh", "CapAmb"};
	static const char *const full[] = {"CapPrm", "CapEff"};
	struct str status = {0};
	char path[64], line[64];
	size_t i;

	CU_ASSERT_FATAL(pid > 0);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	lab_read_file(path, &status);
	for (i = 0; i < 2; i++) {
		snprintf(line, sizeof(line), "\n%s:\t%016x\n", full[i], caps);
		UNIT_CHECK(strstr(str_text(&status), line) != NULL,
			   "%s: not %s", who, line + 1);
		snprintf(line, sizeof(line), "\n%s:\t%016x\n", empty[i], 0);
		UNIT_CHECK(strstr(str_text(&status), line) != NULL,
			   "%s: not %s", who, line + 1);
	}
	UNIT_CHECK(strstr(str_text(&status), "\nNoNewPrivs:\t1\n") != NULL,
		   "%s may gain rights", who);
	str_fini(&status);
}

static void
rights(void)
{
	struct stat st;
	struct lab *lab;
	char path[64];
	pid_t pid;

	lab = alone_begin("", "", &pid);
	check_rights("master", pid, NET_ADMIN | NET_RAW | NET_BIND_SERVICE);
	check_rights("tracker", alone_child(pid, "tracker"), NET_ADMIN);
	check_rights("worker", alone_child(pid, "worker"),
		     NET_RAW | NET_BIND_SERVICE);
	snprintf(path, sizeof(path), "/proc/%d/net",
		 (int)alone_child(pid, "worker"));
	/* who it became: the owner of its network files is its user */
	if (strcmp(lab_user(), "root") && stat(path, &st) == 0)
		CU_ASSERT_NOT_EQUAL(st.st_uid, 0);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* Started by somebody else, with just what it needs: it stays who it is. */
static void
ambient(void)
{
	static const char caps[] = "+net_admin,+net_raw,+net_bind_service";
	struct lab *lab;
	pid_t pid;

	if (!strcmp(lab_user(), "root")) {
		unit_skip("there is only one user here");
		return;
	}
	lab = alone_begin("", "", &pid);
	lab_stop_proxyd(lab, pid);
	pid = lab_spawn(lab, LAB_GATEWAY, "ambient",
			"setpriv --reuid=nobody --clear-groups --inh-caps=%s "
			"--ambient-caps=%s proxyd -f " LAB_DIR "/policy.conf",
			caps, caps);
	CU_ASSERT(LAB_WAIT(lab_logged("ambient", "proxyd: ready"), 5000));
	check_rights("master", pid, NET_ADMIN | NET_RAW | NET_BIND_SERVICE);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGTERM, 5000), 0);
	/* one is missing, and is named */
	pid = lab_spawn(lab, LAB_GATEWAY, "less",
			"setpriv --reuid=nobody --clear-groups --inh-caps=%s "
			"--ambient-caps=+net_admin,+net_bind_service "
			"proxyd -f " LAB_DIR "/policy.conf",
			caps);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, 0, 5000), 77);
	CU_ASSERT(lab_logged("less", "proxyd: missing cap_net_raw"));
	CU_ASSERT(!lab_logged("less", "cap_net_admin"));
	CU_ASSERT(lab_logged("less", "; run it as root"));
	lab_down(lab);
}

/* --- command line --------------------------------------------------------- */

static void
check_run(struct lab *lab, const char *arguments, int status, const char *says)
{
	struct str out = {0};
	int r;

	r = lab_run(lab, LAB_GATEWAY, &out, "proxyd %s", arguments);
	UNIT_CHECK(r == status && strstr(str_text(&out), says) != NULL,
		   "proxyd %s: %d, %s", arguments, r, str_text(&out));
	str_fini(&out);
}

static void
command_line(void)
{
	struct lab *lab = lab_up(&alone_options);
	int l;

	lab_policy(lab,
		   "gateway { user %s }\nservice web {\n"
		   "\tlisten tcp " LAB_GATEWAY4 ":80\n}\n",
		   lab_user());
	check_run(lab, "-h", 0, "usage: proxyd");
	check_run(lab, "-V", 0, "proxyd ");
	check_run(lab, "--help", 0, "usage: proxyd");
	check_run(lab, "--version", 0, "proxyd ");
	check_run(lab, "-x", 64, "usage: proxyd");
	check_run(lab, "extra", 64, "'extra'");
	check_run(lab, "-n -f " LAB_DIR "/policy.conf", 0, "");
	check_run(lab, "-n -f " LAB_DIR "/none.conf", 65, "none.conf");
	/* somebody else listens there */
	l = lab_listen(lab, LAB_GATEWAY, LAB_GATEWAY4 ":80");
	check_run(lab, "-f " LAB_DIR "/policy.conf", 1,
		  "service web: cannot listen on " LAB_GATEWAY4
		  ":80: Address already in use; is proxyd running already? "
		  "see `ss -tulnp`");
	close(l);
	lab_policy(lab, "gateway { user nosuchuser }\n"
			"service web { listen tcp 80 }\n");
	check_run(lab, "-f " LAB_DIR "/policy.conf", 1,
		  "no user 'nosuchuser'; create it");
	lab_policy(lab,
		   "gateway { user %s }\n"
		   "service web { listen tcp 192.0.2.99:80 }\n",
		   lab_user());
	check_run(lab, "-f " LAB_DIR "/policy.conf", 1,
		  "192.0.2.99:80: Cannot assign requested address; this box "
		  "does not have");
	lab_down(lab);
}

/* --- pools and refusals --------------------------------------------------- */

/* The nodes take turns; one without port gets the one that was asked for. */
static void
pool(void)
{
	struct str record = {0};
	struct lab_flow f;
	struct lab *lab;
	char buf[256];
	int l[2], i;
	pid_t pid;

	lab = alone_begin("", "", &pid);
	l[0] = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	l[1] = lab_listen(lab, LAB_SERVER, LAB_OTHER4 ":80");
	for (i = 0; i < 4; i++) {
		alone_flow(lab, l[i % 2], &f);
		CU_ASSERT(lab_flow_works(&f));
		lab_flow_close(&f);
	}
	CU_ASSERT(lab_closed("client-closed", 4));
	CU_ASSERT(lab_record("node=" LAB_OTHER4 ":80", &record));
	UNIT_STRINGS(lab_value(str_text(&record), "dst_via", buf), "local");
	UNIT_STRINGS(lab_value(str_text(&record), "destination", buf),
		     LAB_GATEWAY4 ":80");
	UNIT_STRINGS(lab_value(str_text(&record), "bytes_in", buf), "15");
	UNIT_STRINGS(lab_value(str_text(&record), "bytes_out", buf), "15");
	str_fini(&record);
	close(l[0]);
	close(l[1]);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* The policy's own idea of where it captures. */
static unsigned int
capture_port(void)
{
	struct diags diags;
	struct policy *p;
	unsigned int port;

	diags_init(&diags);
	p = policy_load(LAB_DIR "/policy.conf", &diags);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	port = policy_service(p, "web")->capture_port;
	policy_free(p);
	diags_fini(&diags);
	return port;
}

/* Who knocks at the capture port has not been redirected. */
static void
direct(void)
{
	struct lab *lab = lab_up(&alone_options);
	char to[64];
	pid_t pid;

	lab_policy(lab,
		   "gateway { inside in0; user %s }\n"
		   "service web { intercept tcp port 80 }\n",
		   lab_user());
	pid = lab_proxyd_up(lab);
	snprintf(to, sizeof(to), LAB_GATEWAY4 ":%u", capture_port());
	lab_expect_reset(lab_connect(lab, LAB_CLIENT, NULL, to, 2000), 2000);
	/* conntrack is idle here: it cannot be told what was asked for */
	CU_ASSERT(lab_closed("no-destination", 1));
	lab_nft(lab, LAB_GATEWAY,
		"table ip t {\n"
		"chain c { type filter hook prerouting priority 0;\n"
		"ct state new accept; }\n"
		"}\n");
	lab_expect_reset(lab_connect(lab, LAB_CLIENT, NULL, to, 2000), 2000);
	CU_ASSERT(lab_closed("direct", 1));
	CU_ASSERT(lab_logged("proxyd", "run 'netsetup apply'"));
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* A pool that leads back to the listener, by any of the box's addresses. */
static void
loop(void)
{
	struct lab *lab = lab_up(&alone_options);
	int i, fd;
	pid_t pid;

	lab_policy(lab,
		   "gateway { user %s }\n"
		   "pool me { node 127.0.0.1:80; node " LAB_OUTSIDE4 "\n"
		   "node [" LAB_GATEWAY6 "]:81; source gateway }\n"
		   "service web { listen tcp 80; listen tcp 81; use me }\n",
		   lab_user());
	pid = lab_proxyd_up(lab);
	for (i = 0; i < 3; i++) {
		fd = alone_knock(lab);
		lab_expect_reset(fd, 2000);
	}
	CU_ASSERT(lab_closed("loop", 3));
	CU_ASSERT_EQUAL(lab_log_count("proxyd", " close="), 3);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- the log -------------------------------------------------------------- */

static size_t
lines(const char *path, const char *with)
{
	struct str text = {0};
	const char *at;
	size_t n = 0;

	lab_read_file(path, &text);
	for (at = str_text(&text); (at = strstr(at, with)); at++)
		n++;
	str_fini(&text);
	return n;
}

/* JSON into a file, which is moved away and opened anew. */
static void
log_file(void)
{
#define LOGS "/run/logs"
	struct lab_flow f;
	struct lab *lab;
	pid_t pid;
	int l;

	lab = lab_up(&alone_options);
	lab_must(lab, LAB_GATEWAY, "install -d -o %s " LOGS, lab_user());
	lab_policy(lab,
		   "gateway { user %s; log access " LOGS "/a format json }\n"
		   "pool app { node " LAB_SERVER4 ":80; source gateway }\n"
		   "service web { listen tcp 80; use app }\n",
		   lab_user());
	pid = lab_proxyd_up(lab);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	alone_flow(lab, l, &f);
	lab_flow_close(&f);
	CU_ASSERT(LAB_WAIT(lines(LOGS "/a", "\"close\":\"") == 1, 2000));
	CU_ASSERT_EQUAL(rename(LOGS "/a", LOGS "/b"), 0);
	kill(pid, SIGUSR1);
	CU_ASSERT(LAB_WAIT(access(LOGS "/a", F_OK) == 0, 2000));
	/* worker and master each open it; the worker may be second */
	lab_sleep(100);
	alone_flow(lab, l, &f);
	lab_flow_close(&f);
	CU_ASSERT(LAB_WAIT(lines(LOGS "/a", "\"close\":\"") == 1, 2000));
	CU_ASSERT_EQUAL(lines(LOGS "/b", "\"close\":\""), 1);
	lab_must(lab, LAB_GATEWAY,
		 "command -v python3 >/dev/null || exit 0; "
		 "python3 -m json.tool " LOGS "/a >/dev/null");
	kill(pid, SIGHUP);
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "proxyd: reloaded"), 2000));
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- ends ----------------------------------------------------------------- */

/* Told to end while a flow goes on: it is cut when its time is over. */
static void
drain_timeout(void)
{
	struct lab_flow f;
	struct lab *lab;
	uint64_t begin_ms;
	pid_t pid;
	int l;

	lab = alone_begin("\tdrain-timeout 1s\n", "", &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	alone_flow(lab, l, &f);
	begin_ms = clock_now_ms();
	kill(pid, SIGTERM);
	lab_sleep(300);
	/* nobody listens any more, and the flow still lives */
	CU_ASSERT_EQUAL(alone_knock(lab), -ECONNREFUSED);
	CU_ASSERT(lab_flow_works(&f));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, 0, 5000), 0);
	CU_ASSERT(clock_now_ms() - begin_ms >= 1000);
	CU_ASSERT(lab_closed("drain-timeout", 1));
	lab_expect_reset(f.client, 1000);
	lab_expect_reset(f.server, 1000);
	close(l);
	lab_down(lab);
}

static void
at_once(void)
{
	struct lab_flow f;
	struct lab *lab;
	pid_t pid;
	int l;

	lab = alone_begin("", "", &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	alone_flow(lab, l, &f);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGINT, 1000), 0);
	CU_ASSERT(lab_closed("stopped", 1));
	lab_expect_reset(f.client, 1000);
	lab_expect_reset(f.server, 1000);
	close(l);
	lab_down(lab);
}

/* A tracker that dies is replaced; who asked it meanwhile is told so. */
static void
tracker_killed(void)
{
	struct lab *lab;
	pid_t pid, tracker;

	lab = alone_begin("", "", &pid);
	tracker = alone_child(pid, "tracker");
	CU_ASSERT_FATAL(tracker > 0);
	kill(tracker, SIGKILL);
	CU_ASSERT(LAB_WAIT(!lab_alive(tracker), 1000));
	CU_ASSERT(LAB_WAIT(alone_child(pid, "tracker") > 0, 2000));
	CU_ASSERT(lab_logged("proxyd", "the tracker was killed by signal 9"));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGINT, 5000), 0);
	lab_down(lab);
}

/*
 * The whole box slept (a virtual machine that was moved): the worker is not
 * to blame for its silence, even if the master is the first to wake.
 */
static void
slept(void)
{
	pid_t pid, worker;
	struct lab_flow f;
	struct lab *lab;
	int l;

	lab = alone_begin("\talive-timeout 1s\n", "", &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	alone_flow(lab, l, &f);
	worker = alone_child(pid, "worker");
	kill(worker, SIGSTOP);
	kill(pid, SIGSTOP);
	lab_sleep(2500);
	kill(pid, SIGCONT);
	lab_sleep(400);
	kill(worker, SIGCONT);
	CU_ASSERT(lab_flow_works(&f));
	CU_ASSERT_EQUAL(alone_child(pid, "worker"), worker);
	CU_ASSERT(!lab_logged("proxyd", "because it hung"));
	lab_flow_close(&f);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"rights", rights},
	{"ambient", ambient},
	{"command_line", command_line},
	{"pool", pool},
	{"direct", direct},
	{"loop", loop},
	{"log_file", log_file},
	{"drain_timeout", drain_timeout},
	{"at_once", at_once},
	{"tracker_killed", tracker_killed},
	{"slept", slept},
};

LAB_MAIN("proxyd", tests)
