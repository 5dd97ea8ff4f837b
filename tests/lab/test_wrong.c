/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_wrong.c - what a wrong policy or a missing right leads to: the right
 * words, the right exit status, and no change at all.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/lab.h"

static const char good[] = "gateway {\n"
			   "	inside in0\n"
			   "}\n"
			   "service web {\n"
			   "	intercept tcp port 80\n"
			   "}\n";

/* Everything netsetup might touch, as text. */
static void
observe(struct lab *lab, struct str *out)
{
	lab_run(lab, LAB_GATEWAY, out,
		"nft list ruleset | sed 's/ expires [0-9hms]*//g'; "
		"ip rule; ip -6 rule; "
		"ip route show table all; ip -6 route show table all; "
		"sysctl -a 2>/dev/null | "
		"grep -E 'forward|redirects|rp_filter|accept_ra'; "
		"ls -R /run/interpose 2>/dev/null");
}

/* A policy, and what its message must say and where. */
struct wrong {
	const char *what;
	const char *text; /* NULL: the file is made by the test */
	const char *place;
	const char *message;
};

static const struct wrong wrongs[] = {
	{"unknown word",
	 "gateway {\n\tinside in0\n}\n"
	 "service web {\n\tintercept tcp prot 80\n}\n",
	 "policy.conf:5:16: error:", "did you mean 'port'"},
	{"out of range",
	 "gateway {\n\tinside in0\n\tmark 0x1000 0x2000 mask 0x3000\n"
	 "\ttable 0\n}\nservice web {\n\tintercept tcp port 80\n}\n",
	 "policy.conf:4:8: error:", ""},
	{"port out of range",
	 "gateway {\n\tinside in0\n}\n"
	 "service web {\n\tintercept tcp port 80000\n}\n",
	 "policy.conf:5:21: error:", "65535"},
	{"missing pool",
	 "gateway {\n\tinside in0\n}\n"
	 "service web {\n\tintercept tcp port 80\n\tuse app\n}\n",
	 "policy.conf:6:6: error:", "'app'"},
	{"duplicate name",
	 "gateway {\n\tinside in0\n}\n"
	 "service web {\n\tintercept tcp port 80\n}\n"
	 "service web {\n\tintercept tcp port 81\n}\n",
	 "policy.conf:7:9: error:", "policy.conf:4"},
	{"unreadable include",
	 "include \"nothing-here.conf\"\ngateway {\n\tinside in0\n}\n"
	 "service web {\n\tintercept tcp port 80\n}\n",
	 "policy.conf:1:9: error:", "nothing-here.conf"},
	{"two mistakes",
	 "gateway {\n\tinsid in0\n}\n"
	 "service web {\n\tintercept tcp port 0\n}\n",
	 "policy.conf:2:2: error:", "policy.conf:5:21: error:"},
	{"not yet",
	 "gateway {\n\tinside in0\n\tcookie-key /k\n}\n"
	 "service web {\n\tintercept tcp port 80\n}\n",
	 "policy.conf:3:2: error:", "not supported by this version"},
	{"10 MB", NULL, "policy.conf", "error:"},
	{"binary", NULL, "policy.conf:1:", "error:"},
};

static void
write_bytes(const char *what)
{
	static const char line[] = "# a comment that is not very long at all\n";
	uint32_t x = 12345;
	size_t i;
	FILE *f;

	f = fopen(LAB_DIR "/policy.conf", "we");
	if (!f)
		lab_die("policy.conf: %s", strerror(errno));
	if (!strcmp(what, "binary"))
		for (i = 0; i < 20000; i++) {
			x = x * 1103515245 + 12345;
			putc((int)(x >> 24), f);
		}
	else
		for (i = 0; i < 10 * 1024 * 1024 / (sizeof(line) - 1); i++)
			fputs(line, f);
	fclose(f);
}

/* Every program that reads a policy must say the same of a wrong one. */
static const char *const readers[] = {
	"netsetup check", "netsetup plan", "netsetup apply",
	"proxyd -n",	  "proxyd",
};

