/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_apply.c - netsetup against the kernel: what it installs, that a
 * second apply does nothing, that a failed one leaves what was there, and
 * that remove leaves no trace.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/arena.h"
#include "netsetup/change/journal.h"
#include "netsetup/change/observe.h"
#include "netsetup/kernel/nft_read.h"
#include "netsetup/kernel/nft_write.h"
#include "tests/lab/lab.h"

/* Two services, both families, sets, excepts, a return path. */
#define POLICY                                                                 \
	"gateway {\n"                                                          \
	"    inside in0, eth*\n"                                               \
	"    except to 10.99.0.0/16\n"                                         \
	"}\n"                                                                  \
	"service web {\n"                                                      \
	"    intercept tcp port 80, 8000-8100\n"                               \
	"    except from 10.9.0.0/16, 10.11.0.0/16, fd00:9::/32\n"             \
	"}\n"                                                                  \
	"service tls {\n"                                                      \
	"    intercept tcp port 443 to 10.0.0.0/8, 10.1.0.1, 2001:db8::/32\n"  \
	"    on-failure closed\n"                                              \
	"}\n"

/* Everything that remove must leave as it was. */
#define LISTINGS                                                               \
	"nft list ruleset; ip rule; ip -6 rule; ip route show table all;"      \
	"ip -6 route show table all | sed 's/ expires [0-9]*sec//';"           \
	"sysctl -a 2>/dev/null | grep -E '^net\\.ipv[46]\\.(conf|ip_forward)'"

static void
listings(struct lab *lab, struct str *out)
{
	str_clear(out);
	lab_run(lab, LAB_GATEWAY, out, LISTINGS);
}

/* Somebody else's rules, as they are everywhere. */
static void
foreign_ruleset(struct lab *lab)
{
	lab_nft(lab, LAB_GATEWAY,
		"table inet filter {\n"
		"	set s { type ipv4_addr; elements = { 10.7.7.7 } }\n"
		"	chain input {\n"
		"		type filter hook input priority 0;\n"
		"		ip saddr @s drop\n"
		"	}\n"
		"}\n"
		"table ip nat {\n"
		"	chain postrouting {\n"
		"		type nat hook postrouting priority 100;\n"
		"		oifname \"nowhere\" masquerade\n"
		"	}\n"
		"}\n");
	lab_must(lab, LAB_GATEWAY, "ip rule add pref 100 fwmark 7 lookup 7");
	lab_must(lab, LAB_GATEWAY,
		 "ip route add 10.77.0.0/16 dev out0 table 7 proto bgp");
}

/* The generation of the gateway's ruleset; it counts every commit. */
static uint32_t
generation(struct lab *lab)
{
	struct arena *a = arena_new();
	struct kstate s = {0};
	struct nl nl;

	lab_enter(lab, LAB_GATEWAY);
	if (nl_open(&nl, NETLINK_NETFILTER) < 0 || nft_read(&nl, a, &s) < 0)
		lab_die("cannot read the ruleset");
	nl_close(&nl);
	lab_leave(lab);
	arena_free(a);
	return s.generation;
}

static void
check_netsetup(struct lab *lab, const char *command, int status,
	       const char *output)
{
	struct str out = {0};
	int r = lab_netsetup(lab, &out, command);

	UNIT_CHECK(r == status, "%s: %d, not %d: %s", command, r, status,
		   str_text(&out));
	if (output)
		UNIT_CHECK(strstr(str_text(&out), output) != NULL,
			   "%s says:\n%s\nand not: %s", command, str_text(&out),
			   output);
	str_fini(&out);
}

static void
check_silent(struct lab *lab, const char *command)
{
	struct str out = {0};

	UNIT_CHECK(lab_netsetup(lab, &out, command) == 0, "%s", command);
	UNIT_STRINGS(str_text(&out), "");
	str_fini(&out);
}

