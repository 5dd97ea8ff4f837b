/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_confirm.c - `apply --confirm`: what was is put back unless somebody
 * says `netsetup confirm`, whatever became of shell, terminal and timer.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lab/command.h"

#define ONE                                                                    \
	"gateway {\n    inside in0\n}\n"                                       \
	"service one {\n    intercept tcp port 80\n}\n"
#define TWO                                                                    \
	"gateway {\n    inside in0\n}\n"                                       \
	"service two {\n    intercept tcp port 443\n}\n"

static bool
installed(struct lab *lab, const char *service)
{
	return lab_run(lab, LAB_GATEWAY, NULL,
		       "nft list chain inet interpose service_%s",
		       service) == 0;
}

static bool
nothing_installed(struct lab *lab)
{
	return lab_run(lab, LAB_GATEWAY, NULL,
		       "nft list table inet interpose") != 0 &&
	       lab_run(lab, LAB_GATEWAY, NULL,
		       "ls /run/interpose | grep -v lock") != 0;
}

/* The process number of the timer; 0: there is none. */
static pid_t
timer(struct lab *lab)
{
	struct str out = {0};
	int pid = 0;

	lab_run(lab, LAB_GATEWAY, &out,
		"for p in $(grep -lsx netsetup-timer /proc/[0-9]*/comm | "
		"cut -d/ -f3); do grep -qs '^State:.Z' /proc/$p/status || "
		"echo $p; done");
	sscanf(str_text(&out), "%d", &pid);
	str_fini(&out);
	return pid;
}

/* `one` is in force; `two` is tried for that long. */
static struct lab *
trying(const char *duration)
{
	struct lab *lab = lab_up(NULL);
	char command[64];

	lab_policy(lab, ONE);
	lab_apply(lab);
	lab_policy(lab, TWO);
	snprintf(command, sizeof(command), "apply --confirm %s", duration);
	command_check(lab, command, 0, "unless you type `netsetup confirm`");
	CU_ASSERT(installed(lab, "two") && !installed(lab, "one"));
	return lab;
}

static void
put_back_in_time(void)
{
	struct lab *lab = trying("700ms");
	struct str out = {0};

	CU_ASSERT(installed(lab, "two"));
	/* the file is not asked: the former text is on record */
	lab_policy(lab, "nonsense");
	CU_ASSERT(LAB_WAIT(installed(lab, "one"), 3000));
	CU_ASSERT(LAB_WAIT(timer(lab) == 0, 1000));
	CU_ASSERT(!installed(lab, "two"));
	lab_netsetup(lab, &out, "status");
	UNIT_CHECK(strstr(str_text(&out), "service one: ") &&
			   !strstr(str_text(&out), "unconfirmed") &&
			   !strstr(str_text(&out), "rule "),
		   "%s", str_text(&out));
	str_fini(&out);
	lab_down(lab);
}

/* Where nothing was installed, nothing is left. */
static void
put_back_to_nothing(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, ONE);
	command_check(lab, "apply --confirm 300ms", 0,
		      "what was in force before is put back in 300ms unless");
	CU_ASSERT(installed(lab, "one"));
	CU_ASSERT(LAB_WAIT(nothing_installed(lab), 3000));
	lab_down(lab);
}

static void
confirmed(void)
{
	struct lab *lab = trying("600ms");

	CU_ASSERT(timer(lab) > 0);
	command_silent(lab, "confirm");
	CU_ASSERT(LAB_WAIT(timer(lab) == 0, 1000));
	lab_sleep(900);
	CU_ASSERT(installed(lab, "two"));
	command_check(lab, "status", 0, "service two: ");
	command_check(lab, "confirm", 1, "nothing waits to be confirmed");
	/* says the same: nothing to wait for, and nothing to say */
	command_silent(lab, "apply --confirm 1s");
	CU_ASSERT(timer(lab) == 0);
	lab_down(lab);
}

