/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_drain.c - remove --drain: capture ends at once, what is proxied goes
 * on to its end, and then nothing is left.
 */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/command.h"

enum { PORT = 80 };

static const char policy[] = "gateway {\n"
			     "	inside in0\n"
			     "	outside out0\n"
			     "	user %s\n"
			     "	timeout connect 400ms\n"
			     "}\n"
			     "service web {\n"
			     "	intercept tcp port 80\n"
			     "}\n";

static const char by_tproxy[] = "gateway {\n"
				"	inside in0\n"
				"	outside out0\n"
				"	user %s\n"
				"}\n"
				"pool original {\n"
				"	node original\n"
				"	source gateway\n"
				"}\n"
				"service web {\n"
				"	intercept tcp port 80 via tproxy\n"
				"}\n";

/* A lab with a proxied flow. */
struct drained {
	struct lab *lab;
	pid_t proxyd;
	int listener;
	struct lab_flow flow;
};

static void
begin(struct drained *d, const struct lab_options *options, const char *text,
      int family)
{
	d->lab = lab_begin(options, text, &d->proxyd);
	d->listener = lab_serve(d->lab, family, PORT);
	lab_flow_open(d->lab, family, d->listener, NULL, PORT, &d->flow);
	UNIT_CHECK(strcmp(d->flow.seen, d->flow.source) != 0, "%s is proxied",
		   d->flow.source);
}

static void
end(struct drained *d)
{
	lab_flow_close(&d->flow);
	close(d->listener);
	lab_stop_proxyd(d->lab, d->proxyd);
	lab_down(d->lab);
}

/* Nothing is captured any more, and that is on record. */
static void
wait_for_record(struct lab *lab)
{
	UNIT_CHECK(LAB_WAIT(lab_run(lab, LAB_GATEWAY, NULL,
				    "grep -qs '^# drain' "
				    "/run/interpose/netsetup.policy.*") == 0,
			    3000),
		   "capture ends");
	UNIT_CHECK(lab_run(lab, LAB_GATEWAY, NULL,
			   "nft list sets inet | grep alive_") != 0,
		   "no set is left");
}

static pid_t
start_drain(struct drained *d, const char *duration)
{
	pid_t pid = lab_spawn(d->lab, LAB_GATEWAY, "remove",
			      "netsetup remove --drain %s", duration);

	wait_for_record(d->lab);
	return pid;
}

/* A new connection is routed: the server sees the client's own port. */
static void
new_is_routed(struct drained *d, int family)
{
	struct lab_flow f;

	lab_flow_open(d->lab, family, d->listener, NULL, PORT, &f);
	UNIT_STRINGS(f.seen, f.source);
	lab_flow_close(&f);
}

static void
with_flow(const struct lab_options *options, const char *text, int family)
{
	struct drained d;
	pid_t pid;

	begin(&d, options, text, family);
	pid = start_drain(&d, "20s");
	if (!options->masquerade)
		new_is_routed(&d, family);
	command_check(d.lab, "status", 2, "draining: nothing is captured");
	command_check(d.lab, "apply", 1, "another netsetup is at work");
	lab_sleep(1200); /* proxyd has looked */
	UNIT_CHECK(lab_logged("proxyd", "no rules capture"), "proxyd knows");
	CU_ASSERT(lab_flow_works(&d.flow));
	UNIT_CHECK(lab_alive(pid), "it waits");
	lab_flow_close(&d.flow);
	UNIT_CHECK(lab_stop(d.lab, pid, 0, 5000) == 0, "its end");
	UNIT_CHECK(!lab_logged("remove", "cut"), "nothing was cut");
	command_check(d.lab, "status", 0, "nothing is installed\n");
	end(&d);
}

static void
flow_goes_on(void)
{
	struct lab_options options = {.forwarding = true};

	with_flow(&options, policy, AF_INET);
	with_flow(&options, by_tproxy, AF_INET6);
	options.masquerade = true;
	with_flow(&options, policy, AF_INET6);
}

/* Time is over: the rest goes, and the flow with it. */
static void
time_is_over(void)
{
	const struct lab_options options = {.forwarding = true};
	struct drained d;
	pid_t pid;

	begin(&d, &options, policy, AF_INET);
	pid = start_drain(&d, "1500ms");
	CU_ASSERT(lab_flow_works(&d.flow));
	UNIT_CHECK(lab_stop(d.lab, pid, 0, 4000) == 0, "its end");
	UNIT_CHECK(lab_logged("remove", "1 proxied flow is cut\n"),
		   "it says so");
	command_check(d.lab, "status", 0, "nothing is installed\n");
	end(&d);
}

/* What is left on purpose is nothing to mend, proxyd least of all. */
static void
check_doctor(struct lab *lab)
{
	static const char *const commands[] = {"doctor", "doctor -f " LAB_DIR
							 "/policy.conf"};
	struct str out = {0};
	size_t i;

	for (i = 0; i < 2; i++) {
		str_clear(&out);
		lab_run(lab, LAB_GATEWAY, &out, "netsetup %s", commands[i]);
		UNIT_CHECK(strstr(str_text(&out), "is not over") &&
				   !strstr(str_text(&out), "[drift]") &&
				   !strstr(str_text(&out), "[other-policy]") &&
				   !strstr(str_text(&out), "[not-alive]"),
			   "%s: %s", commands[i], str_text(&out));
	}
	str_fini(&out);
}

