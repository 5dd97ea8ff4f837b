/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_sandbox.c - what proxyd's processes may do, and that it is enough:
 * the same rights however it was started, files out of reach, and nothing
 * refused that it wants. Runs plain: sanitizers need more than proxyd does.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxyd/base/priv.h"
#include "proxyd/base/sandbox.h"

#include "tests/lab/alone.h"
#include "tests/lab/lab_udp.h"

/* --- the same rights ------------------------------------------------------ */

/* Lines of /proc/PID/status that say what a process may do. */
static void
rights_of(pid_t pid, struct str *out)
{
	static const char *const keys[] = {
		"Uid:",	   "CapInh:", "CapPrm:",     "CapEff:",
		"CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:"};
	struct str status = {0};
	const char *at;
	char path[64];
	size_t i;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	lab_read_file(path, &status);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		at = strstr(str_text(&status), keys[i]);
		str_add_bytes(out, at ? at : "?\n",
			      at ? strcspn(at, "\n") + 1 : 2);
	}
	str_fini(&status);
}

/* How many filters has it? */
static int
filters_of(pid_t pid)
{
	struct str status = {0};
	char path[64], *at;
	int n = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	lab_read_file(path, &status);
	at = strstr(str_text(&status), "Seccomp_filters:");
	if (at)
		sscanf(at, "Seccomp_filters: %d", &n);
	str_fini(&status);
	return n;
}

/* Of all processes of a proxyd. */
static void
all_rights(pid_t pid, struct str *out)
{
	rights_of(pid, out);
	rights_of(alone_child(pid, "tracker"), out);
	rights_of(alone_child(pid, "worker"), out);
}

static const char all_caps[] = "+net_admin,+net_raw,+net_bind_service";

/* Another process of their user, with their rights, looks into none of them. */
static void
check_hidden(struct lab *lab, pid_t pid)
{
	const pid_t all[] = {pid, alone_child(pid, "tracker"),
			     alone_child(pid, "worker")};
	size_t i;

	for (i = 0; i < 3; i++)
		CU_ASSERT_NOT_EQUAL(lab_run(lab, LAB_GATEWAY, NULL,
					    "setpriv --reuid=nobody "
					    "--clear-groups --inh-caps=%s "
					    "--ambient-caps=%s "
					    "cat /proc/%d/environ",
					    all_caps, all_caps, (int)all[i]),
				    0);
}

/* Started as root, and as systemd does it. */
static void
same_rights(void)
{
	struct str root = {0}, ambient = {0};
	struct lab *lab;
	pid_t pid;

	if (!strcmp(lab_user(), "root")) {
		unit_skip("there is only one user here");
		return;
	}
	lab = alone_begin("", "", &pid);
	all_rights(pid, &root);
	CU_ASSERT_EQUAL(filters_of(pid), filters_of(getpid()) + 1);
	CU_ASSERT_EQUAL(filters_of(alone_child(pid, "worker")),
			filters_of(pid) + 1);
	CU_ASSERT_EQUAL(filters_of(alone_child(pid, "tracker")),
			filters_of(pid) + 1);
	check_hidden(lab, pid);
	lab_stop_proxyd(lab, pid);
	pid = lab_spawn(lab, LAB_GATEWAY, "ambient",
			"setpriv --reuid=nobody --clear-groups --inh-caps=%s "
			"--ambient-caps=%s --bounding-set=-all,%s "
			"proxyd -f " LAB_DIR "/policy.conf",
			all_caps, all_caps, all_caps);
	CU_ASSERT(LAB_WAIT(lab_logged("ambient", "proxyd: ready"), 5000));
	all_rights(pid, &ambient);
	check_hidden(lab, pid);
	UNIT_STRINGS(str_text(&ambient), str_text(&root));
	CU_ASSERT(strstr(str_text(&root), "Seccomp:\t2\n") != NULL);
	CU_ASSERT(strstr(str_text(&root), "Seccomp:\t0\n") == NULL);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGTERM, 5000), 0);
	str_fini(&root);
	str_fini(&ambient);
	lab_down(lab);
}

/* --- a worker that is somebody else's ------------------------------------- */

static int
raise_admin(void)
{
	const cap_value_t admin = CAP_NET_ADMIN;
	cap_t caps = cap_get_proc();
	int r = -1;

	if (caps && cap_set_flag(caps, CAP_PERMITTED, 1, &admin, CAP_SET) == 0)
		r = cap_set_proc(caps);
	cap_free(caps);
	return r;
}

/* Is there such a descriptor? Closes it. */
static bool
had(int fd)
{
	return fd >= 0 && close(fd) == 0;
}

/* 0 if all that a worker does is allowed and all that it does not is not. */
static int
misbehave(bool in_sandbox)
{
	int fd, r;

	if (priv_limit(PRIV_WORKER) < 0)
		return 1;
	if (in_sandbox && sandbox_enter(PRIV_WORKER) < 0)
		return 2;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	r = setsockopt(fd, SOL_SOCKET, SO_MARK, &(int){1}, sizeof(int)) ||
	    setsockopt(fd, SOL_IP, IP_TRANSPARENT, &(int){1}, sizeof(int));
	if (!had(fd) || r)
		return 3;
	/* its capabilities allow these */
	if (had(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))) == in_sandbox ||
	    had(socket(AF_INET, SOCK_RAW, IPPROTO_RAW)) == in_sandbox)
		return 4;
	if (had(open("/etc/passwd", O_RDONLY)) == in_sandbox)
		return 5;
	if (raise_admin() == 0)
		return 6;
	return 0;
}

