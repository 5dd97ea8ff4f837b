/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_replace.c - another program takes the place of the running proxyd:
 * nobody notices, or all stays as it was.
 */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lab/crowd.h"

enum { PATIENCE_MS = 15000 };

/* Where the program is that the tests replace. */
#define PROGRAM LAB_DIR "/sbin/proxyd"

/* %s: further lines in `gateway`; in `service web`. */
static const char policy[] = "gateway {\n"
			     "	alive-timeout 1s\n"
			     "	inside in0\n"
			     "	outside out0\n"
			     "	user %s\n"
			     "%s}\n"
			     "service web {\n"
			     "	intercept tcp port 80\n"
			     "%s}\n";

static void
write_policy(struct lab *lab, const char *gateway, const char *service)
{
	lab_policy(lab, policy, lab_user(), gateway, service);
}

/* Lab, rules, and a proxyd that lies where it may be replaced. */
static struct lab *
begin(const char *gateway, pid_t *ret_pid)
{
	struct lab *lab = lab_up(NULL);

	write_policy(lab, gateway, "");
	lab_apply(lab);
	lab_must(lab, LAB_GATEWAY,
		 "mkdir " LAB_DIR "/sbin && cp $(which proxyd) " PROGRAM);
	*ret_pid = lab_proxyd_at(lab, PROGRAM, "");
	CU_ASSERT_FATAL(*ret_pid > 0);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
	lab_watch_direct(lab);
	return lab;
}

/* Wait until its log has `text` once more than before. */
#define DOES(pid, sig, text)                                                   \
	__extension__({                                                        \
		size_t before_ = lab_log_count("proxyd", text);                \
		kill(pid, sig);                                                \
		LAB_WAIT(lab_log_count("proxyd", text) > before_,              \
			 PATIENCE_MS);                                         \
	})

static bool
replace(pid_t pid)
{
	return DOES(pid, SIGUSR2, "replaced") && lab_alive(pid);
}

/* Is this one refused, and does the flow not notice? */
static void
refused(pid_t pid, struct lab_flow *flow, const char *why)
{
	UNIT_CHECK(DOES(pid, SIGUSR2, "not replaced") && lab_alive(pid), "%s",
		   why);
	UNIT_CHECK(lab_logged("proxyd", why), "'%s' is not said", why);
	UNIT_CHECK(lab_flow_works(flow), "after '%s'", why);
}

static void
new_flow(struct lab *lab, int listener, const char *when)
{
	struct lab_flow flow;

	lab_flow_open(lab, AF_INET, listener, NULL, 80, &flow);
	UNIT_CHECK(lab_flow_works(&flow), "%s", when);
	lab_flow_close(&flow);
}

/* A line of /proc/PID/status, from its value on; "" if there is none. */
static const char *
status_of(pid_t pid, const char *key, char buf[64])
{
	struct str text = {0};
	char path[64];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	lab_read_file(path, &text);
	at = strstr(str_text(&text), key);
	buf[0] = '\0';
	if (at)
		sscanf(at + strlen(key), ":%63s", buf);
	str_fini(&text);
	return buf;
}

/*
 * The same process, of which the file was replaced as dpkg does it: flows go
 * on, new ones come, it has the same rights, and no others to pass on.
 */
static void
new_program(void)
{
	static const char *const rights[] = {"CapPrm", "CapEff",     "CapInh",
					     "CapAmb", "NoNewPrivs", "Uid"};
	pid_t pid;
	struct lab *lab = begin("\tworkers 2\n", &pid);
	int listener = lab_serve(lab, AF_INET, 80);
	char before[6][64], after[64], exe[256];
	struct lab_flow flow;
	size_t i;

	lab_flow_open(lab, AF_INET, listener, NULL, 80, &flow);
	for (i = 0; i < 6; i++)
		status_of(pid, rights[i], before[i]);
	lab_must(lab, LAB_GATEWAY,
		 "cp " PROGRAM " " PROGRAM ".new && mv " PROGRAM
		 ".new " PROGRAM);
	CU_ASSERT(replace(pid));
	snprintf(exe, sizeof(exe), "test $(readlink /proc/%d/exe) = " PROGRAM,
		 (int)pid);
	CU_ASSERT_EQUAL(lab_run(lab, LAB_GATEWAY, NULL, "%s", exe), 0);
	for (i = 0; i < 6; i++)
		UNIT_STRINGS(status_of(pid, rights[i], after), before[i]);
	CU_ASSERT(lab_flow_works(&flow));
	new_flow(lab, listener, "after it");
	CU_ASSERT(lab_armed(lab));
	lab_flow_close(&flow);
	close(listener);
	lab_end(lab, pid);
}

