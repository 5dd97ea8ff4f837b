/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_apply.c - netsetup against the kernel: what it installs, that a
 * second apply does nothing, that a failed one leaves what was there, and
 * that remove leaves no trace.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/arena.h"
#include "netsetup/change/observe.h"
#include "netsetup/kernel/nft_write.h"
#include "tests/lab/command.h"

/* Everything that remove must leave as it was. */
#define LISTINGS                                                               \
	"nft list ruleset | sed 's/ expires [0-9hms]*//g';"                    \
	"ip rule; ip -6 rule; ip route show table all;"                        \
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
	const struct sysctl_record none = {0};
	struct arena *a = arena_new();
	struct kstate s;

	lab_enter(lab, LAB_GATEWAY);
	if (observe_state(a, &none, NFT_DEPTH_TABLE, &s, NULL) < 0)
		lab_die("cannot read the ruleset");
	lab_leave(lab);
	arena_free(a);
	return s.generation;
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
	lab_policy(lab, COMMAND_POLICY);
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
		lab_policy(lab, COMMAND_POLICY);
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
	lab_policy(lab, COMMAND_POLICY);
	command_check(lab, "plan", 2, "+ table inet interpose");
	command_silent(lab, "apply");
	gen = generation(lab);
	listings(lab, &before);
	command_silent(lab, "apply");
	command_silent(lab, "plan");
	/* lines that moved are no change */
	lab_policy(lab, "\n\n# moved\n" COMMAND_POLICY);
	command_silent(lab, "apply");
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

/* Every rule of a policy stands in the listing, word for word. */
static void
check_listed(struct lab *lab, const char *policy, const char *listed)
{
	struct arena *a = arena_new();
	struct facts facts;
	struct kstate s;
	struct policy *p;
	struct diags d;
	size_t i;

	diags_init(&d);
	lab_enter(lab, LAB_GATEWAY);
	p = policy_load(policy, &d);
	observe_facts(a, &facts);
	lab_leave(lab);
	desired(p, &facts, a, &d, &s);
	UNIT_CHECK(s.n_rules > 0, "%s", policy);
	for (i = 0; i < s.n_rules; i++) {
		const char *line = arena_printf(a, "\t\t%s\n", s.rules[i].text);

		UNIT_CHECK(strstr(listed, line) != NULL, "%s in\n%s", line,
			   listed);
	}
	policy_free(p);
	diags_fini(&d);
	arena_free(a);
}

/* Our text of a rule is what nft makes of our bytecode. */
static void
rules_mean_what_they_say(void)
{
	static const char *const policies[] = {
		LAB_DIR "/policy.conf",
		"tests/cases/netsetup/lists.conf",
		"tests/cases/netsetup/ipv4.conf",
		"tests/cases/netsetup/listen.conf",
	};
	struct lab *lab = lab_up(NULL);
	struct str listed = {0};
	size_t i;

	lab_policy(lab, COMMAND_POLICY);
	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		lab_must(lab, LAB_GATEWAY, "netsetup apply -f %s", policies[i]);
		str_clear(&listed);
		lab_run(lab, LAB_GATEWAY, &listed,
			"nft -s list table inet interpose");
		cut(listed.data, " comment \"", "\"");
		check_listed(lab, policies[i], listed.data);
	}
	str_fini(&listed);
	lab_down(lab);
}

