/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_refused.c - what the kernel may answer to netsetup, and what comes of
 * it: nothing, or all of it; and words that say what to do.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/change/observe.h"
#include "netsetup/kernel/nft_write.h"
#include "tests/lab/command.h"

/* leaks cannot be looked for in a process that is traced */
#define TRACE "env ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 strace -f -o "
#define APPLY "netsetup apply -f " LAB_DIR "/policy.conf"

/* Everything that netsetup may touch. */
static void
listings(struct lab *lab, struct str *out)
{
	str_clear(out);
	lab_run(lab, LAB_GATEWAY, out,
		"nft list ruleset | sed 's/ expires [0-9hms]*//g';"
		"ip rule; ip -6 rule;"
		"for f in -4 -6; do ip $f route show table 9061 2>/dev/null; "
		"done;"
		"sysctl -a 2>/dev/null | grep -E '^net.*(forwarding|redir)'");
}

/* As many services as make a large batch. */
static void
large_policy(struct lab *lab, int n)
{
	struct str text = {0};
	int i;

	str_add(&text, "gateway {\n    inside in0\n}\n");
	for (i = 0; i < n; i++)
		str_addf(&text, "service s%d {\n    intercept tcp port %d\n}\n",
			 i, 1000 + i);
	lab_policy(lab, "%s", str_text(&text));
	str_fini(&text);
}

/* Run `command` under strace with this injection; its exit status. */
static int
inject(struct lab *lab, const char *what, const char *command, bool *ret_hit)
{
	struct str log = {0};
	int r;

	r = lab_run(lab, LAB_GATEWAY, NULL,
		    TRACE LAB_DIR "/strace -e inject=%s %s", what, command);
	lab_read_file(LAB_DIR "/strace", &log);
	*ret_hit = strstr(str_text(&log), "INJECTED") != NULL;
	str_fini(&log);
	return r;
}

/* --- EBUSY ---------------------------------------------------------------- */

static void
busy(void)
{
	const struct sysctl_record none = {0};
	struct lab *lab = lab_up(NULL);
	struct arena *a = arena_new();
	struct kchange change = {
		.op = KCHANGE_REMOVE,
		.object = KCHANGE_SET,
	};
	struct kdiff d = {.list = &change, .n = 1};
	const struct kchange *cause = NULL;
	struct kstate s;
	struct observer o;
	struct nl_error e;
	int r;

	lab_nft(lab, LAB_GATEWAY,
		"table inet interpose {\n"
		" set s { type inet_service; }\n"
		" chain c { tcp dport @s accept; }\n}\n");
	lab_enter(lab, LAB_GATEWAY);
	if (observe_state(a, &none, NFT_DEPTH_ALL, &s, &o) < 0)
		lab_die("cannot read the ruleset");
	lab_leave(lab);
	change.was.set = kstate_set(&s, "s");
	r = nft_write(&o.nl, &o.news, &s, &d, &e, &cause);
	UNIT_CHECK(r == -EBUSY && cause == &change, "%d", r);
	observer_close(&o);
	arena_free(a);
	lab_down(lab);
}

/* What somebody hangs between ours is in nobody's way. */
static void
visitors(void)
{
	static const char *const guests[] = {
		"nft insert rule inet interpose capture ip saddr 10.0.0.9 "
		"jump '{ counter; jump service_web; }'",
		"nft add chain inet interpose v;"
		"nft add rule inet interpose v tcp dport vmap "
		"'{ 80 : jump service_web }'",
		"nft add map inet interpose m '{ type mark : verdict;"
		" elements = { 1 : jump service_web } }'",
		"nft add set inet interpose m '{ type ipv4_addr; }';"
		"nft add rule inet interpose service_web ip saddr @m drop",
		"nft add counter inet interpose c;"
		"nft add rule inet interpose service_web counter name c",
	};
	struct lab *lab = lab_up(NULL);
	struct str before = {0}, after = {0};
	size_t i;

	for (i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		lab_policy(lab, COMMAND_POLICY);
		listings(lab, &before);
		lab_apply(lab);
		lab_must(lab, LAB_GATEWAY, "%s", guests[i]);
		command_check(lab, "plan", 2, "to remove");
		/* the chain that they lead to goes, too */
		lab_policy(lab, "gateway {\n inside in0\n}\n"
				"service tls {\n intercept tcp port 443\n}\n");
		command_check(lab, "apply --force", 0, NULL);
		command_silent(lab, "plan");
		lab_must(lab, LAB_GATEWAY, "netsetup remove");
		listings(lab, &after);
		UNIT_STRINGS(str_text(&after), str_text(&before));
	}
	str_fini(&before);
	str_fini(&after);
	lab_down(lab);
}