static void
remove_leaves_nothing(void)
{
	struct lab *lab = lab_up(NULL);
	struct str before = {0}, after = {0};
	int i;

	foreign_ruleset(lab);
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv4/conf/out0/forwarding", "1");
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv6/conf/default/forwarding", "1");
	lab_policy(lab, POLICY);
	listings(lab, &before);
	for (i = 0; i < 3; i++) {
		lab_apply(lab);
		listings(lab, &after);
		UNIT_CHECK(strstr(str_text(&after), "table inet interpose") &&
				   strstr(str_text(&after),
					  "fwmark 0x1000/0x3000"),
			   "%s", str_text(&after));
		lab_must(lab, LAB_GATEWAY, "rm " LAB_DIR "/policy.conf");
		lab_must(lab, LAB_GATEWAY, "netsetup remove");
		lab_must(lab, LAB_GATEWAY, "netsetup remove");
		listings(lab, &after);
		UNIT_STRINGS(str_text(&after), str_text(&before));
		lab_policy(lab, POLICY);
	}
	str_fini(&before);
	str_fini(&after);
	lab_down(lab);
}

static void
second_apply_sends_nothing(void)
{
	struct lab *lab = lab_up(NULL);
	struct str before = {0}, after = {0};
	uint32_t gen;

	foreign_ruleset(lab);
	lab_policy(lab, POLICY);
	check_netsetup(lab, "plan", 2, "+ table inet interpose");
	check_netsetup(lab, "apply", 0, " added, ");
	gen = generation(lab);
	listings(lab, &before);
	check_silent(lab, "apply");
	check_silent(lab, "plan");
	/* lines that moved are no change */
	lab_policy(lab, "\n\n# moved\n" POLICY);
	check_silent(lab, "apply");
	UNIT_CHECK(generation(lab) == gen, "the ruleset was written to");
	listings(lab, &after);
	UNIT_STRINGS(str_text(&after), str_text(&before));
	str_fini(&before);
	str_fini(&after);
	lab_down(lab);
}

/* Take `from` up to and including `to` out of `s`, wherever it stands. */
static void
cut(char *s, const char *from, const char *to)
{
	char *at = s, *end;

	while ((at = strstr(at, from)) && (end = strstr(at + strlen(from), to)))
		memmove(at, end + strlen(to), strlen(end + strlen(to)) + 1);
}

/* Our text of a rule is what nft makes of our bytecode. */
static void
rules_mean_what_they_say(void)
{
	struct lab *lab = lab_up(NULL);
	struct str listed = {0};
	struct arena *a = arena_new();
	struct facts facts;
	struct kstate s;
	struct policy *p;
	struct diags d;
	size_t i;

	diags_init(&d);
	lab_policy(lab, POLICY);
	lab_apply(lab);
	lab_run(lab, LAB_GATEWAY, &listed, "nft -s list table inet interpose");
	cut(listed.data, " comment \"", "\"");
	lab_enter(lab, LAB_GATEWAY);
	p = policy_load(LAB_DIR "/policy.conf", &d);
	observe_facts(a, &facts);
	lab_leave(lab);
	desired(p, &facts, a, &d, &s);
	UNIT_CHECK(s.n_rules > 20, "%zu", s.n_rules);
	for (i = 0; i < s.n_rules; i++) {
		const char *line = arena_printf(a, "\t\t%s\n", s.rules[i].text);

		UNIT_CHECK(strstr(listed.data, line) != NULL, "%s in\n%s", line,
			   listed.data);
	}
	policy_free(p);
	diags_fini(&d);
	arena_free(a);
	str_fini(&listed);
	lab_down(lab);
}

/* What nft lists can be loaded by nft, and is then still ours. */
static void
nft_can_save_and_load(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, POLICY);
	lab_apply(lab);
	lab_must(lab, LAB_GATEWAY,
		 "nft -s list table inet interpose > " LAB_DIR "/saved;"
		 "nft delete table inet interpose; nft -f " LAB_DIR "/saved");
	check_silent(lab, "plan");
	lab_down(lab);
}

