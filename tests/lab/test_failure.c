/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_failure.c - proxyd dies, hangs, is told to end: what becomes of new
 * connections and of those that are.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab.h"

static const struct lab_options masquerades = {.masquerade = true};

/* `open` or `closed`; heartbeats that would not be missed for a minute. */
static struct lab *
begin_via(const char *via, const struct lab_options *options,
	  const char *on_failure, const char *alive_timeout, pid_t *ret_pid)
{
	struct str policy = {0};
	struct lab *lab;

	str_addf(&policy,
		 "gateway {\n"
		 "	inside in0\n"
		 "	outside out0\n"
		 "	user %s\n"
		 "	workers 1\n"
		 "	on-failure %s\n"
		 "	alive-timeout %s\n"
		 "	drain-timeout 20s\n"
		 "}\n"
		 "pool original {\n"
		 "	node original\n"
		 "	source gateway\n"
		 "}\n"
		 "service web {\n"
		 "	intercept tcp port 80 via %s\n"
		 "}\n",
		 lab_user(), on_failure, alive_timeout, via);
	lab = lab_begin(options, str_text(&policy), ret_pid);
	str_fini(&policy);
	return lab;
}

static struct lab *
begin(const struct lab_options *options, const char *on_failure,
      const char *alive_timeout, pid_t *ret_pid)
{
	return begin_via("redirect", options, on_failure, alive_timeout,
			 ret_pid);
}

/*
 * Ask the server: does it see the client itself (then nobody proxied), or
 * the gateway? True if the answer came and is so.
 */
static bool
routed(struct lab *lab, int family, bool want_routed)
{
	char to[ENDPOINT_TEXT_LEN], client[ENDPOINT_TEXT_LEN];
	struct endpoint seen = {0};
	struct addr is_client;
	struct str body = {0};
	int r;

	lab_at(lab, family, LAB_HOST_SERVER, 80, to);
	lab_at(lab, family, LAB_HOST_CLIENT, 0, client);
	r = lab_get(lab, LAB_CLIENT, NULL, to, "/", &body);
	if (body.len && body.data[body.len - 1] == '\n')
		body.data[body.len - 1] = '\0';
	if (r == 200)
		endpoint_parse(str_text(&body), &seen);
	str_fini(&body);
	addr_parse(client, &is_client);
	return r == 200 && addr_equal(&seen.addr, &is_client) == want_routed;
}

static void
check_both(struct lab *lab, bool want_routed, const char *when)
{
	int i;

	for (i = 0; i < 2; i++)
		UNIT_CHECK(routed(lab, lab_families[i], want_routed),
			   "%s: %s not %s", when,
			   inet_family_name(lab_families[i]),
			   want_routed ? "routed" : "proxied");
}

static void
check_refused(struct lab *lab, const char *when)
{
	char to[ENDPOINT_TEXT_LEN];
	int i, r;

	for (i = 0; i < 2; i++) {
		lab_at(lab, lab_families[i], LAB_HOST_SERVER, 80, to);
		r = lab_connect(lab, LAB_CLIENT, NULL, to, 1500);
		UNIT_CHECK(r == -ECONNREFUSED || r == -ECONNRESET,
			   "%s: %s gives %s", when, to,
			   r < 0 ? strerror(-r) : "a connection");
		if (r >= 0)
			close(r);
	}
}

/*
 * The alive sets would last for a minute: it is the tracker that ends them,
 * and `at once` is much less than a human's patience.
 */
static void
killed_open_via(const char *via)
{
	pid_t pid;
	struct lab *lab = begin_via(via, NULL, "open", "60s", &pid);

	lab_nginx(lab);
	check_both(lab, false, "before");
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGKILL, 1000), 137);
	CU_ASSERT(LAB_WAIT(!lab_armed(lab), 500));
	check_both(lab, true, "after kill -9");
	lab_proxyd_up(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
	check_both(lab, false, "after its return");
	lab_down(lab);
}

static void
killed_open(void)
{
	killed_open_via("redirect");
	killed_open_via("tproxy");
}

/* All of its processes at once: only the timeout is left. */
static void
all_killed_open(void)
{
	pid_t pid, children[16];
	struct lab *lab = begin(NULL, "open", "1s", &pid);
	size_t i, n;

	lab_nginx(lab);
	check_both(lab, false, "before");
	n = lab_children(pid, NULL, children, 16);
	CU_ASSERT(n >= 2); /* tracker and worker */
	kill(pid, SIGSTOP);
	for (i = 0; i < n; i++)
		kill(children[i], SIGKILL);
	kill(pid, SIGKILL);
	CU_ASSERT(LAB_WAIT(!lab_armed(lab), 2500));
	check_both(lab, true, "after kill -9 of all");
	lab_down(lab);
}