static void
check_wrong(struct lab *lab, const struct wrong *w, const char *reader)
{
	struct str out = {0};
	int r;

	r = lab_run(lab, LAB_GATEWAY, &out,
		    "timeout 10 %s -f " LAB_DIR "/policy.conf", reader);
	UNIT_CHECK(r == 65, "%s: %s: exit status %d:\n%s", w->what, reader, r,
		   str_text(&out));
	UNIT_CHECK(strstr(str_text(&out), w->place) &&
			   strstr(str_text(&out), w->message),
		   "%s: %s: want '%s' and '%s' in:\n%.2000s", w->what, reader,
		   w->place, w->message, str_text(&out));
	str_fini(&out);
}

static void
policies(struct lab *lab)
{
	size_t i, k;

	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		if (wrongs[i].text)
			lab_policy(lab, "%s", wrongs[i].text);
		else
			write_bytes(wrongs[i].what);
		for (k = 0; k < sizeof(readers) / sizeof(readers[0]); k++)
			check_wrong(lab, &wrongs[i], readers[k]);
	}
}

/* On a fresh box nothing comes to be; on one with rules, all stays. */
static void
wrong_policy(void)
{
	struct lab *lab = lab_up(NULL);
	struct str before = {0}, after = {0};

	observe(lab, &before);
	policies(lab);
	observe(lab, &after);
	UNIT_STRINGS(str_text(&after), str_text(&before));

	lab_policy(lab, "%s", good);
	lab_apply(lab);
	str_clear(&before);
	str_clear(&after);
	observe(lab, &before);
	CU_ASSERT_PTR_NOT_NULL(strstr(str_text(&before), "table inet"));
	policies(lab);
	observe(lab, &after);
	UNIT_STRINGS(str_text(&after), str_text(&before));
	str_fini(&before);
	str_fini(&after);
	lab_down(lab);
}

/* Without the capability: 77, and one line that names it. */
static void
not_root(void)
{
	static const char *const commands[] = {
		"netsetup plan",   "netsetup apply",	   "netsetup status",
		"netsetup remove", "netsetup bypass list", "proxyd"};
	struct lab *lab = lab_up(NULL);
	struct str out = {0}, before = {0}, after = {0};
	bool file;
	size_t i;
	int r;

	lab_policy(lab, "%s", good);
	observe(lab, &before);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		str_clear(&out);
		file = !strstr(commands[i], "remove") &&
		       !strstr(commands[i], "status") &&
		       !strstr(commands[i], "bypass");
		r = lab_run(lab, LAB_GATEWAY, &out,
			    "exec setpriv --bounding-set -all --inh-caps -all "
			    "timeout 5 %s %s",
			    commands[i],
			    file ? "-f " LAB_DIR "/policy.conf" : "");
		UNIT_CHECK(r == 77, "%s: exit status %d:\n%s", commands[i], r,
			   str_text(&out));
		UNIT_CHECK(strcasestr(str_text(&out), "CAP_NET_ADMIN") != NULL,
			   "%s does not name the capability:\n%s", commands[i],
			   str_text(&out));
		UNIT_CHECK(!strchr(str_text(&out), '\n') ||
				   !strchr(str_text(&out), '\n')[1],
			   "%s: more than one line:\n%s", commands[i],
			   str_text(&out));
	}
	observe(lab, &after);
	UNIT_STRINGS(str_text(&after), str_text(&before));
	str_fini(&out);
	str_fini(&before);
	str_fini(&after);
	lab_down(lab);
}

/* `check` and `-n` need no rights at all. */
static void
checking_needs_nothing(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, "%s", good);
	lab_must(lab, LAB_GATEWAY,
		 "exec setpriv --bounding-set -all --inh-caps -all "
		 "netsetup check -f " LAB_DIR "/policy.conf");
	lab_must(lab, LAB_GATEWAY,
		 "exec setpriv --bounding-set -all --inh-caps -all "
		 "proxyd -n -f " LAB_DIR "/policy.conf");
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"wrong_policy", wrong_policy},
	{"not_root", not_root},
	{"checking_needs_nothing", checking_needs_nothing},
};

LAB_MAIN("wrong", tests)