/* While it waits, everybody is told. */
static void
said_while_pending(void)
{
	struct lab *lab = trying("60s");

	command_check(lab, "status", 2,
		      "unconfirmed: what was in force before is put back in "
		      "1m unless you type `netsetup confirm`");
	command_check(lab, "status --json", 2, "\"seconds_left\": 60,");
	command_check(lab, "status --json", 2, "\"timer\": true");
	command_check(lab, "plan", 0, "unconfirmed: what was in force before");
	lab_policy(lab, ONE);
	command_check(lab, "apply", 1,
		      "`netsetup confirm` keeps it, `netsetup remove` takes "
		      "all away, and in ");
	CU_ASSERT(installed(lab, "two"));
	command_silent(lab, "remove");
	CU_ASSERT(nothing_installed(lab));
	CU_ASSERT(LAB_WAIT(timer(lab) == 0, 1000));
	command_check(lab, "confirm", 1, "nothing waits to be confirmed");
	lab_down(lab);
}

/* A failed one leaves no timer and nothing to confirm. */
static void
failed(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, ONE);
	lab_apply(lab);
	lab_must(lab, LAB_GATEWAY, "ip link set lo down");
	lab_policy(lab, "gateway {\n inside in0\n table 77\n}\n"
			"service two {\n intercept tcp port 80\n}\n");
	command_check(lab, "apply --confirm 60s", 1, "kernel refuses");
	CU_ASSERT(LAB_WAIT(timer(lab) == 0, 1000));
	CU_ASSERT(installed(lab, "one"));
	command_check(lab, "confirm", 1, "nothing waits to be confirmed");
	lab_down(lab);
}

/* --- what the timer outlives --------------------------------------------- */

/*
 * A terminal with a shell in which it is typed; all of it dies, and the
 * timer gets a hangup of its own.
 */
static void
terminal_dies(void)
{
	struct lab *lab = lab_up(NULL);
	pid_t pid, waits;

	lab_policy(lab, ONE);
	lab_apply(lab);
	lab_policy(lab, TWO);
	pid = lab_spawn(
		lab, LAB_GATEWAY, "terminal",
		"script -qc 'netsetup apply --confirm 1500ms -f " LAB_DIR
		"/policy.conf; sleep 60' /dev/null");
	CU_ASSERT(LAB_WAIT(lab_logged("terminal", "put back in"), 5000));
	waits = timer(lab);
	CU_ASSERT_FATAL(waits > 0);
	kill(waits, SIGHUP);
	kill(waits, SIGINT);
	lab_stop(lab, pid, SIGKILL, 1000);
	CU_ASSERT(installed(lab, "two"));
	CU_ASSERT(timer(lab) == waits);
	CU_ASSERT(LAB_WAIT(installed(lab, "one"), 4000));
	/* not a word into what is somebody else's terminal by now */
	CU_ASSERT(!lab_logged("terminal", "not confirmed"));
	lab_down(lab);
}

/* It has nothing of ours: no descriptor, session or directory. */
static void
has_nothing_of_ours(void)
{
	struct lab *lab = trying("60s");
	struct str out = {0};
	pid_t pid = timer(lab);

	CU_ASSERT_FATAL(pid > 0);
	lab_run(lab, LAB_GATEWAY, &out,
		"cd /proc/%d/fd; for f in *; do readlink $f; done | "
		"sed 's/[.][0-9]*$//' | sort | uniq -c | tr -s ' '; "
		"readlink /proc/%d/cwd",
		(int)pid, (int)pid);
	UNIT_STRINGS(str_text(&out), " 3 /dev/null\n"
				     " 1 /run/interpose/netsetup.timer\n/\n");
	UNIT_CHECK(getsid(pid) > 0 && getsid(pid) != getsid(0), "its session");
	str_fini(&out);
	command_silent(lab, "remove");
	lab_down(lab);
}

/* Before it is time, the next run starts another timer. */
static void
timer_killed(void)
{
	struct lab *lab = trying("1500ms");
	pid_t waits = timer(lab);

	CU_ASSERT_FATAL(waits > 0);
	kill(waits, SIGKILL);
	CU_ASSERT(LAB_WAIT(timer(lab) == 0, 1000));
	command_check(lab, "status", 2, "its timer is gone");
	command_check(lab, "status --json", 2, "\"timer\": false");
	command_check(lab, "apply", 1, "was gone: started another");
	CU_ASSERT(timer(lab) > 0);
	CU_ASSERT(LAB_WAIT(installed(lab, "one"), 4000));
	lab_down(lab);
}

