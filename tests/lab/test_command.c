/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_command.c - what netsetup says, refuses and returns: options, exit
 * statuses, the lock, and what a box or a session cannot have.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netsetup/change/journal.h"
#include "tests/lab/command.h"

static void
one_at_a_time(void)
{
	struct lab *lab = lab_up(NULL);
	struct journal j;
	char text[64];
	pid_t holder;

	lab_policy(lab, COMMAND_POLICY);
	lab_enter(lab, LAB_GATEWAY);
	if (journal_open(&j, JOURNAL_DIR) < 0 || journal_lock(&j, &holder) < 0)
		lab_die("lock");
	lab_leave(lab);
	snprintf(text, sizeof(text), "another netsetup is at work, process %d",
		 (int)getpid());
	command_check(lab, "apply", 1, text);
	UNIT_CHECK(lab_run(lab, LAB_GATEWAY, NULL, "netsetup remove") == 1,
		   "remove");
	command_check(lab, "plan", 2, NULL);
	journal_close(&j);
	command_check(lab, "apply", 0, NULL);
	lab_down(lab);
}

static void
exit_statuses(void)
{
	static const char unprivileged[] =
		"setpriv --bounding-set=-net_admin --inh-caps=-net_admin "
		"netsetup %s";
	static const char *const commands[] = {"apply", "plan", "status"};
	struct lab *lab = lab_up(NULL);
	struct str out = {0};
	char command[256];
	size_t i;
	int r;

	lab_policy(lab, COMMAND_POLICY);
	for (i = 0; i < 3; i++) {
		snprintf(command, sizeof(command), unprivileged, commands[i]);
		str_clear(&out);
		r = lab_run(lab, LAB_GATEWAY, &out, "%s %s", command,
			    strcmp(commands[i], "status") != 0 ? "-f " LAB_DIR
								 "/policy.conf"
							       : "");
		UNIT_CHECK(r == 77, "%s: %d", commands[i], r);
		UNIT_STRINGS(str_text(&out),
			     "netsetup: cannot look at the ruleset: not "
			     "permitted: CAP_NET_ADMIN is missing\n");
	}
	snprintf(command, sizeof(command), unprivileged, "remove");
	r = lab_run(lab, LAB_GATEWAY, NULL, "%s", command);
	UNIT_CHECK(r == 77, "remove: %d", r);
	snprintf(command, sizeof(command), unprivileged, "check");
	r = lab_run(lab, LAB_GATEWAY, NULL, "%s -f " LAB_DIR "/policy.conf",
		    command);
	UNIT_CHECK(r == 0, "check: %d", r);

	r = lab_run(lab, LAB_GATEWAY, NULL,
		    "install -d -m 700 " JOURNAL_DIR "; setpriv --reuid 65534 "
		    "--clear-groups --bounding-set=-all netsetup confirm");
	UNIT_CHECK(r == 77, "confirm: %d", r);

	command_check(lab, "aply", 64, "did you mean 'apply'?");
	command_check(lab, "plan --confirm 60s", 64,
		      "unknown option --confirm");
	command_check(lab, "apply --confirm 0", 64, "from 1ms to 24h");
	command_check(lab, "confirm", 1, "nothing waits to be confirmed");
	command_check(lab, "remove -f", 64, "unknown option -f");
	command_check(lab, "apply --drain", 64, "--drain");
	command_check(lab, "apply --json", 64, "unknown option --json");
	command_check(lab, "remove -f x", 64, "unknown option -f");
	command_check(lab, "status -f x", 64, "unknown option -f");
	command_check(lab, "status -f x", 64, "try `netsetup status -h`");
	command_check(lab, "apply x.conf", 64,
		      "unexpected x.conf; a policy is named with -f");
	command_check(lab, "status more", 64, "unexpected more");
	command_check(lab, "--json plan", 64, "options come after the command");
	command_check(lab, "check -h", 0, "usage: netsetup check");
	command_check(lab, "check -V", 0, "netsetup ");
	lab_policy(lab, "nonsense\n");
	command_check(lab, "check", 65, "policy.conf:1:1: error: ");
	command_check(lab, "plan", 65, "policy.conf:1:1: error: ");
	str_fini(&out);
	lab_down(lab);
}