/* What stays the same keeps its counters; the living stay alive. */
static void
policy_change_is_a_difference(void)
{
	struct lab *lab = lab_up(NULL);
	struct str out = {0};

	lab_policy(lab, "gateway {\n inside in0\n}\n"
			"service web {\n intercept tcp port 80\n}\n");
	lab_apply(lab);
	lab_must(lab, LAB_GATEWAY,
		 "nft add element inet interpose $(nft list sets inet | "
		 "sed -n 's/.*set \\(alive_web_[0-9]*\\).*/\\1/p') "
		 "{ ipv4 timeout 90s }");
	/* nobody listens: the redirected one is refused, and counted */
	UNIT_CHECK(lab_connect(lab, LAB_CLIENT, NULL, LAB_SERVER4 ":80",
			       1000) == -ECONNREFUSED,
		   "captured");
	lab_policy(lab, "gateway {\n inside in0\n alive-timeout 9s\n}\n"
			"service tls {\n intercept tcp port 443\n}\n"
			"service web {\n intercept tcp port 80\n}\n");
	check_netsetup(lab, "apply", 0, NULL);
	check_netsetup(lab, "status", 0,
		       "service web: alive for ipv4, port 21772, 1 captured");
	lab_run(lab, LAB_GATEWAY, &out,
		"nft list chain inet interpose capture");
	UNIT_CHECK(strstr(str_text(&out), "dport 443") <
			   strstr(str_text(&out), "dport 80"),
		   "%s", str_text(&out));
	check_silent(lab, "plan");
	lab_policy(lab, "gateway {\n inside in0\n}\n"
			"service web {\n intercept tcp port 80\n}\n");
	check_netsetup(lab, "apply", 0, NULL);
	check_netsetup(lab, "status", 0, "web: alive for ipv4");
	check_silent(lab, "plan");
	str_fini(&out);
	lab_down(lab);
}

static void
drift_is_seen_and_mended(void)
{
	static const char *const harm[] = {
		"nft delete table inet interpose",
		"nft add table inet interpose '{ flags dormant; }'",
		"nft flush chain inet interpose unowned",
		"nft insert rule inet interpose capture accept",
		"nft add chain inet interpose visitor",
		"nft add set inet interpose visitor '{ type mark; }'",
		"nft add chain inet interpose guard_in '{ policy drop; }'",
		"ip rule del pref 9061",
		"ip -6 rule del pref 9061",
		"ip route flush table 9061",
		"sysctl -w net.ipv4.ip_forward=0",
		"sysctl -w net.ipv6.conf.all.forwarding=0",
	};
	struct lab *lab = lab_up(NULL);
	size_t i;

	lab_policy(lab, POLICY);
	lab_apply(lab);
	for (i = 0; i < sizeof(harm) / sizeof(harm[0]); i++) {
		lab_must(lab, LAB_GATEWAY, "%s", harm[i]);
		check_netsetup(lab, "status", 2, "differs from the policy");
		check_netsetup(lab, "apply", 0, NULL);
		check_silent(lab, "plan");
	}
	lab_down(lab);
}

/* A refusal by rtnetlink or nftables names the line, and undoes the rest. */
static void
refusal_names_the_line(void)
{
	struct lab *lab = lab_up(NULL);
	struct str before = {0}, after = {0};
	pid_t owner;

	lab_policy(lab, POLICY);
	lab_must(lab, LAB_GATEWAY, "ip link set lo down");
	listings(lab, &before);
	check_netsetup(lab, "apply", 1,
		       "policy.conf:5:9: error: kernel refuses route ipv6 "
		       "local default dev lo table 9061: Network is down (");
	listings(lab, &after);
	UNIT_STRINGS(str_text(&after), str_text(&before));

	lab_must(lab, LAB_GATEWAY, "ip link set lo up");
	listings(lab, &before);
	owner = lab_spawn(lab, LAB_GATEWAY, "owner",
			  "sh -c '{ echo add table inet interpose "
			  "{ flags owner\\; }; sleep 60; } | nft -i'");
	UNIT_CHECK(LAB_WAIT(lab_run(lab, LAB_GATEWAY, NULL,
				    "nft list table inet interpose") == 0,
			    3000),
		   "a table with an owner");
	check_netsetup(lab, "apply", 1,
		       "error: kernel refuses table inet interpose: "
		       "Operation not permitted");
	lab_stop(lab, owner, SIGKILL, 1000);
	lab_run(lab, LAB_GATEWAY, NULL, "pkill -x -P %d", (int)owner);
	str_fini(&before);
	str_fini(&after);
	lab_down(lab);
}