/* `two` is tried, its timer is killed, and it is past its time. */
static struct lab *
overdue(void)
{
	struct lab *lab = trying("400ms");
	pid_t pid = timer(lab);

	CU_ASSERT_FATAL(pid > 0);
	kill(pid, SIGKILL);
	lab_sleep(450);
	CU_ASSERT(installed(lab, "two"));
	command_check(lab, "status", 2, "its time is over");
	return lab;
}

/* After that, the next run puts back. */
static void
timer_killed_and_late(void)
{
	struct lab *lab = overdue();

	command_check(lab, "confirm", 1, "was not confirmed in time");
	CU_ASSERT(installed(lab, "one"));
	command_check(lab, "confirm", 1, "nothing waits to be confirmed");
	lab_down(lab);

	lab = overdue();
	command_check(lab, "apply", 0, "was not confirmed in time");
	CU_ASSERT(installed(lab, "two"));
	command_silent(lab, "apply");
	lab_down(lab);

	lab = overdue();
	command_silent(lab, "remove");
	CU_ASSERT(nothing_installed(lab));
	lab_down(lab);
}

/* The lock is held when it is time: the timer waits for it. */
static void
waits_for_the_lock(void)
{
	struct lab *lab = trying("1500ms");
	pid_t pid;

	pid = lab_spawn(lab, LAB_GATEWAY, "locker",
			"python3 -c 'import fcntl, glob, time\n"
			"f = open(glob.glob(\"/run/interpose/*lock*\")[0], "
			"\"r+\")\n"
			"fcntl.lockf(f, fcntl.LOCK_EX)\n"
			"print(\"held\", flush=True)\n"
			"time.sleep(60)'");
	CU_ASSERT(LAB_WAIT(lab_logged("locker", "held"), 5000));
	lab_sleep(1600);
	CU_ASSERT(installed(lab, "two"));
	CU_ASSERT(timer(lab) > 0);
	lab_stop(lab, pid, SIGKILL, 1000);
	CU_ASSERT(LAB_WAIT(installed(lab, "one"), 2000));
	lab_down(lab);
}

/* --- the system's log ---------------------------------------------------- */

#define DEV LAB_DIR "/dev"

/* A /dev of which one may make a log: for what is run after it. */
#define WITH_LOG                                                               \
	"mount --bind " DEV " /dev && "                                        \
	"netsetup apply --confirm 300ms -f " LAB_DIR "/policy.conf"

static int
listen_to_log(struct lab *lab)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX, .sun_path = DEV "/log"};
	int fd;

	lab_must(lab, LAB_GATEWAY,
		 "mkdir " DEV "; touch " DEV "/null; "
		 "mount --bind /dev/null " DEV "/null");
	fd = lab_socket(lab, LAB_GATEWAY, AF_UNIX, SOCK_DGRAM);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		lab_die("cannot bind " DEV "/log");
	return fd;
}

/* Nobody reads the timer's standard error: it tells the system. */
static void
tells_syslog(void)
{
	struct lab *lab = lab_up(NULL);
	char line[512] = "";
	ssize_t n;
	int fd;

	lab_policy(lab, ONE);
	lab_apply(lab);
	lab_policy(lab, TWO);
	fd = listen_to_log(lab);
	lab_must(lab, LAB_GATEWAY, "unshare -m sh -c '" WITH_LOG "'");
	CU_ASSERT(LAB_WAIT(installed(lab, "one"), 3000));
	n = lab_recv(fd, line, sizeof(line) - 1, 1000);
	line[n < 0 ? 0 : n] = '\0';
	UNIT_CHECK(!strncmp(line, "<28>", 4) && strstr(line, "netsetup") &&
			   strstr(line, "policy.conf was not confirmed in "
					"time: what "),
		   "%zd: %s", n, line);
	close(fd);
	lab_must(lab, LAB_GATEWAY, "umount " DEV "/null");
	lab_down(lab);
}

/* Settings that nobody can write, as in a container; and again. */
#define CLOSED                                                                 \
	"mount --bind /proc/sys/net /proc/sys/net && "                         \
	"mount -o remount,bind,ro /proc/sys/net"
#define OPEN "umount /proc/sys/net"

