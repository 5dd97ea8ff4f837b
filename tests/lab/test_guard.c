/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_guard.c - netsetup refuses what would lock the administrator out, or
 * cut what is proxied, and says which line of the policy would do it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/command.h"

#define POLICY LAB_DIR "/policy.conf"
#define APPLY "netsetup apply -f " POLICY

/* A command line of the gateway's ends so, and says that. */
static void
shell_check(struct lab *lab, const char *line, int status, const char *output)
{
	struct str out = {0};
	int r = lab_run(lab, LAB_GATEWAY, &out, "%s", line);

	UNIT_CHECK(r == status && (!output || strstr(str_text(&out), output)),
		   "%s: %d instead of %d, without '%s'\n%s", line, r, status,
		   output ? output : "", str_text(&out));
	str_fini(&out);
}

static void
nothing_installed(struct lab *lab)
{
	command_check(lab, "status", 0, "nothing is installed\n");
}

/* --- the SSH session ------------------------------------------------------ */

static const char own_ports[] = "gateway {\n"
				"	inside in0\n"
				"}\n"
				"service all {\n"
				"	intercept tcp port 443\n"
				"	intercept tcp port 1-65535 to %s, %s\n"
				"}\n";

static void
session_to_the_box(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, own_ports, LAB_GATEWAY4, LAB_GATEWAY6);
	shell_check(lab, "SSH_CONNECTION='10.1.0.2 40000 10.1.0.1 22' " APPLY,
		    3,
		    "policy.conf:6:2: error: service 'all' would capture this "
		    "SSH connection, from 10.1.0.2:40000 to 10.1.0.1:22\n");
	nothing_installed(lab);
	shell_check(lab,
		    "SSH_CONNECTION='10.1.0.2 40000 10.1.0.1 22' "
		    "netsetup plan -f " POLICY,
		    2, "policy.conf:6:2: warning: service 'all' would");
	nothing_installed(lab);
	shell_check(lab,
		    "SSH_CONNECTION='10.1.0.2 40000 10.1.0.1 22' " APPLY
		    " --force",
		    0, NULL);
	/* what is there already takes nothing away */
	shell_check(lab, "SSH_CONNECTION='10.1.0.2 40000 10.1.0.1 22' " APPLY,
		    0, NULL);
	lab_down(lab);
}

/* sudo gives a new environment; a link is named in IPv6 addresses. */
static void
session_under_sudo(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, own_ports, LAB_GATEWAY4, LAB_GATEWAY6);
	shell_check(lab,
		    "SSH_CONNECTION='fd01::2%in0 40000 fd01::1%in0 22' sh -c '"
		    "env -i PATH=\"$PATH\" sh -c \"" APPLY "; exit \\$?\";"
		    "exit $?'",
		    3, "from [fd01::2]:40000 to [fd01::1]:22");
	nothing_installed(lab);
	shell_check(lab, "SSH_CONNECTION='what is this?' " APPLY, 0, NULL);
	lab_down(lab);
}

static void
session_through_the_box(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, "gateway {\n inside in0\n outside out0\n}\n"
			"service ssh {\n intercept tcp port 22\n"
			" except from 10.1.0.9\n}\n");
	shell_check(lab, "SSH_CONNECTION='10.1.0.2 40000 10.2.0.2 22' " APPLY,
		    3,
		    "policy.conf:6:2: error: service 'ssh' would capture this "
		    "SSH connection, from 10.1.0.2:40000 to 10.2.0.2:22\n");
	nothing_installed(lab);
	shell_check(lab, "SSH_CONNECTION='10.1.0.9 40000 10.2.0.2 22' " APPLY,
		    0, NULL);
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	/* the box's own address is not named: nothing is captured there */
	shell_check(lab, "SSH_CONNECTION='10.1.0.2 40000 10.1.0.1 22' " APPLY,
		    0, NULL);
	lab_down(lab);
}

/* --- what listens on the box ---------------------------------------------- */

static void
own_listeners(void)
{
	struct lab *lab = lab_up(NULL);
	int any = lab_listen(lab, LAB_GATEWAY, "[::]:22");
	int one = lab_listen(lab, LAB_GATEWAY, LAB_OUTSIDE4 ":25");
	struct str out = {0};

	lab_policy(lab, own_ports, LAB_GATEWAY4, LAB_GATEWAY6);
	command_check(lab, "apply", 3,
		      "policy.conf:6:2: error: service 'all' would capture tcp "
		      "10.1.0.1:22, where a program of this box listens\n");
	command_check(lab, "apply", 3, "would capture tcp [fd01::1]:22, ");
	nothing_installed(lab);
	command_check(lab, "plan", 2,
		      "policy.conf:6:2: warning: service 'all' would capture");
	/* 25 is that of another address */
	lab_netsetup(lab, &out, "plan --json");
	UNIT_CHECK(strstr(str_text(&out), "\"cuts\": 0") &&
			   strstr(str_text(&out), "\"guard\": [") &&
			   strstr(str_text(&out), "[fd01::1]:22") &&
			   !strstr(str_text(&out), ":25"),
		   "%s", str_text(&out));
	command_check(lab, "apply --force", 0, NULL);
	close(any);
	close(one);
	str_fini(&out);
	lab_down(lab);
}