/* The old rules go on working when the new ones cannot be had. */
static void
failed_apply_leaves_the_old(void)
{
	struct lab *lab = lab_up(NULL);
	struct str before = {0}, after = {0};

	lab_policy(lab, POLICY);
	lab_apply(lab);
	listings(lab, &before);
	lab_policy(lab, "gateway {\n inside in0, out9\n table 77\n}\n"
			"service web {\n intercept tcp port 80\n}\n"
			"this is not a statement\n");
	check_netsetup(lab, "apply", 65, "unknown keyword 'this'");
	listings(lab, &after);
	UNIT_STRINGS(str_text(&after), str_text(&before));

	lab_must(lab, LAB_GATEWAY, "ip link set lo down");
	listings(lab, &before);
	lab_policy(lab, "gateway {\n inside in0\n table 77\n priority 500\n}\n"
			"service web {\n intercept tcp port 80\n}\n");
	check_netsetup(lab, "apply", 1,
		       "policy.conf:6:9: error: kernel refuses");
	listings(lab, &after);
	UNIT_STRINGS(str_text(&after), str_text(&before));
	str_fini(&before);
	str_fini(&after);
	lab_down(lab);
}

/* A batch for another generation is refused as stale, without harm. */
static void
stale_batch(void)
{
	struct lab *lab = lab_up(NULL);
	struct arena *a = arena_new();
	const struct kstate nothing = {0};
	struct kstate want = {.table = true};
	const struct kchange *cause;
	struct nl_error e;
	struct kdiff d;
	struct nl nl;
	int r;

	d = diff(&nothing, &want, a);
	lab_enter(lab, LAB_GATEWAY);
	if (nl_open(&nl, NETLINK_NETFILTER) < 0)
		lab_die("netlink");
	r = nft_write(&nl, 12345, &d, &e, &cause);
	UNIT_CHECK(r == -ERESTART && !cause, "%d", r);
	UNIT_CHECK(generation(lab) == 1, "nothing was committed");
	lab_enter(lab, LAB_GATEWAY);
	r = nft_write(&nl, 1, &d, &e, &cause);
	UNIT_CHECK(r == 0, "%d", r);
	nl_close(&nl);
	lab_leave(lab);
	arena_free(a);
	lab_down(lab);
}

/* Somebody else commits all the time: apply looks again until it is first. */
static void
concurrent_commits(void)
{
	struct lab *lab = lab_up(NULL);
	pid_t busy;
	int i;

	busy = lab_spawn(lab, LAB_GATEWAY, "busy",
			 "sh -c 'while nft \"add table ip busy; "
			 "delete table ip busy\"; do sleep 0.005; done'");
	for (i = 0; i < 10; i++) {
		lab_policy(lab, POLICY);
		check_netsetup(lab, "apply", 0, NULL);
		lab_must(lab, LAB_GATEWAY, "netsetup remove");
	}
	lab_stop(lab, busy, SIGKILL, 1000);
	lab_down(lab);
}

