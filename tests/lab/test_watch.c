/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_watch.c - netsetup watch: notices within two seconds what others do to
 * what is installed, says so once, puts it back where it may, and is not
 * fooled by what belongs to work.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netsetup/change/intent.h"
#include "netsetup/change/timer.h"
#include "tests/lab/command.h"

#define POLICY(drift)                                                          \
	"gateway {\n    inside in0\n    user %s\n    on-drift " drift "\n}\n"  \
	"service web {\n    intercept tcp port 80\n}\n"

/* What "within two seconds" is, for a machine that is busy. */
enum { SOON_MS = 2000 };

static bool
applied(struct lab *lab)
{
	return lab_netsetup(lab, NULL, "status") == 0;
}

static pid_t
start(struct lab *lab)
{
	pid_t pid = lab_spawn(lab, LAB_GATEWAY, "watch", "netsetup watch");

	/* its first look, and then one tick */
	CU_ASSERT(LAB_WAIT(lab_run(lab, LAB_GATEWAY, NULL,
				   "test -n \"$(ls -l /proc/%d/fd | "
				   "grep signalfd)\"",
				   (int)pid) == 0,
			   3000));
	lab_sleep(200);
	return pid;
}

/* SIGTERM ends it, and it says nothing to that. */
static void
end(struct lab *lab, pid_t pid)
{
	int r = lab_stop(lab, pid, SIGTERM, 2000);

	UNIT_CHECK(r == 0, "%d", r);
	lab_down(lab);
}

static struct lab *
watching(const char *policy, pid_t *ret_pid)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, policy, lab_user());
	lab_apply(lab);
	*ret_pid = start(lab);
	return lab;
}

static void
warns_once(void)
{
	struct lab *lab;
	pid_t pid;

	lab = watching(POLICY("warn"), &pid);
	CU_ASSERT(!lab_logged("watch", "netsetup"));
	lab_must(lab, LAB_GATEWAY, "nft flush ruleset");
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "gone: table inet interpose"),
			   SOON_MS));
	CU_ASSERT(lab_logged("watch", "netsetup: nft, process "));
	CU_ASSERT(!lab_logged("watch", "gone: rule"));
	lab_sleep(1300);
	CU_ASSERT_EQUAL(lab_log_count("watch", "changed what"), 1);
	/* another change, another word; not by nft */
	lab_must(lab, LAB_GATEWAY, "ip rule del pref 9061");
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "gone: ip-rule ipv4"), SOON_MS));
	CU_ASSERT(lab_logged("watch", "somebody changed what"));
	lab_apply(lab);
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "all is as"), SOON_MS));
	CU_ASSERT_EQUAL(lab_log_count("watch", "changed what"), 2);
	end(lab, pid);
}

/* Whatever it is, it is back within two seconds. */
static void
restores(void)
{
	static const char *const done[] = {
		"nft flush ruleset",
		"nft insert rule inet interpose guard_in accept",
		"sysctl -qw net.ipv4.conf.all.forwarding=0",
		"ip rule del pref 9061",
	};
	struct lab *lab;
	pid_t pid;
	size_t i;

	lab = watching(POLICY("restore"), &pid);
	for (i = 0; i < sizeof(done) / sizeof(done[0]); i++) {
		lab_must(lab, LAB_GATEWAY, "%s", done[i]);
		CU_ASSERT(LAB_WAIT(lab_log_count("watch", "put back, as") ==
					   i + 1,
				   SOON_MS));
		UNIT_CHECK(applied(lab), "%s", done[i]);
	}
	CU_ASSERT(lab_logged("watch", "not ours: rule guard_in"));
	CU_ASSERT(lab_logged("watch", "changed: sysctl net/ipv4/conf/all/"
				      "forwarding is 0, not 1\n"));
	CU_ASSERT(!lab_logged("watch", "all is as"));
	end(lab, pid);
}