/* Not these: what the policy listens on, capture ports, what is excepted. */
static void
innocent_listeners(void)
{
	struct lab *lab = lab_up(NULL);
	int fds[] = {
		lab_listen(lab, LAB_GATEWAY, LAB_GATEWAY4 ":22"),
		lab_listen(lab, LAB_GATEWAY, LAB_GATEWAY4 ":3128"),
		lab_listen(lab, LAB_GATEWAY, LAB_GATEWAY4 ":16001"),
		lab_listen(lab, LAB_GATEWAY, LAB_OUTSIDE4 ":80"),
	};
	size_t i;

	lab_policy(lab, "gateway {\n inside in0\n}\n"
			"service all {\n"
			" intercept tcp port 1-65535 to " LAB_GATEWAY4 "\n"
			" except port 22\n"
			" listen tcp 3128\n}\n"
			"service routed {\n"
			" intercept tcp port 80\n}\n");
	command_check(lab, "apply", 0, NULL);
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
	lab_down(lab);
}

/* --- flows that are proxied ------------------------------------------------
 */

#define GATEWAY(more)                                                          \
	"gateway {\n inside in0\n outside out0\n user %s\n" more "}\n"
#define WEB "service web {\n intercept tcp port 80\n}\n"
#define FROM_HERE "pool original {\n node original\n source gateway\n}\n"

#define TPROXY "service web {\n intercept tcp port 80 via tproxy\n}\n"
#define OFF " upstream-tracking off\n"

#define MARKS                                                                  \
	"cuts 1 flow: the marks change from 0x1000 0x2000 to 0x10000 0x20000"
#define ZONE "cuts 1 flow: the conntrack zone changes from 9061 to 500"
#define PATH "cuts 1 flow: the return path that they need goes"

/* What changes, whether a flow survives it, and what is said if not. */
static const struct {
	const char *before;
	const char *after;
	const char *cuts; /* NULL: nothing */
} changes[] = {
	{GATEWAY("") WEB, GATEWAY(" mark 0x10000 0x20000 mask 0x30000\n") WEB,
	 MARKS},
	{GATEWAY("") WEB, GATEWAY(" zone 500\n") WEB, ZONE},
	{GATEWAY("") WEB, GATEWAY("") FROM_HERE WEB, PATH},
	{GATEWAY("") WEB, GATEWAY(" mark 0x1000 0x2000 mask 0x7000\n") WEB,
	 NULL},
	{GATEWAY("") WEB, GATEWAY(" table 77\n") WEB, NULL},
	{GATEWAY("") WEB, GATEWAY(" priority 500\n") WEB, NULL},
	{GATEWAY("") WEB, GATEWAY(" capture-ports 30000-30999\n") WEB, NULL},
	{GATEWAY("") WEB, GATEWAY(" forwarding no\n") WEB, NULL},
	{GATEWAY("") WEB, GATEWAY(" family ipv6\n") WEB, NULL},
	{GATEWAY("") WEB,
	 GATEWAY("") "service zeb {\n intercept tcp port 81\n}\n", NULL},
	/* by tproxy, from the box's own address */
	{GATEWAY("") FROM_HERE TPROXY,
	 GATEWAY(" mark 0x10000 0x20000 mask 0x30000\n") FROM_HERE TPROXY,
	 MARKS},
	{GATEWAY("") FROM_HERE TPROXY, GATEWAY(" zone 500\n") FROM_HERE TPROXY,
	 NULL},
	{GATEWAY("") FROM_HERE TPROXY, GATEWAY("") FROM_HERE WEB, PATH},
	{GATEWAY("") FROM_HERE TPROXY, GATEWAY("") WEB, PATH},
	{GATEWAY("") FROM_HERE TPROXY, GATEWAY(" table 77\n") FROM_HERE TPROXY,
	 NULL},
	/* without tracking only sockets tell of it */
	{GATEWAY(OFF) WEB, GATEWAY(OFF " zone 500\n") WEB, NULL},
	{GATEWAY(OFF) WEB, GATEWAY(OFF) FROM_HERE WEB, PATH},
	{GATEWAY(OFF) WEB, GATEWAY("") WEB, NULL},
	{GATEWAY("") WEB, GATEWAY(OFF) WEB, NULL},
};

/* Text passes both ways, or not: a flow that is cut may also be reset. */
static bool
alive(const struct lab_flow *f)
{
	return send(f->client, "ping", 4, MSG_NOSIGNAL) == 4 &&
	       lab_expect(f->server, "ping", 400) &&
	       send(f->server, "pong", 4, MSG_NOSIGNAL) == 4 &&
	       lab_expect(f->client, "pong", 400);
}