static void
killed_closed_with(const struct lab_options *options, const char *via)
{
	pid_t pid;
	struct lab *lab = begin_via(via, options, "closed", "60s", &pid);

	lab_nginx(lab);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGKILL, 1000), 137);
	CU_ASSERT(LAB_WAIT(!lab_armed(lab), 500));
	check_refused(lab, "after kill -9");
	lab_proxyd_up(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
	if (!options)
		check_both(lab, false, "after its return");
	CU_ASSERT_EQUAL(lab_direct(lab), 0);
	lab_down(lab);
}

static void
killed_closed(void)
{
	killed_closed_with(NULL, "redirect");
	killed_closed_with(&masquerades, "redirect");
	killed_closed_with(NULL, "tproxy");
}

/* Flows of a worker whose master died go on to their end. */
static void
killed_drains_via(const char *via)
{
	pid_t pid;
	struct lab *lab = begin_via(via, NULL, "open", "60s", &pid);
	int l = lab_serve(lab, AF_INET, 80);
	struct lab_flow f;
	char buf[16];

	lab_flow_open(lab, AF_INET, l, NULL, 80, &f);
	CU_ASSERT(lab_flow_works(&f));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGKILL, 1000), 137);
	CU_ASSERT(LAB_WAIT(!lab_armed(lab), 500));
	CU_ASSERT(lab_flow_works(&f));
	shutdown(f.client, SHUT_WR);
	CU_ASSERT_EQUAL(lab_recv(f.server, buf, sizeof(buf), 1000), 0);
	lab_flow_close(&f);
	close(l);
	lab_down(lab);
}

static void
killed_drains(void)
{
	killed_drains_via("redirect");
	killed_drains_via("tproxy");
}

/* The pid of the one worker. */
static pid_t
worker_of(pid_t master)
{
	struct str name = {0};
	pid_t children[16], found = -1;
	char path[64];
	size_t i, n;

	n = lab_children(master, NULL, children, 16);
	for (i = 0; i < n && found < 0; i++) {
		str_clear(&name);
		snprintf(path, sizeof(path), "/proc/%d/comm", (int)children[i]);
		lab_read_file(path, &name);
		snprintf(path, sizeof(path), "/proc/%d/cmdline",
			 (int)children[i]);
		lab_read_file(path, &name);
		if (strstr(str_text(&name), "worker"))
			found = children[i];
	}
	str_fini(&name);
	return found;
}

static void
worker_stopped(void)
{
	pid_t pid, worker;
	struct lab *lab = begin(NULL, "open", "1500ms", &pid);

	lab_nginx(lab);
	check_both(lab, false, "before");
	worker = worker_of(pid);
	CU_ASSERT_FATAL(worker > 0);
	kill(worker, SIGSTOP);
	/* who comes now waits in the queue, and the next worker serves him */
	check_both(lab, false, "while it hangs");
	CU_ASSERT(LAB_WAIT(!lab_alive(worker), 1000));
	CU_ASSERT(LAB_WAIT(worker_of(pid) > 0, 3000));
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 4000));
	check_both(lab, false, "after its replacement");
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGINT, 5000), 0);
	lab_down(lab);
}

/* A worker that dies is replaced. */
static void
worker_killed(void)
{
	pid_t pid, worker;
	struct lab *lab = begin(NULL, "open", "3s", &pid);

	lab_nginx(lab);
	worker = worker_of(pid);
	CU_ASSERT_FATAL(worker > 0);
	kill(worker, SIGKILL);
	CU_ASSERT(
		LAB_WAIT(worker_of(pid) > 0 && worker_of(pid) != worker, 3000));
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 4000));
	check_both(lab, false, "after its replacement");
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGINT, 5000), 0);
	lab_down(lab);
}

/* A download goes on to its end; who comes meanwhile is routed. */
static void
drain(void)
{
	pid_t pid, curl;
	struct lab *lab = begin(NULL, "open", "3s", &pid);

	lab_nginx(lab);
	lab_www(lab, "big", 300000); /* three seconds */
	curl = lab_spawn(lab, LAB_CLIENT, "curl",
			 "curl -s -S -o " LAB_DIR "/got http://" LAB_SERVER4
			 "/slow/big");
	CU_ASSERT(LAB_WAIT(lab_sockets(lab, LAB_SERVER,
				       "state established sport = :80") > 0,
			   2000));
	kill(pid, SIGTERM);
	CU_ASSERT(LAB_WAIT(!lab_armed(lab), 4000));
	check_both(lab, true, "while draining");
	CU_ASSERT_EQUAL(lab_stop(lab, curl, 0, 10000), 0);
	CU_ASSERT_EQUAL(lab_run(lab, LAB_CLIENT, NULL,
				"cmp " LAB_DIR "/got " LAB_DIR "/www/big"),
			0);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, 0, 5000), 0);
	lab_down(lab);
}