static void
intruder(void)
{
	struct lab *lab = lab_up(&alone_options);
	int i, status;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		pid = fork();
		if (pid == 0)
			_exit(misbehave(i == 1));
		CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
		UNIT_CHECK(status == 0, "sandbox %d: status %#x", i, status);
	}
	lab_down(lab);
}

/* Who looks into the log finds out why the worker is gone. */
static void
killed(void)
{
	struct lab *lab;
	pid_t pid;

	lab = alone_begin("", "", &pid);
	kill(alone_child(pid, "worker"), SIGSYS);
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "the worker was killed by "
						"signal 31: it asked "),
			   2000));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGTERM, 5000), 0);
	lab_down(lab);
}

/* --- enough for what it does ---------------------------------------------- */

/* proxyd under strace, which shows what the filters refuse as ENOSYS. */
static pid_t
start_traced(struct lab *lab)
{
	pid_t pid;

	pid = lab_spawn(lab, LAB_GATEWAY, "proxyd",
			"strace -D -f -o " LAB_DIR "/trace -e signal=none "
			"proxyd -f " LAB_DIR "/policy.conf");
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "proxyd: ready"), 10000));
	return pid;
}

static void
some_flows(struct lab *lab, int family)
{
	struct lab_flow f;
	int l;

	l = lab_serve(lab, family, 80);
	lab_flow_open(lab, family, l, NULL, 80, &f);
	CU_ASSERT(lab_flow_works(&f));
	lab_flow_close(&f);
	lab_flow_open(lab, family, l, NULL, 80, &f);
	lab_reset(f.server);
	f.server = -1;
	CU_ASSERT(lab_ended(f.client, 2000));
	lab_flow_close(&f);
	close(l);
	/* refused */
	lab_expect_reset(
		lab_connect(lab, LAB_CLIENT, NULL, LAB_SERVER4 ":80", 2000),
		2000);
}

static void
some_datagrams(struct lab *lab, int family)
{
	struct endpoint seen;
	int client, server;

	server = lab_udp_serve(lab, family, LAB_HOST_SERVER);
	client = lab_udp_client(lab, family, 0, LAB_HOST_SERVER);
	CU_ASSERT(lab_udp_asks(client, server, "who", &seen));
	close(client);
	close(server);
}

/* All but what libc is refused without being asked for. */
static void
check_trace(void)
{
	struct str trace = {0};
	char *line, *rest;

	lab_read_file(LAB_DIR "/trace", &trace);
	CU_ASSERT(strstr(str_text(&trace), "seccomp(") != NULL);
	rest = trace.data;
	while ((line = strsep(&rest, "\n")))
		if (strstr(line, "ENOSYS") && !strstr(line, "prctl(0x494e5450"))
			UNIT_CHECK(0, "refused: %s", line);
	str_fini(&trace);
}

static void
nothing_refused(void)
{
	struct lab *lab = lab_up(NULL);
	pid_t pid;
	int i;

	lab_policy(lab,
		   "gateway {\n\tinside in0\n\tuser %s\n"
		   "\tlog access " LAB_DIR "/logs/a\n}\n"
		   "service web {\n\tintercept tcp port 80 via tproxy\n}\n"
		   "service dns {\n\tintercept udp port 53\n}\n",
		   lab_user());
	lab_must(lab, LAB_GATEWAY, "install -d -o %s " LAB_DIR "/logs",
		 lab_user());
	lab_apply(lab);
	pid = start_traced(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 5000));
	for (i = 0; i < 2; i++) {
		some_flows(lab, lab_families[i]);
		some_datagrams(lab, lab_families[i]);
	}
	kill(pid, SIGUSR1);
	some_flows(lab, AF_INET);
	kill(alone_child(pid, "worker"), SIGKILL);
	CU_ASSERT(LAB_WAIT(alone_child(pid, "worker") > 0, 3000));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGTERM, 10000), 0);
	check_trace();
	lab_down(lab);
}

/* --- conntrack, seen by who may open nothing ------------------------------ */

/*
 * A client of a listener goes on to the port that it asked for: the kernel
 * has to say that nobody redirected it. Proxyd may have been started when
 * that could not be known, and its worker can look at nothing by itself.
 */
static void
late_count(void)
{
	struct lab *lab = lab_up(&alone_options);
	struct lab_flow f;
	pid_t pid;
	int l;

	lab_policy(lab,
		   "gateway { user %s }\n"
		   "pool app { node " LAB_SERVER4 "; source gateway }\n"
		   "service web { listen tcp 80; use app }\n",
		   lab_user());
	lab_must(lab, LAB_GATEWAY, "mount -t tmpfs none /proc/sys/net");
	pid = lab_proxyd_up(lab);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	lab_expect_reset(alone_knock(lab), 2000);
	CU_ASSERT(lab_closed("no-destination", 1));
	lab_must(lab, LAB_GATEWAY, "umount /proc/sys/net");
	/* the master looks once a second */
	lab_sleep(1200);
	alone_flow(lab, l, &f);
	CU_ASSERT(lab_flow_works(&f));
	lab_flow_close(&f);
	close(l);
	lab_stop_proxyd(lab, pid);
	/* not hidden, but not there: nobody can redirect */
	lab_must(lab, LAB_GATEWAY,
		 "mount -t tmpfs none /proc/sys/net/netfilter");
	pid = lab_proxyd_up(lab);
	lab_must(lab, LAB_GATEWAY, "umount /proc/sys/net/netfilter");
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	alone_flow(lab, l, &f);
	CU_ASSERT(lab_flow_works(&f));
	lab_flow_close(&f);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"same_rights", same_rights}, {"intruder", intruder},
	{"killed", killed},	      {"nothing_refused", nothing_refused},
	{"late_count", late_count},
};

LAB_MAIN("sandbox", tests)
