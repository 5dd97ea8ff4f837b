/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_killed.c - netsetup is killed at each system call by which it changes
 * something: whatever it left behind, one more run mends it.
 */
#include <stdio.h>
#include <string.h>

#include "tests/lab/command.h"

/* What remove must leave as it was. */
#define LISTINGS                                                               \
	"nft -s list ruleset; ip rule; ip -6 rule; ip route show table all;"   \
	"ip -6 route show table all | sed 's/ expires [0-9]*sec//';"           \
	"sysctl -a 2>/dev/null |"                                              \
	" grep -E '^net\\.ipv[46]\\..*(forward|accept_redirects)';"            \
	"ls /run/interpose | grep -v lock"

#define CALLS "sendto,sendmsg,write,rename,unlink"

/* More than there are; who needs so many does not end. */
enum { POINTS_MAX = 200 };

static void
listings(struct lab *lab, struct str *out)
{
	str_clear(out);
	lab_run(lab, LAB_GATEWAY, out, LISTINGS);
}

/* Kill `netsetup COMMAND` at that call. false: it ended before. */
static bool
killed_at(struct lab *lab, const char *command, int call)
{
	return lab_run(lab, LAB_GATEWAY, NULL,
		       "ASAN_OPTIONS=detect_leaks=0 strace -o /dev/null"
		       " -e trace=" CALLS " -e inject=" CALLS
		       ":signal=KILL:when=%d netsetup %s",
		       call, command) == 128 + 9;
}

/*
 * `before` each kill, and after it `mend`: then all must be as in `want`.
 */
static void
sweep(struct lab *lab, const char *before, const char *killed, const char *mend,
      const char *want)
{
	struct str now = {0};
	bool more = true, same = true;
	int i;

	for (i = 1; i < POINTS_MAX && more && same; i++) {
		if (before)
			lab_must(lab, LAB_GATEWAY, "netsetup %s", before);
		more = killed_at(lab, killed, i);
		lab_must(lab, LAB_GATEWAY, "netsetup %s", mend);
		listings(lab, &now);
		same = !strcmp(str_text(&now), want);
		if (!same)
			UNIT_STRINGS(str_text(&now), want);
	}
	UNIT_CHECK(!more && i > 5, "%s: %d calls", killed, i);
	str_fini(&now);
}

#define POLICY LAB_DIR "/policy.conf"

/* A box on which one interface forwards already. */
static struct lab *
busy_box(void)
{
	struct lab *lab = lab_up(NULL);

	lab_sysctl(lab, LAB_GATEWAY, "net/ipv4/conf/out0/forwarding", "1");
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv6/conf/out0/forwarding", "1");
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv4/conf/all/accept_redirects", "0");
	lab_must(lab, LAB_GATEWAY, "mkdir -p /run/interpose");
	lab_policy(lab, COMMAND_POLICY);
	return lab;
}

static void
apply_killed(void)
{
	struct lab *lab = busy_box();
	struct str nothing = {0}, applied = {0};

	listings(lab, &nothing);
	sweep(lab, NULL, "apply -f " POLICY, "remove", str_text(&nothing));
	lab_apply(lab);
	listings(lab, &applied);
	sweep(lab, "remove", "apply -f " POLICY, "apply -f " POLICY,
	      str_text(&applied));
	str_fini(&nothing);
	str_fini(&applied);
	lab_down(lab);
}

static void
remove_killed(void)
{
	struct lab *lab = busy_box();
	struct str nothing = {0};

	listings(lab, &nothing);
	sweep(lab, "apply -f " POLICY, "remove", "remove", str_text(&nothing));
	str_fini(&nothing);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"apply_killed", apply_killed},
	{"remove_killed", remove_killed},
};

LAB_MAIN("killed", tests)
