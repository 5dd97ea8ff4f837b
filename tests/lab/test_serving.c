/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_serving.c - netsetup says when proxyd serves another policy than the
 * one that was applied, and what to type; and nothing where there is nothing
 * to say, or nobody who says it.
 */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <string.h>

#include "tests/lab/lab.h"

static void
write_policy(struct lab *lab, const char *ports)
{
	lab_policy(lab,
		   "gateway { inside in0; user %s }\n"
		   "service web { intercept tcp port %s }\n",
		   lab_user(), ports);
}

static struct lab *
begin(pid_t *ret_pid)
{
	struct lab *lab = lab_up(NULL);

	write_policy(lab, "80");
	lab_apply(lab);
	*ret_pid = lab_proxyd_up(lab);
	return lab;
}

/* `netsetup COMMAND` ends with this status; is `text` in what it says? */
static bool
says(struct lab *lab, const char *command, int status, const char *text)
{
	struct str out = {0};
	bool found;
	int r;

	r = lab_netsetup(lab, &out, command);
	UNIT_CHECK(r == status, "netsetup %s: %d, %s", command, r,
		   str_text(&out));
	found = strstr(str_text(&out), text) != NULL;
	str_fini(&out);
	return found;
}

/* ... and it says nothing at all. */
static void
is_silent(struct lab *lab, enum lab_where where)
{
	struct str out = {0};
	int r;

	r = lab_run(lab, where, &out,
		    "netsetup apply -f " LAB_DIR "/policy.conf");
	UNIT_CHECK(r == 0 && out.len == 0, "netsetup apply: %d, %s", r,
		   str_text(&out));
	str_fini(&out);
}

static void
another(void)
{
	struct lab *lab;
	pid_t pid;

	lab = begin(&pid);
	is_silent(lab, LAB_GATEWAY);
	CU_ASSERT(!says(lab, "status", 0, "proxyd serves"));
	CU_ASSERT(says(lab, "status --json", 0, "\"same\": true"));

	write_policy(lab, "80, 81");
	CU_ASSERT(says(lab, "apply", 0, "`proxyctl reload` has it read"));
	CU_ASSERT(says(lab, "status", 0, "`proxyctl reload` has it read"));
	CU_ASSERT(says(lab, "status --json", 0, "\"same\": false"));
	lab_must(lab, LAB_GATEWAY, "proxyctl reload");
	is_silent(lab, LAB_GATEWAY);

	/* the file is newer than both */
	write_policy(lab, "80");
	lab_must(lab, LAB_GATEWAY, "proxyctl reload");
	CU_ASSERT(says(lab, "status", 2, "`proxyctl reload` and `netsetup"));
	is_silent(lab, LAB_GATEWAY);
	lab_stop_proxyd(lab, pid);
	CU_ASSERT(says(lab, "status --json", 0, "\"proxyd\": null"));
	lab_down(lab);
}

/* Not the file that proxyd reads: a reload would not help. */
static void
another_file(void)
{
	struct str out = {0};
	struct lab *lab;
	pid_t pid;

	lab = begin(&pid);
	lab_must(lab, LAB_GATEWAY,
		 "sed 's/80/82/' " LAB_DIR "/policy.conf >" LAB_DIR "/next");
	lab_run(lab, LAB_GATEWAY, &out, "netsetup apply -f " LAB_DIR "/next");
	UNIT_CHECK(NULL != strstr(str_text(&out), "`netsetup apply -f " LAB_DIR
						  "/policy.conf` applies"),
		   "%s", str_text(&out));
	str_fini(&out);
	is_silent(lab, LAB_GATEWAY);
	/* the same in other words is the same */
	lab_must(lab, LAB_GATEWAY,
		 "cd " LAB_DIR " && sed 's/;/ # \\n/' policy.conf >next &&"
		 " netsetup apply -f next 2>&1 | tee said && [ ! -s said ]");
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* One that hangs is not waited for. */
static void
hangs(void)
{
	uint64_t start_ms;
	struct lab *lab;
	pid_t pid;

	lab = begin(&pid);
	write_policy(lab, "80, 81");
	kill(pid, SIGSTOP);
	start_ms = clock_now_ms();
	is_silent(lab, LAB_GATEWAY);
	CU_ASSERT(clock_now_ms() - start_ms < 2000);
	kill(pid, SIGCONT);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* The socket's name is the same there, but that one is not of that network. */
static void
of_another_network(void)
{
	struct lab *lab;
	pid_t pid;

	lab = begin(&pid);
	lab_must(lab, LAB_SERVER,
		 "ip link add in0 type veth && "
		 "ip addr add 10.77.0.1/24 dev in0");
	write_policy(lab, "80, 81");
	is_silent(lab, LAB_SERVER);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"another", another},
	{"another_file", another_file},
	{"hangs", hangs},
	{"of_another_network", of_another_network},
};

LAB_MAIN("serving", tests)
