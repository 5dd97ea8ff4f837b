/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_killed.c - netsetup is killed before each system call by which it
 * could change something: packets meet the old rules or the new, one more run
 * mends what was left, and says what it found.
 */
#include <stdio.h>
#include <string.h>

#include "tests/lab/command.h"

/* When chains were made, and for which policy first, does not matter. */
#define RULES "nft -s list ruleset | sed '/^$/d; s/ comment .*//' | sort; "

/* All that a run may leave behind. */
#define LISTINGS                                                               \
	RULES "ip rule; ip -6 rule; ip route show table 9061 2>/dev/null; "    \
	      "ip -6 route show table 9061 2>/dev/null; "                      \
	      "ls /run/interpose | grep -v lock; "                             \
	      "cat /run/interpose/*policy*; cd /proc/sys/net; "                \
	      "grep . ipv4/conf/*/forwarding ipv4/conf/*/accept_redirects "    \
	      "ipv6/conf/*/forwarding"

#define ONE "/run/one.conf"
#define TWO "/run/two.conf"

/* A change on trial whose timer is gone and whose time is over. */
#define OVERDUE                                                                \
	"netsetup apply -f " ONE " && netsetup apply --confirm 1h -f " TWO     \
	" && kill -9 $(grep -lsx netsetup-timer /proc/[0-9]*/comm | "          \
	"cut -d/ -f3); "                                                       \
	"sed -i 's/^deadline .*/deadline 1/' /run/interpose/*pending*"

/* More than there are; who needs so many does not end. */
enum { POINTS_MAX = 200 };

/* States of the box, as listings. */
enum state { STATE_NOTHING, STATE_ONE, STATE_TWO, STATE_COUNT };

static const struct sweep {
	const char *prepare;
	const char *killed; /* arguments of netsetup */
	const char *mend;
	enum state before, after; /* what packets may meet */
	int least;		  /* points at which it was killed */
} sweeps[] = {
	{"netsetup remove", "apply -f " ONE, "netsetup remove", STATE_NOTHING,
	 STATE_ONE, 20},
	{"netsetup apply -f " ONE, "apply -f " TWO, "netsetup apply -f " TWO,
	 STATE_ONE, STATE_TWO, 10},
	{"netsetup apply -f " ONE, "remove", "netsetup remove", STATE_ONE,
	 STATE_NOTHING, 15},
	/* it says that it came too late, or that nothing waits */
	{"netsetup apply -f " ONE, "apply --confirm 1h -f " TWO,
	 "netsetup confirm || [ $? = 1 ]", STATE_ONE, STATE_TWO, 15},
	{"netsetup apply -f " ONE " && netsetup apply --confirm 1h -f " TWO,
	 "confirm", "netsetup confirm || [ $? = 1 ]", STATE_TWO, STATE_TWO, 3},
	{OVERDUE, "confirm", "netsetup confirm || [ $? = 1 ]", STATE_TWO,
	 STATE_ONE, 15},
};

struct box {
	struct lab *lab;
	struct str rules[STATE_COUNT]; /* own */
	struct str all[STATE_COUNT];
};

static void
list(struct box *b, const char *listing, struct str *out)
{
	str_clear(out);
	lab_run(b->lab, LAB_GATEWAY, out, "%s", listing);
}

static void
learn(struct box *b, enum state state, const char *command)
{
	lab_must(b->lab, LAB_GATEWAY, "%s", command);
	list(b, RULES, &b->rules[state]);
	list(b, LISTINGS, &b->all[state]);
}

/* A box on which one interface forwards already. */
static void
box_init(struct box *b)
{
	memset(b, 0, sizeof(*b));
	b->lab = lab_up(NULL);
	lab_sysctl(b->lab, LAB_GATEWAY, "net/ipv4/conf/out0/forwarding", "1");
	lab_sysctl(b->lab, LAB_GATEWAY, "net/ipv6/conf/out0/forwarding", "1");
	lab_sysctl(b->lab, LAB_GATEWAY, "net/ipv4/conf/all/accept_redirects",
		   "0");
	lab_write_file(ONE, "gateway {\n    inside in0\n}\n"
			    "service one {\n    intercept tcp port 80\n}\n");
	lab_write_file(TWO, "gateway {\n    inside in0\n    table 9060\n}\n"
			    "service two {\n    intercept tcp port 443\n}\n");
	learn(b, STATE_NOTHING, "netsetup remove"); /* before any apply */
	learn(b, STATE_ONE, "netsetup apply -f " ONE);
	learn(b, STATE_TWO, "netsetup apply -f " TWO);
	lab_must(b->lab, LAB_GATEWAY, "netsetup remove");
}

static void
box_fini(struct box *b)
{
	int i;

	for (i = 0; i < STATE_COUNT; i++) {
		str_fini(&b->rules[i]);
		str_fini(&b->all[i]);
	}
	lab_must(b->lab, LAB_GATEWAY, "netsetup remove");
	lab_down(b->lab);
}