/* Somebody insists: five times, then it only watches. */
static void
gives_up_for_a_minute(void)
{
	struct lab *lab;
	pid_t pid;
	size_t i;

	lab = watching(POLICY("restore"), &pid);
	for (i = 1; i <= 5; i++) {
		lab_must(lab, LAB_GATEWAY, "nft flush ruleset");
		CU_ASSERT(LAB_WAIT(lab_log_count("watch", "put back, as") == i,
				   SOON_MS));
	}
	lab_must(lab, LAB_GATEWAY, "nft flush ruleset");
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "put back 5 times within a "
					       "minute: not again for"),
			   SOON_MS));
	lab_sleep(300);
	CU_ASSERT_EQUAL(lab_log_count("watch", "put back, as"), 5);
	/* but goes on watching */
	lab_must(lab, LAB_GATEWAY, "ip rule del pref 9061");
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "gone: ip-rule ipv4"), SOON_MS));
	CU_ASSERT_EQUAL(lab_log_count("watch", "not again for"), 1);
	end(lab, pid);
}

/* With nothing applied it waits, and follows what is applied then. */
static void
follows(void)
{
	struct lab *lab = lab_up(NULL);
	pid_t pid = start(lab);
	int i;

	lab_nft(lab, LAB_GATEWAY, "table inet other {\n\tchain c {\n\t}\n}\n");
	lab_policy(lab, POLICY("warn"), lab_user());
	lab_apply(lab);
	lab_policy(lab, POLICY("restore"), lab_user());
	for (i = 0; i < 5; i++) {
		lab_apply(lab);
		lab_must(lab, LAB_GATEWAY, "netsetup remove");
	}
	lab_apply(lab);
	lab_sleep(1200);
	UNIT_CHECK(!lab_logged("watch", "netsetup:"), "it was fooled");
	lab_must(lab, LAB_GATEWAY, "nft delete table inet interpose");
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "put back, as"), SOON_MS));
	CU_ASSERT(applied(lab));
	end(lab, pid);
}

/* How often did the process go to sleep? */
static unsigned long
sleeps(struct lab *lab, pid_t pid)
{
	struct str out = {0};
	unsigned long n = 0;

	lab_run(lab, LAB_GATEWAY, &out,
		"sed -n 's/^voluntary_ctxt_switches://p' /proc/%d/status",
		(int)pid);
	sscanf(str_text(&out), "%lu", &n);
	str_fini(&out);
	return n;
}

/* Heartbeats and the end of proxyd are nothing to wake up for. */
static void
sleeps_beside_proxyd(void)
{
	struct lab *lab;
	pid_t pid, proxyd;
	unsigned long before, after;

	lab = watching(POLICY("restore"), &pid);
	proxyd = lab_proxyd_up(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
	before = sleeps(lab, pid);
	lab_sleep(2500); /* at least two renewals of both families */
	after = sleeps(lab, pid);
	UNIT_CHECK(before > 0 && after - before <= 4, "%lu to %lu", before,
		   after);
	lab_stop(lab, proxyd, SIGKILL, 2000);
	CU_ASSERT(LAB_WAIT(!lab_armed(lab), 3000));
	lab_sleep(300);
	UNIT_CHECK(!lab_logged("watch", "netsetup:"), "it was fooled");
	end(lab, pid);
}

/* While the lock is held it does nothing. */
static void
minds_the_lock(void)
{
	struct journal j;
	struct lab *lab;
	pid_t pid, holder;

	lab = watching(POLICY("restore"), &pid);
	lab_enter(lab, LAB_GATEWAY);
	if (journal_open(&j, JOURNAL_DIR) < 0 || journal_lock(&j, &holder) < 0)
		lab_die("lock");
	lab_leave(lab);
	lab_must(lab, LAB_GATEWAY, "nft flush ruleset");
	lab_sleep(800);
	CU_ASSERT(!lab_logged("watch", "netsetup:"));
	journal_close(&j);
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "put back, as"), SOON_MS));
	end(lab, pid);
}

static void
loses_an_address(void)
{
	struct lab *lab;
	pid_t pid;

	lab = watching(POLICY("restore"), &pid);
	lab_must(lab, LAB_GATEWAY, "ip -4 addr flush dev in0");
	CU_ASSERT(LAB_WAIT(
		lab_logged("watch", "interface 'in0' has no IPv4 address"),
		SOON_MS));
	/* what is installed stays, and is still watched */
	lab_must(lab, LAB_GATEWAY, "nft flush ruleset");
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "put back, as"), SOON_MS));
	lab_must(lab, LAB_GATEWAY, "ip addr add " LAB_GATEWAY4 "/24 dev in0");
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "this box can do again"),
			   SOON_MS));
	CU_ASSERT_EQUAL(lab_log_count("watch", "has no IPv4 address"), 1);
	end(lab, pid);
}