/* What nft lists can be loaded by nft, and is then still ours. */
static void
nft_can_save_and_load(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, COMMAND_POLICY);
	lab_apply(lab);
	lab_must(lab, LAB_GATEWAY,
		 "nft -s list table inet interpose > " LAB_DIR "/saved;"
		 "nft delete table inet interpose; nft -f " LAB_DIR "/saved");
	command_silent(lab, "plan");
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
	command_check(lab, "apply", 0, NULL);
	command_check(lab, "status", 0,
		      "service web: alive for ipv4, port 21772, 1 captured");
	lab_run(lab, LAB_GATEWAY, &out,
		"nft list chain inet interpose capture");
	UNIT_CHECK(strstr(str_text(&out), "dport 443") <
			   strstr(str_text(&out), "dport 80"),
		   "%s", str_text(&out));
	command_silent(lab, "plan");
	lab_policy(lab, "gateway {\n inside in0\n}\n"
			"service web {\n intercept tcp port 80\n}\n");
	command_check(lab, "apply", 0, NULL);
	command_check(lab, "status", 0, "web: alive for ipv4");
	command_silent(lab, "plan");
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

	lab_policy(lab, COMMAND_POLICY);
	lab_apply(lab);
	for (i = 0; i < sizeof(harm) / sizeof(harm[0]); i++) {
		lab_must(lab, LAB_GATEWAY, "%s", harm[i]);
		command_check(lab, "status", 2, "somebody changed");
		command_check(lab, "apply", 0, NULL);
		command_silent(lab, "plan");
	}
	lab_down(lab);
}

/* Whatever becomes of the policy's file: what is in force is known. */
static void
status_knows_what_is_in_force(void)
{
	struct lab *lab = lab_up(NULL);

	command_check(lab, "status", 0, "nothing is installed\n");
	lab_policy(lab, COMMAND_POLICY);
	command_check(lab, "status", 0, "nothing is installed\n");
	lab_apply(lab);
	command_check(lab, "status", 0, "service tls: not alive, port ");
	lab_policy(lab, "gateway {\n inside in0\n}\n"
			"service new {\n intercept tcp port 80\n}\n");
	command_check(lab, "status", 2, "service tls: not alive, port ");
	command_check(lab, "status", 2,
		      "see `netsetup plan -f " LAB_DIR "/policy.conf`\n");
	lab_policy(lab, "nonsense\n");
	command_check(lab, "status", 2, "service tls: not alive, port ");
	lab_must(lab, LAB_GATEWAY, "rm " LAB_DIR "/policy.conf");
	command_check(lab, "status", 2,
		      LAB_DIR "/policy.conf has changed since it was applied");
	lab_must(lab, LAB_GATEWAY, "ip rule del pref 9061");
	command_check(lab, "status", 2, "# /run/interpose/netsetup.policy.");
	lab_policy(lab, COMMAND_POLICY);
	command_check(lab, "status", 2, "# " LAB_DIR "/policy.conf:");
	command_check(lab, "status", 2,
		      "; `netsetup apply -f " LAB_DIR "/policy.conf` mends");
	lab_apply(lab);
	command_check(lab, "status", 0, NULL);
	lab_must(lab, LAB_GATEWAY, "rm /run/interpose/netsetup.policy.*");
	command_check(lab, "status", 2, "no policy is on record");
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	command_check(lab, "status", 0, "nothing is installed\n");
	lab_down(lab);
}