static bool
forwards(struct lab *lab)
{
	return lab_run(lab, LAB_GATEWAY, NULL,
		       "grep -q 1 /proc/sys/net/ipv4/conf/all/forwarding") == 0;
}

/*
 * The last step fails: what is wanted is in force, so that is on record, and
 * put back unless confirmed.
 */
static void
stale_stays(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, ONE);
	lab_apply(lab);
	CU_ASSERT(forwards(lab));
	lab_must(lab, LAB_GATEWAY, CLOSED);
	lab_policy(lab, "gateway {\n    inside in0\n    forwarding no\n}\n"
			"service two {\n    intercept tcp port 443\n}\n");
	command_check(lab, "apply --confirm 800ms", 1,
		      "kernel refuses sysctl net/ipv4/conf/all/forwarding");
	CU_ASSERT(installed(lab, "two") && timer(lab) > 0);
	CU_ASSERT(LAB_WAIT(installed(lab, "one"), 3000));
	CU_ASSERT(LAB_WAIT(timer(lab) == 0, 1000));
	command_check(lab, "apply --confirm 1m", 1, "unless you type");
	command_check(lab, "remove", 1, "kernel refuses sysctl");
	CU_ASSERT(!installed(lab, "two") && timer(lab) == 0);
	command_check(lab, "status", 2, "no policy is on record");
	/* the same for who finishes what was interrupted */
	lab_must(lab, LAB_GATEWAY,
		 "cd /run/interpose; n=$(ls | sed -n s/netsetup.sysctl.//p); "
		 "echo nothing >netsetup.intent.$n");
	command_check(lab, "confirm", 1, "a remove was interrupted");
	CU_ASSERT(lab_run(lab, LAB_GATEWAY, NULL,
			  "ls /run/interpose/*intent*") != 0);
	lab_must(lab, LAB_GATEWAY, OPEN);
	command_silent(lab, "remove");
	CU_ASSERT(nothing_installed(lab) && !forwards(lab));
	lab_down(lab);
}

/* The journal has no room; and has it again. */
#define FULL                                                                   \
	"cd /run/interpose && ! dd if=/dev/zero of=full bs=4096 2>/dev/null"

/* Nobody is locked out because a file system is full. */
static void
no_room(void)
{
	struct lab *lab = lab_up(NULL);

	lab_must(lab, LAB_GATEWAY,
		 "mkdir -p /run/interpose && "
		 "mount -t tmpfs -o size=128k,mode=755 none /run/interpose");
	lab_policy(lab, ONE);
	lab_apply(lab);
	lab_policy(lab, TWO);
	command_check(lab, "apply --confirm 1s", 0, "unless you type");
	lab_must(lab, LAB_GATEWAY, FULL);
	CU_ASSERT(LAB_WAIT(installed(lab, "one"), 4000));
	CU_ASSERT(LAB_WAIT(timer(lab) == 0, 1000));
	command_check(lab, "status", 2, "service one");
	lab_must(lab, LAB_GATEWAY, FULL);
	command_check(lab, "apply", 1, "cannot write to /run/interpose: No sp");
	CU_ASSERT(installed(lab, "one") && !installed(lab, "two"));
	lab_run(lab, LAB_GATEWAY, NULL, "netsetup remove");
	CU_ASSERT(!installed(lab, "one"));
	lab_must(lab, LAB_GATEWAY, "rm /run/interpose/full");
	command_silent(lab, "remove");
	CU_ASSERT(nothing_installed(lab) && !forwards(lab));
	lab_must(lab, LAB_GATEWAY, "umount /run/interpose");
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"put_back_in_time", put_back_in_time},
	{"put_back_to_nothing", put_back_to_nothing},
	{"confirmed", confirmed},
	{"said_while_pending", said_while_pending},
	{"failed", failed},
	{"terminal_dies", terminal_dies},
	{"has_nothing_of_ours", has_nothing_of_ours},
	{"timer_killed", timer_killed},
	{"timer_killed_and_late", timer_killed_and_late},
	{"waits_for_the_lock", waits_for_the_lock},
	{"tells_syslog", tells_syslog},
	{"stale_stays", stale_stays},
	{"no_room", no_room},
};

LAB_MAIN("confirm", tests)
