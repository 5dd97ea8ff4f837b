/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_drift.c - somebody changes what netsetup has installed: plan and
 * status name it, apply mends it, whatever it is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/lab/command.h"

/* The first rule of a chain, its handle in $h and its comment in $c. */
#define FIRST(chain)                                                           \
	"r=$(nft -a list chain inet interpose " chain                          \
	" | grep -m 1 ' comment \"'); h=${r##* }; "                            \
	"c=${r#* comment \\\"}; c=${c%%\\\"*}; "

static const struct drift {
	const char *what;
	const char *done; /* in the shell */
	const char *said; /* by plan and by status */
} drifts[] = {
	{"an edit that keeps the comment",
	 FIRST("guard_in") "nft replace rule inet interpose guard_in handle $h "
			   "counter accept comment \\\"$c\\\"",
	 " (edited by hand)  # /run/lab/policy.conf:1"},
	{"an edit within a rule that keeps the comment",
	 FIRST("guard_out") "r=$(echo \"$r\" | sed 's/^\\t*//; s/ comment.*//;"
			    " s/drop/accept/; s/packets.* bytes [0-9]*//');"
			    "nft replace rule inet interpose guard_out handle "
			    "$h $r comment \\\"$c\\\"",
	 " (edited by hand)  # /run/lab/policy.conf:1"},
	{"an edit that loses the comment",
	 FIRST("guard_in") "nft replace rule inet interpose guard_in handle $h "
			   "counter accept",
	 "~ rule guard_in: "},
	{"a rule inserted", "nft insert rule inet interpose guard_in accept",
	 "- rule guard_in: "},
	{"a rule with a stolen comment",
	 FIRST("guard_in") "nft insert rule inet interpose guard_in accept "
			   "comment \\\"$c\\\"",
	 "- rule guard_in: "},
	{"a rule deleted",
	 FIRST("divert") "nft delete rule inet interpose divert handle $h",
	 "+ rule divert: "},
	{"a chain flushed", "nft flush chain inet interpose capture",
	 "+ rule capture: "},
	{"the policy of a chain",
	 "nft add chain inet interpose guard_in '{ policy drop; }'",
	 "~ chain guard_in "},
	{"another chain", "nft add chain inet interpose more", "- chain more"},
	{"an element of a set",
	 "nft -s list table inet interpose | sed 's,10.9.0.0/16,10.8.0.0/16,' "
	 ">/run/edited; nft delete table inet interpose; nft -f /run/edited",
	 "~ set "},
	{"the table asleep",
	 "nft add table inet interpose '{ flags dormant; }'",
	 "~ table inet interpose"},
	{"the table gone", "nft delete table inet interpose",
	 "+ table inet interpose"},
	{"everything flushed", "nft flush ruleset", "+ table inet interpose"},
	{"an ip rule gone", "ip rule del pref 9061", "+ ip-rule ipv4 "},
	{"an ip rule more",
	 "ip -6 rule add pref 77 fwmark 7 goto 9061 proto "
	 "161",
	 "- ip-rule ipv6 "},
	{"a route gone", "ip -6 route flush table 9061", "+ route ipv6 "},
	{"a setting turned back", "sysctl -qw net.ipv4.conf.all.forwarding=0",
	 "~ sysctl net/ipv4/conf/all/forwarding: 0 -> 1"},
};

/* One thing is changed, seen, and mended. */
static void
check_drift(struct lab *lab, const struct drift *d)
{
	struct str out = {0};

	lab_must(lab, LAB_GATEWAY, "%s", d->done);
	lab_netsetup(lab, &out, "plan");
	UNIT_CHECK(strstr(str_text(&out), d->said) != NULL, "%s: plan:\n%s",
		   d->what, str_text(&out));
	str_clear(&out);
	UNIT_CHECK(lab_netsetup(lab, &out, "status") == 2, "%s", d->what);
	UNIT_CHECK(strstr(str_text(&out), d->said) != NULL, "%s: status:\n%s",
		   d->what, str_text(&out));
	str_clear(&out);
	UNIT_CHECK(lab_netsetup(lab, &out, "apply") == 0, "%s: apply:\n%s",
		   d->what, str_text(&out));
	str_clear(&out);
	UNIT_CHECK(lab_netsetup(lab, &out, "plan") == 0 && out.len == 0,
		   "%s: not mended:\n%s", d->what, str_text(&out));
	str_fini(&out);
}