/* Interrupted: it stays as it is, and any command goes on from there. */
static void
interrupted(void)
{
	const struct lab_options options = {.forwarding = true};
	struct drained d;
	struct lab_flow f;
	pid_t pid;

	begin(&d, &options, policy, AF_INET);
	pid = start_drain(&d, "20s");
	UNIT_CHECK(lab_stop(d.lab, pid, SIGINT, 1000) == 128 + SIGINT, "^C");
	command_check(d.lab, "status", 2, "draining: nothing is captured");
	command_check(d.lab, "status --json", 2, "\"draining\": true");
	check_doctor(d.lab);
	CU_ASSERT(lab_flow_works(&d.flow));
	pid = start_drain(&d, "20s");
	lab_stop(d.lab, pid, SIGINT, 1000);
	command_check(d.lab, "apply", 0, NULL);
	command_check(d.lab, "status --json", 0, "\"draining\": false");
	CU_ASSERT(lab_flow_works(&d.flow));
	CU_ASSERT(LAB_WAIT(lab_armed(d.lab), 3000));
	lab_flow_open(d.lab, AF_INET, d.listener, NULL, PORT, &f);
	UNIT_CHECK(strcmp(f.seen, f.source) != 0, "captured again");
	lab_flow_close(&f);
	pid = start_drain(&d, "20s");
	lab_stop(d.lab, pid, SIGINT, 1000);
	command_check(d.lab, "remove", 0,
		      "is cut; `netsetup remove --drain 5m` lets them end");
	command_check(d.lab, "status", 0, "nothing is installed\n");
	end(&d);
}

/*
 * Connections that come while capture ends: each is proxied or routed, none
 * is tried in vain.
 */
static void
nobody_notices(void)
{
	const struct lab_options options = {.forwarding = true};
	pid_t proxyd, pid;
	struct lab *lab = lab_begin(&options, policy, &proxyd);
	struct str body = {0};
	int status = 200, n = 0;

	lab_nginx(lab);
	pid = lab_spawn(lab, LAB_GATEWAY, "remove",
			"sh -c 'sleep 0.1; exec netsetup remove --drain 20s'");
	while (lab_alive(pid) && status == 200) {
		str_clear(&body);
		status = lab_get(lab, LAB_CLIENT, NULL, LAB_SERVER4 ":80", "/",
				 &body);
		n++;
	}
	UNIT_CHECK(status == 200, "connection %d: %d", n, status);
	UNIT_CHECK(lab_stop(lab, pid, 0, 5000) == 0, "its end");
	UNIT_CHECK(!lab_logged("proxyd", "connect-timeout"), "of %d", n);
	command_check(lab, "status", 0, "nothing is installed\n");
	str_fini(&body);
	lab_stop_proxyd(lab, proxyd);
	lab_down(lab);
}

/* Who watches does not put back what was interrupted; many services. */
static void
watched(void)
{
	static const char many[] = "gateway {\n"
				   "	inside in0\n"
				   "	on-drift restore\n"
				   "}\n"
				   "service a {\n intercept tcp port 81\n}\n"
				   "service b {\n intercept tcp port 82\n}\n"
				   "service c {\n intercept tcp port 83\n}\n"
				   "service d {\n intercept tcp port 84\n}\n"
				   "service e {\n intercept tcp port 85\n}\n";
	struct lab *lab = lab_up(NULL);
	pid_t pid, watch;

	lab_policy(lab, many);
	lab_apply(lab);
	pid = lab_spawn(lab, LAB_GATEWAY, "remove",
			"netsetup remove --drain 20s");
	wait_for_record(lab);
	lab_stop(lab, pid, SIGINT, 1000);
	command_check(lab, "status", 2, "draining: nothing is captured");
	watch = lab_spawn(lab, LAB_GATEWAY, "watch", "netsetup watch");
	lab_sleep(1500);
	UNIT_CHECK(!lab_logged("watch", "somebody"), "it is content");
	lab_must(lab, LAB_GATEWAY, "nft flush ruleset");
	UNIT_CHECK(LAB_WAIT(lab_logged("watch", "put back"), 3000), "flushed");
	lab_stop(lab, watch, SIGTERM, 1000);
	UNIT_CHECK(lab_run(lab, LAB_GATEWAY, NULL,
			   "nft list sets inet | grep alive_") != 0,
		   "but captures nothing");
	command_check(lab, "status", 2, "draining: nothing is captured");
	command_silent(lab, "remove --drain 20s");
	command_check(lab, "status", 0, "nothing is installed\n");
	lab_down(lab);
}

static void
who_knows_what_to_wait_for(void)
{
	struct lab *lab = lab_up(NULL);

	command_check(lab, "remove --drain 1s", 0, NULL);
	lab_policy(lab, COMMAND_POLICY);
	lab_apply(lab);
	lab_must(lab, LAB_GATEWAY, "rm /run/interpose/netsetup.policy.*");
	command_check(lab, "remove --drain 1s", 1, "no policy is on record");
	lab_apply(lab);
	command_silent(lab, "remove --drain 100ms");
	command_check(lab, "status", 0, "nothing is installed\n");
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"flow_goes_on", flow_goes_on},
	{"time_is_over", time_is_over},
	{"interrupted", interrupted},
	{"nobody_notices", nobody_notices},
	{"watched", watched},
	{"who_knows_what_to_wait_for", who_knows_what_to_wait_for},
};

LAB_MAIN("drain", tests)