/* As many descriptors after hundreds of flows as before. */
static void
descriptors(void)
{
	pid_t pid, worker;
	struct lab *lab = begin(NULL, "open", "3s", &pid);
	size_t before, after;

	lab_spawn(lab, LAB_SERVER, "server", "tool_server 80 -");
	CU_ASSERT(LAB_WAIT(
		lab_sockets(lab, LAB_SERVER, "state listening sport = :80") > 0,
		2000));
	worker = worker_of(pid);
	CU_ASSERT_FATAL(worker > 0);
	lab_must(lab, LAB_CLIENT,
		 "tool_churn 8 1 " LAB_SERVER4 ":80 [" LAB_SERVER6 "]:80");
	lab_sleep(300);
	before = lab_descriptors(worker).n;
	lab_must(lab, LAB_CLIENT,
		 "tool_churn 8 1 " LAB_SERVER4 ":80 [" LAB_SERVER6 "]:80");
	CU_ASSERT(LAB_WAIT(lab_descriptors(worker).n <= before, 2000));
	after = lab_descriptors(worker).n;
	UNIT_CHECK(before > 2 && after <= before,
		   "%zu descriptors before, %zu after", before, after);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* It would get a share of the flows, and nobody would know. */
static void
second(void)
{
	struct str out = {0};
	struct lab *lab;
	pid_t pid;

	lab = begin(NULL, "open", "3s", &pid);
	CU_ASSERT_EQUAL(lab_run(lab, LAB_GATEWAY, &out,
				"proxyd -f " LAB_DIR "/policy.conf"),
			1);
	UNIT_CHECK(strstr(str_text(&out), "is proxyd running already?") != NULL,
		   "a second proxyd says: %s", str_text(&out));
	str_fini(&out);
	CU_ASSERT(lab_armed(lab));
	lab_end(lab, pid);
}

/* The orphaned worker still listens when the next proxyd comes. */
static void
successor(void)
{
	struct lab *lab;
	pid_t pid;

	lab = begin(NULL, "open", "3s", &pid);
	lab_nginx(lab);
	lab_stop(lab, pid, SIGKILL, 5000);
	pid = lab_proxyd_up(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
	check_both(lab, false, "proxied by the successor");
	/* the answers to routed ones in between were direct */
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* As quickly with very many services: one commit ends them all. */
static void
many_killed_open(void)
{
	struct lab *lab = lab_up(NULL);
	struct str policy = {0};
	unsigned int i;
	pid_t pid;

	str_addf(&policy,
		 "gateway {\n"
		 "	inside in0\n"
		 "	user %s\n"
		 "	alive-timeout 60s\n"
		 "}\n",
		 lab_user());
	for (i = 0; i < 300; i++)
		str_addf(&policy,
			 "service s%u {\n"
			 "	intercept tcp port %u\n"
			 "}\n",
			 i, 1000 + i);
	lab_policy(lab, "%s", str_text(&policy));
	lab_apply(lab);
	pid = lab_proxyd_up(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 5000));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGKILL, 1000), 137);
	CU_ASSERT(LAB_WAIT(lab_run(lab, LAB_GATEWAY, NULL,
				   "nft list sets inet | grep -A4 alive_ | "
				   "grep -q expires") == 1,
			   500));
	str_fini(&policy);
	lab_down(lab);
}

/* A service whose rules are not installed keeps no other from being ended. */
static void
stranger_killed_open(void)
{
	struct lab *lab = lab_up(NULL);
	pid_t pid;

	lab_policy(lab,
		   "gateway {\n inside in0\n user %s\n alive-timeout 60s\n}\n"
		   "service web {\n intercept tcp port 80\n}\n",
		   lab_user());
	lab_apply(lab);
	lab_policy(lab,
		   "gateway {\n inside in0\n user %s\n alive-timeout 60s\n}\n"
		   "service other {\n intercept tcp port 81\n}\n"
		   "service web {\n intercept tcp port 80\n}\n",
		   lab_user());
	pid = lab_proxyd_up(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGKILL, 1000), 137);
	CU_ASSERT(LAB_WAIT(!lab_armed(lab), 500));
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"many_killed_open", many_killed_open},
	{"stranger_killed_open", stranger_killed_open},
	{"second", second},
	{"successor", successor},
	{"killed_open", killed_open},
	{"all_killed_open", all_killed_open},
	{"killed_closed", killed_closed},
	{"killed_drains", killed_drains},
	{"worker_stopped", worker_stopped},
	{"worker_killed", worker_killed},
	{"drain", drain},
	{"descriptors", descriptors},
};

LAB_MAIN("failure", tests)