static void
every_drift(void)
{
	struct lab *lab = lab_up(NULL);
	struct str before = {0}, after = {0};
	size_t i;

	lab_policy(lab, COMMAND_POLICY);
	lab_apply(lab);
	lab_run(lab, LAB_GATEWAY, &before, "nft -s list table inet interpose");
	for (i = 0; i < sizeof(drifts) / sizeof(drifts[0]); i++)
		check_drift(lab, &drifts[i]);
	lab_run(lab, LAB_GATEWAY, &after, "nft -s list table inet interpose");
	UNIT_STRINGS(str_text(&after), str_text(&before));
	str_fini(&before);
	str_fini(&after);
	lab_down(lab);
}

/* The guard counts a client that comes to a capture port by itself. */
static void
knock(struct lab *lab)
{
	struct str out = {0};
	unsigned int port = 0;
	const char *at;
	char to[64];

	lab_netsetup(lab, &out, "status");
	at = strstr(str_text(&out), "port ");
	if (at)
		sscanf(at, "port %u", &port);
	str_fini(&out);
	snprintf(to, sizeof(to), LAB_GATEWAY4 ":%u", port);
	CU_ASSERT(lab_connect(lab, LAB_CLIENT, NULL, to, 1000) ==
		  -ECONNREFUSED);
}

/* What the kernel counts, and other rules beside it, are no edit. */
static void
no_drift(void)
{
	struct lab *lab = lab_up(NULL);
	struct str out = {0};

	lab_policy(lab, COMMAND_POLICY);
	lab_apply(lab);
	knock(lab);
	lab_run(lab, LAB_GATEWAY, &out,
		"nft list chain inet interpose guard_in");
	UNIT_CHECK(strstr(str_text(&out), "packets 1 bytes") != NULL, "%s",
		   str_text(&out));
	command_silent(lab, "plan");
	/* a new line of the same file has another comment, the same digest */
	lab_policy(lab, "\n\n" COMMAND_POLICY);
	command_silent(lab, "plan");
	command_silent(lab, "apply");
	command_check(lab, "status", 0, "installed");
	str_fini(&out);
	lab_down(lab);
}

/* For a program to read. */
static void
edited_in_json(void)
{
	struct lab *lab = lab_up(NULL);
	struct str out = {0};

	lab_policy(lab, COMMAND_POLICY);
	lab_apply(lab);
	lab_must(lab, LAB_GATEWAY, "%s", drifts[0].done);
	UNIT_CHECK(lab_netsetup(lab, &out, "status --json") == 2, "status");
	UNIT_CHECK(strstr(str_text(&out), "\"edited\": true") != NULL, "%s",
		   str_text(&out));
	UNIT_CHECK(strstr(str_text(&out), "\n\n") == NULL, "an empty line");
	str_clear(&out);
	lab_netsetup(lab, &out, "plan --json");
	UNIT_CHECK(strstr(str_text(&out), "\"edited\": true") != NULL, "%s",
		   str_text(&out));
	UNIT_CHECK(strstr(str_text(&out), "\n\n") == NULL, "an empty line");
	str_fini(&out);
	lab_down(lab);
}

/* A setting that somebody has turned back, and an apply that fails. */
static void
failure_leaves_the_drift(void)
{
	struct lab *lab = lab_up(NULL);
	struct str before = {0}, after = {0};

	lab_policy(lab, COMMAND_POLICY);
	lab_apply(lab);
	lab_must(lab, LAB_GATEWAY, "sysctl -qw net.ipv4.conf.all.forwarding=0");
	lab_must(lab, LAB_GATEWAY, "ip link set lo down");
	lab_run(lab, LAB_GATEWAY, &before, "sysctl -a | grep ipv4.*forward");
	lab_policy(lab, "gateway {\n inside in0\n table 77\n}\n"
			"service web {\n intercept tcp port 80\n}\n");
	command_check(lab, "apply", 1, "kernel refuses");
	lab_run(lab, LAB_GATEWAY, &after, "sysctl -a | grep ipv4.*forward");
	UNIT_STRINGS(str_text(&after), str_text(&before));
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	str_fini(&before);
	str_fini(&after);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"every_drift", every_drift},
	{"no_drift", no_drift},
	{"edited_in_json", edited_in_json},
	{"failure_leaves_the_drift", failure_leaves_the_drift},
};

LAB_MAIN("drift", tests)