/* The rules are right about what is cut: it is, and nothing else. */
static void
change_under_flow(size_t i, int family)
{
	pid_t pid;
	struct lab *lab = lab_begin(NULL, changes[i].before, &pid);
	int l = lab_serve(lab, family, 80);
	const char *cuts = changes[i].cuts;
	struct lab_flow f;

	lab_flow_open(lab, family, l, NULL, 80, &f);
	UNIT_CHECK(alive(&f), "%zu", i);
	lab_policy(lab, changes[i].after, lab_user());
	if (cuts) {
		command_check(lab, "plan", 2, "\ncuts 1 flow\n");
		command_check(lab, "plan --json", 2, "\"cuts\": 1");
		command_check(lab, "apply", 3, cuts);
		UNIT_CHECK(alive(&f), "%zu", i);
		command_check(lab, "apply --force", 0, NULL);
	} else {
		command_check(lab, "apply", 0, NULL);
	}
	UNIT_CHECK(alive(&f) == !cuts, "%zu: %s", i, changes[i].after);
	lab_flow_close(&f);
	close(l);
	lab_stop(lab, pid, SIGKILL, 1000);
	lab_down(lab);
}

static void
what_cuts(void)
{
	size_t i;
	int k;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		for (k = 0; k < 2; k++)
			change_under_flow(i, lab_families[k]);
	}
}

/* The same with a flow from the box's own address. */
static void
from_the_box(bool masquerade, const char *policy, const char *cuts)
{
	const struct lab_options options = {.masquerade = masquerade};
	pid_t pid;
	struct lab *lab = lab_begin(&options, GATEWAY("") FROM_HERE WEB, &pid);
	int l = lab_serve(lab, AF_INET, 80);
	struct lab_flow f;

	lab_flow_open(lab, AF_INET, l, NULL, 80, &f);
	lab_policy(lab, policy, lab_user());
	if (cuts) {
		command_check(lab, "apply", 3, cuts);
		command_check(lab, "remove", 0, "1 proxied flow is cut;");
	} else {
		command_check(lab, "apply", 0, NULL);
	}
	UNIT_CHECK(alive(&f) == !cuts, "%s", policy);
	lab_flow_close(&f);
	close(l);
	lab_stop(lab, pid, SIGKILL, 1000);
	lab_down(lab);
}

/*
 * It needs no return path; but somebody who translates. With the last chain
 * of type nat the kernel forgets how to, if it is ours.
 */
static void
own_address(void)
{
	static const char listen[] =
		GATEWAY("") FROM_HERE "service web {\n listen tcp 8080\n}\n";

	from_the_box(false, GATEWAY(" zone 500\n") FROM_HERE WEB, NULL);
	from_the_box(false, GATEWAY("") WEB, NULL);
	from_the_box(false, listen,
		     "cuts 1 flow: nothing is redirected any more");
	from_the_box(true, listen, NULL);
}

/* One that has ended needs nothing. */
static void
ended(void)
{
	pid_t pid;
	struct lab *lab = lab_begin(NULL, GATEWAY("") WEB, &pid);
	int l = lab_serve(lab, AF_INET, 80);
	struct lab_flow f;

	lab_flow_open(lab, AF_INET, l, NULL, 80, &f);
	lab_flow_close(&f);
	UNIT_CHECK(
		LAB_WAIT(lab_sockets(lab, LAB_GATEWAY,
				     "state connected exclude time-wait") == 0,
			 2000),
		"both legs end");
	lab_policy(lab, GATEWAY(" zone 500\n") WEB, lab_user());
	command_check(lab, "apply", 0, NULL);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* --- NAT of others -------------------------------------------------------- */

/* Without tracking, connections would leave as if it were not there. */
static void
beside_masquerade(void)
{
	const struct lab_options options = {.masquerade = true};
	struct lab *lab = lab_up(&options);

	lab_policy(lab,
		   "gateway {\n inside in0\n upstream-tracking off\n}\n" WEB);
	command_check(lab, "apply", 3,
		      "policy.conf:1:1: error: with `upstream-tracking off` "
		      "connections to servers escape the NAT of table ");
	nothing_installed(lab);
	command_check(lab, "plan", 2, "1:1: warning: with `upstream-tracking");
	command_check(lab, "apply --force", 0, NULL);
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	lab_policy(lab, "gateway {\n inside in0\n}\n" WEB);
	command_check(lab, "apply", 0, NULL);
	/* its own address is translated as ever: that leg is tracked */
	lab_policy(lab, "gateway {\n inside in0\n upstream-tracking "
			"off\n}\n" FROM_HERE WEB);
	command_check(lab, "apply", 0, NULL);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"session_to_the_box", session_to_the_box},
	{"session_under_sudo", session_under_sudo},
	{"session_through_the_box", session_through_the_box},
	{"own_listeners", own_listeners},
	{"innocent_listeners", innocent_listeners},
	{"what_cuts", what_cuts},
	{"own_address", own_address},
	{"ended", ended},
	{"beside_masquerade", beside_masquerade},
};

LAB_MAIN("guard", tests)