/* Half a script is none; output that nobody wants is no failure. */
static void
output_is_lost(void)
{
	static const char *const commands[] = {"export", "plan", "plan --json",
					       "check --print"};
	struct lab *lab = lab_up(NULL);
	char command[64];
	size_t i;

	lab_policy(lab, COMMAND_POLICY);
	for (i = 0; i < 4; i++) {
		snprintf(command, sizeof(command), "%s >/dev/full",
			 commands[i]);
		command_check(lab, command, 1, "standard output takes no more");
	}
	command_silent(lab, "export >/dev/null");
	command_silent(lab, "export >&-");
	lab_down(lab);
}

/* One line end after the last brace, whatever the command. */
static void
json_ends_once(void)
{
	static const char *const commands[] = {
		"plan",
		"status",
		"doctor",
		"bypass list",
		"explain " LAB_CLIENT4 " " LAB_SERVER4 ":80",
	};
	struct lab *lab = lab_up(NULL);
	struct str out = {0};
	size_t i;

	lab_policy(lab, COMMAND_POLICY);
	lab_apply(lab);
	for (i = 0; i < 5; i++) {
		str_clear(&out);
		lab_run(lab, LAB_GATEWAY, &out,
			"netsetup %s --json%s | tail -c 3", commands[i],
			i == 0 ? " -f " LAB_DIR "/policy.conf" : "");
		UNIT_CHECK(!strcmp(str_text(&out), "\n}\n"), "%s: '%s'",
			   commands[i], str_text(&out));
	}
	str_fini(&out);
	lab_down(lab);
}

/* Redirect without an address to redirect to would be a black hole. */
static void
no_ipv4_address(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, COMMAND_POLICY);
	lab_must(lab, LAB_GATEWAY, "ip -4 addr flush dev in0");
	command_check(lab, "apply", 1,
		      "policy.conf:6:5: error: interface 'in0' has no IPv4");
	UNIT_CHECK(lab_run(lab, LAB_GATEWAY, NULL,
			   "nft list table inet interpose") != 0,
		   "nothing was installed");
	lab_down(lab);
}

/* Filters that captured connections pass by: said once, not again. */
static void
forward_drop_is_noted(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, COMMAND_POLICY);
	lab_nft(lab, LAB_GATEWAY,
		"table ip interpose {\n" /* not ours: another family */
		"	chain forward {\n"
		"		type filter hook forward priority 0;\n"
		"		policy drop;\n"
		"	}\n"
		"}\n");
	command_check(lab, "plan", 2, "+ table inet interpose");
	command_check(lab, "apply", 0, "this box drops what its forward");
	command_silent(lab, "apply");
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	lab_must(lab, LAB_GATEWAY, "nft list chain ip interpose forward");
	lab_must(lab, LAB_GATEWAY, "nft flush ruleset");
	lab_down(lab);
}

/* The SSH connection that netsetup is typed in. */
static void
ssh_guard(void)
{
	struct lab *lab = lab_up(NULL);
	int r;

	lab_policy(lab, "gateway {\n inside in0\n}\nservice all {\n"
			" intercept tcp port 1-65535 to " LAB_GATEWAY4 "\n}\n");
	r = lab_run(lab, LAB_GATEWAY, NULL,
		    "SSH_CONNECTION='10.1.0.2 40000 10.1.0.1 22' "
		    "netsetup apply -f " LAB_DIR "/policy.conf");
	UNIT_CHECK(r == 3, "%d", r);
	r = lab_run(lab, LAB_GATEWAY, NULL,
		    "SSH_CONNECTION='10.1.0.2 40000 10.1.0.1 22' "
		    "netsetup apply --force -f " LAB_DIR "/policy.conf");
	UNIT_CHECK(r == 0, "%d", r);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"one_at_a_time", one_at_a_time},
	{"exit_statuses", exit_statuses},
	{"output_is_lost", output_is_lost},
	{"json_ends_once", json_ends_once},
	{"no_ipv4_address", no_ipv4_address},
	{"forward_drop_is_noted", forward_drop_is_noted},
	{"ssh_guard", ssh_guard},
};

LAB_MAIN("command", tests)