/* The timer of an unconfirmed change is killed: watch keeps the promise. */
static void
keeps_the_timer(void)
{
	struct journal j;
	struct lab *lab;
	pid_t pid;

	lab = watching(POLICY("warn"), &pid);
	lab_policy(lab, "gateway {\n inside in0\n}\nservice tls {\n"
			" intercept tcp port 443\n}\n");
	command_check(lab, "apply --confirm 2500ms", 0, NULL);
	lab_enter(lab, LAB_GATEWAY);
	if (journal_open(&j, JOURNAL_DIR) < 0)
		lab_die("journal");
	lab_leave(lab);
	CU_ASSERT(timer_runs(&j));
	lab_must(lab, LAB_GATEWAY,
		 "kill -9 $(grep -lsx netsetup-timer /proc/[0-9]*/comm | "
		 "cut -d/ -f3)");
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "was gone: started another"),
			   SOON_MS));
	CU_ASSERT(LAB_WAIT(lab_run(lab, LAB_GATEWAY, NULL,
				   "nft list chain inet interpose "
				   "service_web") == 0,
			   4000));
	end(lab, pid);
}

/* Somebody was killed before his change began. */
static void
undoes_what_was_interrupted(void)
{
	struct journal j;
	struct lab *lab;
	pid_t pid;

	lab = watching(POLICY("warn"), &pid);
	lab_enter(lab, LAB_GATEWAY);
	if (journal_open(&j, JOURNAL_DIR) < 0 ||
	    intent_begin(&j, "/some/policy",
			 "gateway {\n    inside in0\n}\n\n"
			 "service tls {\n    intercept tcp port 443\n}\n") < 0)
		lab_die("journal");
	lab_leave(lab);
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "the apply of /some/policy was "
					       "interrupted: undone"),
			   SOON_MS));
	CU_ASSERT(applied(lab));
	end(lab, pid);
}

/* A record that is none must not have it wait for ever. */
static void
minds_no_garbage(void)
{
	struct lab *lab;
	pid_t pid;

	lab = watching(POLICY("warn"), &pid);
	lab_must(lab, LAB_GATEWAY,
		 "cd /run/interpose; n=$(ls | sed -n s/netsetup.policy.//p); "
		 "echo x >netsetup.intent.$n; echo y >netsetup.pending.$n");
	CU_ASSERT(
		LAB_WAIT(lab_log_count("watch", "not readable") == 2, SOON_MS));
	lab_must(lab, LAB_GATEWAY, "nft flush ruleset");
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "gone: table inet interpose"),
			   SOON_MS));
	/* one that nobody can read is said now and then, not all the time */
	lab_must(lab, LAB_GATEWAY,
		 "cd /run/interpose; n=$(ls | sed -n s/netsetup.policy.//p); "
		 "mkfifo netsetup.intent.$n");
	CU_ASSERT(LAB_WAIT(lab_logged("watch", "a file in it"), 6000));
	CU_ASSERT_EQUAL(lab_log_count("watch", "a file in it"), 1);
	command_check(lab, "apply", 0, "a file in it");
	command_check(lab, "status", 0, NULL);
	end(lab, pid);
}

static const struct unit_test tests[] = {
	{"warns_once", warns_once},
	{"restores", restores},
	{"gives_up_for_a_minute", gives_up_for_a_minute},
	{"follows", follows},
	{"sleeps_beside_proxyd", sleeps_beside_proxyd},
	{"minds_the_lock", minds_the_lock},
	{"loses_an_address", loses_an_address},
	{"keeps_the_timer", keeps_the_timer},
	{"undoes_what_was_interrupted", undoes_what_was_interrupted},
	{"minds_no_garbage", minds_no_garbage},
};

LAB_MAIN("watch", tests)