/* What would not start does not get the chance; what cannot, neither. */
static void
bad_program(void)
{
	pid_t pid;
	struct lab *lab = begin("", &pid);
	int listener = lab_serve(lab, AF_INET, 80);
	struct lab_flow flow;

	lab_flow_open(lab, AF_INET, listener, NULL, 80, &flow);
	write_policy(lab, "\tworker 2\n", "");
	refused(pid, &flow, "unknown keyword 'worker'");
	write_policy(lab, "", "");
	lab_must(lab, LAB_GATEWAY, "mv " PROGRAM " " PROGRAM ".good");
	refused(pid, &flow, "No such file");
	lab_write_file(PROGRAM, "#!/bin/sh\nkill -SEGV $$\n");
	refused(pid, &flow, "cannot run");
	chmod(PROGRAM, 0755);
	refused(pid, &flow, "would not start");
	/* it is content, and then it is gone */
	lab_must(lab, LAB_GATEWAY,
		 "rm " PROGRAM "; chmod 777 " LAB_DIR "/sbin");
	lab_write_file(PROGRAM, "#!/bin/sh\nrm \"$0\"\n");
	chmod(PROGRAM, 0755);
	refused(pid, &flow, "cannot execute");
	new_flow(lab, listener, "after all that");
	lab_must(lab, LAB_GATEWAY, "mv " PROGRAM ".good " PROGRAM);
	CU_ASSERT(replace(pid));
	CU_ASSERT(lab_flow_works(&flow));
	lab_flow_close(&flow);
	close(listener);
	lab_end(lab, pid);
}

/* What no reload changes: more workers, fewer, other ports. */
static void
other_size(void)
{
	static const char *const sizes[] = {
		"\tworkers 3\n",
		"\tworkers 1\n\tcapture-ports 30000-30999\n",
		"\tworkers 2\n",
	};
	pid_t pid;
	struct lab *lab = begin("\tworkers 2\n", &pid);
	int listener = lab_serve(lab, AF_INET, 80);
	struct lab_flow flow;
	size_t i, k;

	lab_flow_open(lab, AF_INET, listener, NULL, 80, &flow);
	for (i = 0; i < 3; i++) {
		write_policy(lab, sizes[i], "");
		CU_ASSERT(DOES(pid, SIGHUP, "SIGUSR2"));
		UNIT_CHECK(replace(pid), "%s", sizes[i]);
		lab_apply(lab);
		CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
		/* each slot has somebody */
		for (k = 0; k < 12; k++)
			new_flow(lab, listener, sizes[i]);
		UNIT_CHECK(lab_flow_works(&flow), "%s", sizes[i]);
	}
	lab_flow_close(&flow);
	close(listener);
	lab_end(lab, pid);
}

/* -w goes before the policy, also in a reload and in a replacement. */
static void
option_w(void)
{
	pid_t pid, workers[8];
	struct lab *lab = lab_up(NULL);

	write_policy(lab, "\tworkers 1\n", "");
	lab_apply(lab);
	pid = lab_proxyd_at(lab, "proxyd", "-w 3");
	CU_ASSERT_FATAL(pid > 0);
	CU_ASSERT_EQUAL(lab_children(pid, "proxyd-worker", workers, 8), 3);
	write_policy(lab, "\tworkers 2\n", "\ttimeout idle 1m\n");
	CU_ASSERT(DOES(pid, SIGHUP, "reloaded"));
	CU_ASSERT(LAB_WAIT(lab_children(pid, "proxyd-worker", workers, 8) == 3,
			   6000));
	CU_ASSERT(replace(pid));
	CU_ASSERT(LAB_WAIT(lab_children(pid, "proxyd-worker", workers, 8) == 3,
			   6000));
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* Who we are stays, whatever the policy wants, and is what it is held to. */
static void
user_stays(void)
{
	static const char other[] = "gateway { inside in0; user daemon }\n"
				    "service web { intercept tcp port 80 }\n";
	struct str still = {0};
	pid_t pid;
	struct lab *lab = begin("", &pid);

	str_addf(&still, "still '%s': 'user' changes only", lab_user());
	lab_policy(lab, "%s", other);
	CU_ASSERT(replace(pid));
	CU_ASSERT(lab_logged("proxyd", str_text(&still)));
	CU_ASSERT(DOES(pid, SIGHUP, "not reloaded"));
	write_policy(lab, "", "");
	CU_ASSERT(DOES(pid, SIGHUP, "proxyd: reloaded"));
	CU_ASSERT(replace(pid));
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "still '"), 1);
	str_fini(&still);
	lab_end(lab, pid);
}