/* A refusal by rtnetlink or nftables names the line, and undoes the rest. */
static void
refusal_names_the_line(void)
{
	struct lab *lab = lab_up(NULL);
	struct str before = {0}, after = {0};
	pid_t owner;

	lab_policy(lab, COMMAND_POLICY);
	lab_must(lab, LAB_GATEWAY, "ip link set lo down");
	listings(lab, &before);
	command_check(lab, "apply", 1,
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
	command_check(lab, "apply", 1,
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

	lab_policy(lab, COMMAND_POLICY);
	lab_apply(lab);
	listings(lab, &before);
	lab_policy(lab, "gateway {\n inside in0, out9\n table 77\n}\n"
			"service web {\n intercept tcp port 80\n}\n"
			"this is not a statement\n");
	command_check(lab, "apply", 65, "unknown keyword 'this'");
	listings(lab, &after);
	UNIT_STRINGS(str_text(&after), str_text(&before));

	lab_must(lab, LAB_GATEWAY, "ip link set lo down");
	listings(lab, &before);
	lab_policy(lab, "gateway {\n inside in0\n table 77\n priority 500\n}\n"
			"service web {\n intercept tcp port 80\n}\n");
	command_check(lab, "apply", 1,
		      "policy.conf:6:9: error: kernel refuses");
	listings(lab, &after);
	UNIT_STRINGS(str_text(&after), str_text(&before));
	str_fini(&before);
	str_fini(&after);
	lab_down(lab);
}

/* Look, let somebody do `command`, and write: what nft_write() says. */
static int
write_after(struct lab *lab, const char *command)
{
	const struct sysctl_record none = {0};
	const struct kstate want = {.table = true};
	struct arena *a = arena_new();
	const struct kchange *cause;
	struct kstate observed;
	struct observer o;
	struct nl_error e;
	struct kdiff d;
	int r;

	lab_enter(lab, LAB_GATEWAY);
	if (observe_state(a, &none, NFT_DEPTH_RULES, &observed, &o) < 0)
		lab_die("cannot read the ruleset");
	lab_leave(lab);
	lab_must(lab, LAB_GATEWAY, "%s", command);
	d = diff(&observed, &want, a);
	r = nft_write(&o.nl, &o.news, &observed, &d, &e, &cause);
	observer_close(&o);
	arena_free(a);
	return r;
}

/*
 * A batch for another generation is refused as stale, without harm, if our
 * table was changed; what others change in theirs is no reason.
 */
static void
stale_batch(void)
{
	struct lab *lab = lab_up(NULL);
	struct str out = {0};
	int r;

	r = write_after(lab, "nft add table inet interpose;"
			     "nft add chain inet interpose c");
	UNIT_CHECK(r == -ERESTART, "our table: %d", r);
	lab_run(lab, LAB_GATEWAY, &out, "nft list ruleset");
	UNIT_CHECK(strstr(str_text(&out), "chain c") != NULL,
		   "nothing was committed");
	r = write_after(lab, "nft add table inet other;"
			     "nft add table ip interpose;"
			     "nft add chain ip interpose d");
	UNIT_CHECK(r == 0, "other tables: %d", r);
	str_clear(&out);
	lab_run(lab, LAB_GATEWAY, &out, "nft list ruleset");
	UNIT_CHECK(!strstr(str_text(&out), "chain c") &&
			   strstr(str_text(&out), "chain d"),
		   "%s", str_text(&out));
	str_fini(&out);
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
			 "echo 'table ip busy { chain c { }; }' | nft -f -;"
			 "while :; do echo add rule ip busy c counter;"
			 " sleep 0.01; echo flush chain ip busy c;"
			 " sleep 0.01; done | nft -i");
	for (i = 0; i < 20; i++) {
		lab_policy(lab, COMMAND_POLICY);
		command_check(lab, "apply", 0, NULL);
		lab_must(lab, LAB_GATEWAY, "netsetup remove");
	}
	lab_stop(lab, busy, SIGKILL, 1000);
	lab_down(lab);
}

/* Settings that somebody else changed after apply are his. */
static void
foreign_sysctls_stay(void)
{
	struct lab *lab = lab_up(NULL);
	struct str out = {0};

	lab_policy(lab, COMMAND_POLICY);
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

static const struct unit_test tests[] = {
	{"remove_leaves_nothing", remove_leaves_nothing},
	{"second_apply_sends_nothing", second_apply_sends_nothing},
	{"rules_mean_what_they_say", rules_mean_what_they_say},
	{"nft_can_save_and_load", nft_can_save_and_load},
	{"policy_change_is_a_difference", policy_change_is_a_difference},
	{"status_knows_what_is_in_force", status_knows_what_is_in_force},
	{"drift_is_seen_and_mended", drift_is_seen_and_mended},
	{"refusal_names_the_line", refusal_names_the_line},
	{"failed_apply_leaves_the_old", failed_apply_leaves_the_old},
	{"stale_batch", stale_batch},
	{"concurrent_commits", concurrent_commits},
	{"foreign_sysctls_stay", foreign_sysctls_stay},
};

LAB_MAIN("apply", tests)