static void
one_at_a_time(void)
{
	struct lab *lab = lab_up(NULL);
	struct journal j;
	char text[64];
	pid_t holder;

	lab_policy(lab, POLICY);
	lab_enter(lab, LAB_GATEWAY);
	if (journal_open(&j, JOURNAL_DIR) < 0 || journal_lock(&j, &holder) < 0)
		lab_die("lock");
	lab_leave(lab);
	snprintf(text, sizeof(text), "another netsetup is at work, process %d",
		 (int)getpid());
	check_netsetup(lab, "apply", 1, text);
	UNIT_CHECK(lab_run(lab, LAB_GATEWAY, NULL, "netsetup remove") == 1,
		   "remove");
	check_netsetup(lab, "plan", 2, NULL);
	journal_close(&j);
	check_netsetup(lab, "apply", 0, NULL);
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

	lab_policy(lab, POLICY);
	for (i = 0; i < 3; i++) {
		snprintf(command, sizeof(command), unprivileged, commands[i]);
		str_clear(&out);
		r = lab_run(lab, LAB_GATEWAY, &out,
			    "%s -f " LAB_DIR "/policy.conf", command);
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

	check_netsetup(lab, "watch", 64, "not supported by this version");
	check_netsetup(lab, "aply", 64, "did you mean 'apply'?");
	check_netsetup(lab, "apply --confirm 60s", 64,
		       "--confirm is not supported by this version");
	check_netsetup(lab, "apply --drain", 64, "--drain");
	check_netsetup(lab, "apply --json", 64, "unknown option --json");
	check_netsetup(lab, "remove", 64, "unknown option -f");
	check_netsetup(lab, "apply more", 64, "unexpected more");
	check_netsetup(lab, "check -h", 0, "usage: netsetup check");
	check_netsetup(lab, "check -V", 0, "netsetup ");
	lab_policy(lab, "nonsense\n");
	check_netsetup(lab, "check", 65, "policy.conf:1:1: error: ");
	check_netsetup(lab, "plan", 65, "policy.conf:1:1: error: ");
	check_netsetup(lab, "status", 65, "policy.conf:1:1: error: ");
	str_fini(&out);
	lab_down(lab);
}

/* Redirect without an address to redirect to would be a black hole. */
static void
no_ipv4_address(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, POLICY);
	lab_must(lab, LAB_GATEWAY, "ip -4 addr flush dev in0");
	check_netsetup(lab, "apply", 1,
		       "policy.conf:6:5: error: interface 'in0' has no IPv4");
	UNIT_CHECK(lab_run(lab, LAB_GATEWAY, NULL,
			   "nft list table inet interpose") != 0,
		   "nothing was installed");
	lab_down(lab);
}

/* Settings that somebody else changed after apply are his. */
static void
foreign_sysctls_stay(void)
{
	struct lab *lab = lab_up(NULL);
	struct str out = {0};

	lab_policy(lab, POLICY);
	lab_apply(lab);
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv4/conf/all/accept_redirects", "1");
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv6/conf/out0/forwarding", "0");
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	lab_run(lab, LAB_GATEWAY, &out,
		"cd /proc/sys/net; cat ipv4/conf/all/forwarding "
		"ipv4/conf/all/accept_redirects ipv4/conf/in0/forwarding "
		"ipv6/conf/all/forwarding ipv6/conf/out0/forwarding");
	UNIT_STRINGS(str_text(&out), "0\n1\n0\n0\n0\n");
	str_fini(&out);
	lab_down(lab);
}

/* Filters that captured connections pass by: said once, not again. */
static void
forward_drop_is_noted(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, POLICY);
	lab_nft(lab, LAB_GATEWAY,
		"table ip interpose {\n" /* not ours: another family */
		"	chain forward {\n"
		"		type filter hook forward priority 0;\n"
		"		policy drop;\n"
		"	}\n"
		"}\n");
	check_netsetup(lab, "plan", 2, "+ table inet interpose");
	check_netsetup(lab, "apply", 0, "this box drops what its forward");
	check_silent(lab, "apply");
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
	{"remove_leaves_nothing", remove_leaves_nothing},
	{"second_apply_sends_nothing", second_apply_sends_nothing},
	{"rules_mean_what_they_say", rules_mean_what_they_say},
	{"nft_can_save_and_load", nft_can_save_and_load},
	{"policy_change_is_a_difference", policy_change_is_a_difference},
	{"drift_is_seen_and_mended", drift_is_seen_and_mended},
	{"refusal_names_the_line", refusal_names_the_line},
	{"failed_apply_leaves_the_old", failed_apply_leaves_the_old},
	{"stale_batch", stale_batch},
	{"concurrent_commits", concurrent_commits},
	{"one_at_a_time", one_at_a_time},
	{"exit_statuses", exit_statuses},
	{"no_ipv4_address", no_ipv4_address},
	{"foreign_sysctls_stay", foreign_sysctls_stay},
	{"forward_drop_is_noted", forward_drop_is_noted},
	{"ssh_guard", ssh_guard},
};

LAB_MAIN("apply", tests)