/* Asked twice, and in the middle of reloads: all of it is done. */
static void
at_once(void)
{
	pid_t pid;
	struct lab *lab = begin("\tworkers 2\n", &pid);
	int listener = lab_serve(lab, AF_INET, 80);
	struct lab_flow flow;
	int i;

	lab_flow_open(lab, AF_INET, listener, NULL, 80, &flow);
	for (i = 0; i < 5; i++) {
		kill(pid, SIGUSR2);
		kill(pid, SIGUSR2);
		kill(pid, SIGHUP);
		lab_sleep(7 * (unsigned int)i);
		CU_ASSERT(DOES(pid, SIGUSR2, "replaced") ||
			  lab_logged("proxyd", "under way already"));
		CU_ASSERT(lab_flow_works(&flow));
	}
	CU_ASSERT(LAB_WAIT(replace(pid), PATIENCE_MS));
	CU_ASSERT(DOES(pid, SIGHUP, "reloaded"));
	new_flow(lab, listener, "after all that");
	CU_ASSERT(lab_armed(lab));
	lab_flow_close(&flow);
	close(listener);
	lab_end(lab, pid);
}

/*
 * The new one is content with the policy, but the box is not: the old
 * processes serve on, are watched and replaced, until that is mended.
 */
static void
serve_on(void)
{
	pid_t pid, worker = -1, workers[8];
	struct lab *lab = begin("\tworkers 1\n", &pid);
	int listener = lab_serve(lab, AF_INET, 80);
	int other = lab_listen(lab, LAB_GATEWAY, "0.0.0.0:8080");
	struct lab_flow flow;
	int i;

	lab_flow_open(lab, AF_INET, listener, NULL, 80, &flow);
	write_policy(lab, "\tworkers 3\n", "\tlisten tcp 8080\n");
	CU_ASSERT(DOES(pid, SIGUSR2, "the former processes serve on"));
	CU_ASSERT(lab_logged("proxyd", "cannot listen on 0.0.0.0:8080"));
	CU_ASSERT(lab_flow_works(&flow));
	/* longer than a heartbeat lasts */
	lab_sleep(1500);
	CU_ASSERT(lab_armed(lab));
	/* also where it was to have more slots */
	for (i = 0; i < 12; i++)
		new_flow(lab, listener, "while the former serves");
	lab_flow_close(&flow);
	lab_children(pid, "proxyd-worker", &worker, 1);
	kill(worker, SIGKILL);
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "killed by signal 9"), 3000));
	new_flow(lab, listener, "with another worker");
	/* nothing of what was wanted stays */
	write_policy(lab, "\tworkers 1\n", "");
	CU_ASSERT(DOES(pid, SIGHUP, "proxyd: reloaded"));
	CU_ASSERT(LAB_WAIT(lab_children(pid, "proxyd-worker", workers, 8) == 1,
			   6000));
	write_policy(lab, "\tworkers 3\n", "\tlisten tcp 8080\n");
	close(other);
	CU_ASSERT(replace(pid));
	CU_ASSERT(LAB_WAIT(lab_children(pid, "proxyd-worker", workers, 8) == 3,
			   6000));
	new_flow(lab, listener, "at last");
	close(listener);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGTERM, 10000), 0);
	CU_ASSERT_EQUAL(lab_direct(lab), 0);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"new_program", new_program}, {"bad_program", bad_program},
	{"other_size", other_size},   {"option_w", option_w},
	{"user_stays", user_stays},   {"at_once", at_once},
	{"serve_on", serve_on},
};

LAB_MAIN("replace", tests)