static bool
is_one_of(const char *now, const struct str *states, const struct sweep *s)
{
	return !strcmp(now, str_text(&states[s->before])) ||
	       !strcmp(now, str_text(&states[s->after]));
}

/* What comes first and last in the output of one shell. */
#define BREAK "echo =====; "

/* The second part of what a shell said; the first ends there. */
static const char *
second_part(struct str *out)
{
	char *at = out->data ? strstr(out->data, "=====\n") : NULL;

	if (!at)
		return "";
	*at = '\0';
	return at + strlen("=====\n");
}

/* It was killed there: what do packets meet, and does one more run mend it? */
static bool
check_point(struct box *b, const struct sweep *s, int point)
{
	struct str met = {0}, said = {0};
	const char *intent, *now;
	bool ok;

	list(b, RULES BREAK "cat /run/interpose/*intent* 2>/dev/null", &met);
	intent = second_part(&met);
	UNIT_CHECK(is_one_of(str_text(&met), b->rules, s),
		   "%s, killed at %d: a mix:\n%s", s->killed, point,
		   str_text(&met));
	lab_run(b->lab, LAB_GATEWAY, &said, "%s; " BREAK LISTINGS, s->mend);
	now = second_part(&said);
	UNIT_CHECK(!*intent || strstr(str_text(&said), "was interrupted"),
		   "%s, killed at %d: and it says: %s", s->killed, point,
		   str_text(&said));
	ok = is_one_of(now, b->all, s);
	if (!ok)
		UNIT_STRINGS(now, str_text(&b->all[s->after]));
	str_fini(&met);
	str_fini(&said);
	return ok;
}

static void
sweep(struct box *b, const struct sweep *s)
{
	bool more = true, ok = true;
	int i;

	for (i = 1; i < POINTS_MAX && more && ok; i++) {
		more = lab_run(b->lab, LAB_GATEWAY, NULL,
			       "%s && exec tool_killat %d netsetup %s",
			       s->prepare, i, s->killed) == 128 + 9;
		ok = check_point(b, s, i);
	}
	UNIT_CHECK(!more && i > s->least, "%s: %d calls", s->killed, i);
}

/* --- remove --drain --------------------------------------------------------
 */

/* What capture, and the question of proxyd, leave in a listing. */
static int
how_far(struct lab *lab)
{
	static const char *const left[] = {"alive_", "heartbeat",
					   "table inet interpose"};
	struct str rules = {0};
	size_t i;

	lab_run(lab, LAB_GATEWAY, &rules, "nft -s list ruleset");
	for (i = 0; i < 3; i++) {
		if (rules.data && strstr(rules.data, left[i]))
			break;
	}
	str_fini(&rules);
	return (int)i;
}

/* Killed there: nobody who mends that puts back what was given up. */
static bool
check_drain(struct lab *lab, int point)
{
	int met = how_far(lab), now;
	struct str said = {0};
	bool ok;

	lab_run(lab, LAB_GATEWAY, NULL, "netsetup confirm");
	now = how_far(lab);
	ok = lab_run(lab, LAB_GATEWAY, &said, "netsetup status") != 1 &&
	     !(said.data && strstr(said.data, "somebody"));
	UNIT_CHECK(ok && now == met, "killed at %d: %d, then %d: %s", point,
		   met, now, str_text(&said));
	str_fini(&said);
	return ok && now == met;
}

static void
drain(void)
{
	struct lab *lab = lab_up(NULL);
	bool more = true, ok = true;
	int i;

	lab_write_file(ONE, "gateway {\n    inside in0\n}\n"
			    "pool p {\n    node original\n}\n"
			    "service one {\n    intercept tcp port 80\n}\n");
	for (i = 1; i < POINTS_MAX && more && ok; i++) {
		more = lab_run(lab, LAB_GATEWAY, NULL,
			       "netsetup apply -f " ONE " && exec tool_killat "
			       "%d netsetup remove --drain 1ms",
			       i) == 128 + 9;
		ok = check_drain(lab, i);
	}
	UNIT_CHECK(!more && i > 20, "%d calls", i);
	lab_down(lab);
}

/* One test a row. */
static void
sweep_row(size_t row)
{
	struct box b;

	box_init(&b);
	sweep(&b, &sweeps[row]);
	box_fini(&b);
}

static void
first_apply(void)
{
	sweep_row(0);
}

static void
apply_again(void)
{
	sweep_row(1);
}

static void
remove_all(void)
{
	sweep_row(2);
}

static void
apply_on_trial(void)
{
	sweep_row(3);
}

static void
confirm(void)
{
	sweep_row(4);
}

static void
put_back(void)
{
	sweep_row(5);
}

static const struct unit_test tests[] = {
	{"first_apply", first_apply},
	{"apply_again", apply_again},
	{"remove", remove_all},
	{"apply_on_trial", apply_on_trial},
	{"confirm", confirm},
	{"put_back", put_back},
	{"drain", drain},
};

LAB_MAIN("killed", tests)