/* --- EEXIST and ENOENT ---------------------------------------------------- */

/* Run `command` with every message delayed, do `meanwhile` when `when` holds.
 */
static void
race(struct lab *lab, const char *command, const char *when,
     const char *meanwhile)
{
	pid_t pid = lab_spawn(lab, LAB_GATEWAY, "race",
			      TRACE LAB_DIR
			      "/strace -e trace=sendto"
			      " -e inject=sendto:delay_enter=30000 %s",
			      command);

	UNIT_CHECK(LAB_WAIT(lab_run(lab, LAB_GATEWAY, NULL, "%s", when) == 0,
			    10000),
		   "%s: never %s", command, when);
	lab_must(lab, LAB_GATEWAY, "%s", meanwhile);
	UNIT_CHECK(lab_stop(lab, pid, 0, 10000) == 0, "%s", command);
}

static void
somebody_was_first(void)
{
	struct lab *lab = lab_up(NULL);
	struct str out = {0};

	lab_policy(lab, COMMAND_POLICY);
	/* the same rule as ours, after we have looked: it is as good */
	race(lab, APPLY, "ip rule | grep -q '^9062.*proto 161'",
	     "ip rule add pref 9061 fwmark 0x1000/0x3000 lookup 9061 "
	     "protocol 161 || ip rule | grep -q '^9061.*proto 161'");
	command_silent(lab, "plan");
	lab_run(lab, LAB_GATEWAY, &out, "ip rule | grep -c '^9061'");
	UNIT_STRINGS(str_text(&out), "1\n");
	race(lab, "netsetup remove", "! nft list table inet interpose",
	     "for f in -4 -6; do ip $f rule del pref 9061;"
	     " ip $f route flush table 9061 protocol 161; done; true");
	str_clear(&out);
	lab_run(lab, LAB_GATEWAY, &out,
		"ip rule | grep 161; ip -6 rule | grep 161;"
		" ip route show table all proto 161");
	UNIT_STRINGS(str_text(&out), "");
	/* a route of another program: not ours to use or to take away */
	lab_must(lab, LAB_GATEWAY,
		 "ip -6 route add local default dev lo table 9061");
	command_check(lab, "apply", 1,
		      "policy.conf:5:9: error: kernel refuses route ipv6 "
		      "local default dev lo table 9061: File exists");
	command_check(lab, "apply", 1, "; somebody else has it there: take");
	str_clear(&out);
	lab_run(lab, LAB_GATEWAY, &out,
		"nft list ruleset; ip rule | grep 161; ip -6 rule | grep 161");
	UNIT_STRINGS(str_text(&out), "");
	str_fini(&out);
	lab_down(lab);
}

/* --- ENOBUFS -------------------------------------------------------------- */

/* With answers lost at each place: it is looked up again, and ends right. */
static void
answers_are_lost(void)
{
	static const char *const calls[] = {"recvfrom", "recvmsg"};
	struct lab *lab = lab_up(NULL);
	struct str before = {0}, after = {0};
	char what[64];
	bool hit = true;
	size_t i;
	int n, r;

	lab_policy(lab, COMMAND_POLICY);
	listings(lab, &before);
	for (i = 0; i < 2; i++) {
		for (n = 1; hit; n += i ? 10 : 5) {
			snprintf(what, sizeof(what), "%s:error=ENOBUFS:when=%d",
				 calls[i], n);
			r = inject(lab, what, APPLY, &hit);
			UNIT_CHECK(r == 0, "apply, %s: %d", what, r);
			command_silent(lab, "plan");
			r = inject(lab, what, "netsetup remove", &(bool){0});
			UNIT_CHECK(r == 0, "remove, %s: %d", what, r);
			listings(lab, &after);
			UNIT_STRINGS(str_text(&after), str_text(&before));
		}
		UNIT_CHECK(n > 3, "%s is not called", calls[i]);
		hit = true;
	}
	str_fini(&before);
	str_fini(&after);
	lab_down(lab);
}

/* A buffer that is in fact too small for the acknowledgements. */
static void
small_buffer(void)
{
	struct lab *lab = lab_up(NULL);
	struct str log = {0};
	const char *at, *end;
	int n = 0, last = 0;
	char what[64];
	bool hit;

	large_policy(lab, 300);
	lab_must(lab, LAB_GATEWAY,
		 TRACE LAB_DIR "/calls -e trace=setsockopt " APPLY);
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	/* which call asks for the room? the last but one */
	lab_read_file(LAB_DIR "/calls", &log);
	for (at = str_text(&log); (end = strchr(at, '\n')); at = end + 1) {
		if (!memmem(at, (size_t)(end - at), "setsockopt", 10))
			continue;
		n++;
		if (memmem(at, (size_t)(end - at), "RCVBUFFORCE", 11))
			last = n;
	}
	/* it, and the attempt without force that follows */
	snprintf(what, sizeof(what), "setsockopt:error=EPERM:when=%d..%d", last,
		 last + 1);
	CU_ASSERT_EQUAL(inject(lab, what, APPLY, &hit), 0);
	CU_ASSERT(hit);
	str_clear(&log);
	lab_read_file(LAB_DIR "/strace", &log);
	CU_ASSERT_PTR_NOT_NULL(strstr(str_text(&log), "= -1 ENOBUFS"));
	command_silent(lab, "plan");
	str_fini(&log);
	lab_down(lab);
}

/* --- ENOMEM --------------------------------------------------------------- */

/* Whichever message cannot be sent: the old state, and the next run mends. */
static void
no_memory(void)
{
	struct lab *lab = lab_up(NULL);
	struct str before = {0}, after = {0}, installed = {0};
	char what[64];
	bool hit = true;
	int n, r;

	lab_policy(lab, COMMAND_POLICY);
	listings(lab, &before);
	for (n = 1; hit; n += 6) {
		snprintf(what, sizeof(what), "sendto:error=ENOMEM:when=%d", n);
		r = inject(lab, what, APPLY, &hit);
		listings(lab, &after);
		UNIT_CHECK(r == 0 || r == 1, "%s: %d", what, r);
		if (r != 0)
			UNIT_STRINGS(str_text(&after), str_text(&before));
		lab_apply(lab);
		command_silent(lab, "plan");
		listings(lab, &installed);
		r = inject(lab, what, "netsetup remove", &(bool){0});
		UNIT_CHECK(r == 0 || r == 1, "remove, %s: %d", what, r);
		lab_must(lab, LAB_GATEWAY, "netsetup remove");
		listings(lab, &after);
		UNIT_STRINGS(str_text(&after), str_text(&before));
	}
	UNIT_CHECK(n > 8, "only %d messages", n);
	str_fini(&before);
	str_fini(&after);
	str_fini(&installed);
	lab_down(lab);
}

/* --- ERESTART ------------------------------------------------------------- */

/* Somebody commits a thousand times a second, and there is much to read. */
static void
steady_stream(void)
{
	struct lab *lab = lab_up(NULL);
	uint64_t begun;
	pid_t other;

	large_policy(lab, 1000);
	other = lab_spawn(lab, LAB_GATEWAY, "other",
			  "echo 'table ip other { chain c { }; }' | nft -f -;"
			  "while :; do echo add rule ip other c counter;"
			  " sleep 0.001; echo flush chain ip other c;"
			  " sleep 0.001; done | nft -i");
	begun = clock_now_ms();
	command_check(lab, "plan", 2, "to add");
	command_check(lab, "apply", 0, NULL);
	command_silent(lab, "plan");
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	UNIT_CHECK(clock_now_ms() - begun < 30000, "%d ms",
		   (int)(clock_now_ms() - begun));
	lab_stop(lab, other, SIGKILL, 1000);
	lab_run(lab, LAB_GATEWAY, NULL, "pkill -x -P %d", (int)other);
	lab_down(lab);
}

/* It would read as a part of the policy that is on record. */
static void
name_of_two_lines(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, COMMAND_POLICY);
	lab_must(lab, LAB_GATEWAY,
		 "cp " LAB_DIR "/policy.conf \"$(printf '/run/a\\nb')\"");
	CU_ASSERT(lab_run(lab, LAB_GATEWAY, NULL,
			  "netsetup apply -f \"$(printf '/run/a\\nb')\" "
			  "2>&1 | grep -q 'a line break'") == 0);
	command_check(lab, "status", 0, "nothing is installed");
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"busy", busy},
	{"visitors", visitors},
	{"somebody_was_first", somebody_was_first},
	{"answers_are_lost", answers_are_lost},
	{"small_buffer", small_buffer},
	{"no_memory", no_memory},
	{"steady_stream", steady_stream},
	{"name_of_two_lines", name_of_two_lines},
};

LAB_MAIN("refused", tests)
