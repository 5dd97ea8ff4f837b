/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_bypass.c - `netsetup bypass`: who is on the list goes to the server
 * without proxyd, for as long as it says, and nobody else does.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/policy.h"
#include "tests/lab/command.h"

static const char policy[] = "gateway {\n"
			     "    inside in0\n"
			     "    user %s\n"
			     "}\n"
			     "service web {\n"
			     "    intercept tcp port 80\n"
			     "}\n";

/* The same in the other front. */
static const char by_tproxy[] = "gateway {\n"
				"    inside in0\n"
				"    user %s\n"
				"}\n"
				"service web {\n"
				"    intercept tcp port 80 via tproxy\n"
				"}\n";

/* `netsetup bypass WORDS` ends with this status, and says `output`. */
static void
bypass(struct lab *lab, const char *words, int status, const char *output)
{
	struct str out = {0};
	int r = lab_run(lab, LAB_GATEWAY, &out, "netsetup bypass %s", words);

	UNIT_CHECK(r == status, "%s: %d: %s", words, r, str_text(&out));
	if (output)
		UNIT_CHECK(*output ? strstr(str_text(&out), output) != NULL
				   : str_text(&out)[0] == '\0',
			   "%s says:\n%s\nand not: %s", words, str_text(&out),
			   output);
	str_fini(&out);
}

/* Is a connection to the server proxied? -1: it does not come about. */
static int
proxied(struct lab *lab, int family, enum lab_host host)
{
	char at[ENDPOINT_TEXT_LEN];
	int l, fd, peer, r = -1;

	l = lab_listen(lab, LAB_SERVER, lab_at(lab, family, host, 80, at));
	fd = lab_connect(lab, LAB_CLIENT, NULL, at, 2000);
	peer = fd < 0 ? -1 : lab_accept(l, 2000, NULL);
	if (peer >= 0)
		r = lab_sockets(lab, LAB_GATEWAY, "state established") > 0;
	close(peer);
	close(fd);
	close(l);
	/* a closing one must not be taken for the next */
	LAB_WAIT(lab_sockets(lab, LAB_GATEWAY, "state established") == 0, 500);
	return r;
}

static void
pairs_are_routed(void)
{
	struct lab *lab;
	pid_t pid;

	lab = lab_begin(NULL, policy, &pid);
	CU_ASSERT_EQUAL(proxied(lab, AF_INET, LAB_HOST_SERVER), 1);
	bypass(lab, "add " LAB_CLIENT4 " " LAB_SERVER4, 0, "");
	bypass(lab, "add " LAB_CLIENT6 " " LAB_SERVER6 " 1h", 0, "");
	CU_ASSERT_EQUAL(proxied(lab, AF_INET, LAB_HOST_SERVER), 0);
	CU_ASSERT_EQUAL(proxied(lab, AF_INET, LAB_HOST_SERVER), 0);
	CU_ASSERT_EQUAL(proxied(lab, AF_INET, LAB_HOST_OTHER), 1);
	CU_ASSERT_EQUAL(proxied(lab, AF_INET6, LAB_HOST_SERVER), 0);
	CU_ASSERT_EQUAL(proxied(lab, AF_INET6, LAB_HOST_OTHER), 1);
	bypass(lab, "list", 0,
	       LAB_CLIENT4 " to " LAB_SERVER4 ", 10m left, met 2 times\n");
	bypass(lab, "list", 0,
	       LAB_CLIENT6 " to " LAB_SERVER6 ", 1h left, met 1 time\n");
	/* whatever the policy becomes */
	lab_policy(lab,
		   "gateway {\n inside in0\n user %s\n alive-timeout 9s\n}\n"
		   "service tls {\n intercept tcp port 443\n}\n"
		   "service web {\n intercept tcp port 80\n}\n",
		   lab_user());
	lab_apply(lab);
	lab_apply(lab);
	bypass(lab, "list", 0, "met 2 times\n");
	CU_ASSERT_EQUAL(proxied(lab, AF_INET, LAB_HOST_SERVER), 0);
	bypass(lab, "del " LAB_CLIENT4 " " LAB_SERVER4, 0, "");
	CU_ASSERT_EQUAL(proxied(lab, AF_INET, LAB_HOST_SERVER), 1);
	CU_ASSERT_EQUAL(proxied(lab, AF_INET6, LAB_HOST_SERVER), 0);
	bypass(lab, "del " LAB_CLIENT4 " " LAB_SERVER4, 1,
	       "is not there; `netsetup bypass list` shows what is");
	lab_stop_proxyd(lab, pid);
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	bypass(lab, "list", 1, "nothing is installed; `netsetup apply` first");
	lab_down(lab);
}

static void
tproxy_too(void)
{
	struct lab *lab;
	pid_t pid;

	lab = lab_begin(NULL, by_tproxy, &pid);
	bypass(lab, "add " LAB_CLIENT4 " " LAB_SERVER4, 0, "");
	bypass(lab, "add " LAB_CLIENT6 " " LAB_SERVER6, 0, "");
	CU_ASSERT_EQUAL(proxied(lab, AF_INET, LAB_HOST_SERVER), 0);
	CU_ASSERT_EQUAL(proxied(lab, AF_INET, LAB_HOST_OTHER), 1);
	CU_ASSERT_EQUAL(proxied(lab, AF_INET6, LAB_HOST_SERVER), 0);
	CU_ASSERT_EQUAL(proxied(lab, AF_INET6, LAB_HOST_OTHER), 1);
	bypass(lab, "list", 0, LAB_SERVER4 ", 10m left, met 1 time\n");
	bypass(lab, "list", 0, LAB_SERVER6 ", 10m left, met 1 time\n");
	bypass(lab, "del " LAB_CLIENT4 " " LAB_SERVER4, 0, "");
	CU_ASSERT_EQUAL(proxied(lab, AF_INET, LAB_HOST_SERVER), 1);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* Milliseconds that are left to the only pair, from the JSON. */
static long
left(struct lab *lab)
{
	struct str out = {0};
	long ms = -1;
	const char *at;

	lab_run(lab, LAB_GATEWAY, &out, "netsetup bypass list --json");
	at = strstr(str_text(&out), "\"left_ms\": ");
	if (at)
		sscanf(at, "\"left_ms\": %ld", &ms);
	str_fini(&out);
	return ms;
}

static void
time_ends_them(void)
{
	struct lab *lab = lab_up(NULL);
	uint64_t begun;

	lab_policy(lab, policy, lab_user());
	lab_apply(lab);
	begun = clock_now_ms();
	bypass(lab, "add " LAB_CLIENT4 " " LAB_SERVER4 " 1s", 0, "");
	bypass(lab, "list", 0, "1s left, met 0 times\n");
	CU_ASSERT(LAB_WAIT(left(lab) < 0, 3000));
	UNIT_CHECK(clock_now_ms() - begun >= 1000, "it ended too early");
	bypass(lab, "list", 0, "");
	/* adding again is for that time from now on, longer or shorter */
	bypass(lab, "add " LAB_CLIENT6 " " LAB_SERVER6 " 5s", 0, "");
	bypass(lab, "add " LAB_CLIENT6 " " LAB_SERVER6 " 1h", 0, "");
	UNIT_CHECK(left(lab) > 3500000, "%ld", left(lab));
	bypass(lab, "add " LAB_CLIENT6 " " LAB_SERVER6 " 20s", 0, "");
	UNIT_CHECK(left(lab) <= 20000 && left(lab) > 15000, "%ld", left(lab));
	lab_down(lab);
}

static void
what_is_refused(void)
{
	static const struct {
		const char *words;
		int status;
		const char *says;
	} rows[] = {
		{"", 64, "type `netsetup bypass list`"},
		{"show", 64, "type `netsetup bypass list`"},
		{"add 10.1.0.2", 64,
		 "bypass add client destination [duration]"},
		{"add 10.1.0.2 10.2.0.2 1h 2h", 64, "bypass add"},
		{"del 10.1.0.2 10.2.0.2 1h", 64, "bypass del"},
		{"add --json 10.1.0.2 10.2.0.2", 64, "type"},
		{"add 10.1.0.0/16 10.2.0.2", 64,
		 "the client is one address, not a network"},
		{"add 10.1.0.2 10.2.0.2:80", 64,
		 "the destination is an address such as 192.0.2.1"},
		{"add www.example.org 10.2.0.2", 64,
		 "without a port, not 'www.example.org'"},
		{"add 10.1.0.2 fd02::2", 64,
		 "10.1.0.2 is ipv4 and fd02::2 is ipv6"},
		{"add 10.1.0.2 10.2.0.2 30", 64, "from 1s to 24h"},
		{"add 10.1.0.2 10.2.0.2 500ms", 64, "from 1s to 24h"},
		{"add 10.1.0.2 10.2.0.2 48h", 64,
		 "for ever is `except` in the policy"},
		{"add 10.1.0.2 10.2.0.2", 1, "nothing is installed"},
		{"del 10.1.0.2 10.2.0.2", 1, "nothing is installed"},
		{"list", 1, "nothing is installed"},
	};
	struct lab *lab = lab_up(NULL);
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		bypass(lab, rows[i].words, rows[i].status, rows[i].says);
	lab_policy(lab, "gateway {\n inside in0\n family ipv4\n}\n"
			"service web {\n intercept tcp port 80\n}\n");
	lab_apply(lab);
	bypass(lab, "add fd01::2 fd02::2", 1, "ipv6 is not captured");
	bypass(lab, "del fd01::2 fd02::2", 1, "ipv6 is not captured");
	bypass(lab, "list", 0, "");
	lab_down(lab);
}

/* No more than it has room for, and what is there stays. */
static void
full(void)
{
	struct lab *lab = lab_up(NULL);
	struct str text = {0};
	int i;

	lab_policy(lab, policy, lab_user());
	lab_apply(lab);
	for (i = 0; i < POLICY_BYPASS_SIZE; i++)
		str_addf(&text, "%s10.8.%d.%d . 10.2.0.2 timeout 1h%s",
			 i & 255 ? ","
				 : "add element inet interpose bypass_ipv4 {",
			 i >> 8, i & 255, (i & 255) == 255 ? "}\n" : "");
	lab_write_file(LAB_DIR "/many", str_text(&text));
	lab_must(lab, LAB_GATEWAY,
		 "split -l 16 " LAB_DIR "/many " LAB_DIR "/part.;"
		 "for f in " LAB_DIR "/part.*; do nft -f $f || exit; done");
	bypass(lab, "add " LAB_CLIENT4 " " LAB_SERVER4, 1,
	       "no room: 65536 pairs are there; take one out");
	bypass(lab, "add " LAB_CLIENT6 " " LAB_SERVER6, 0, "");
	bypass(lab, "del 10.8.1.1 10.2.0.2", 0, "");
	bypass(lab, "add " LAB_CLIENT4 " " LAB_SERVER4, 0, "");
	command_silent(lab, "plan");
	str_fini(&text);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"pairs_are_routed", pairs_are_routed},
	{"tproxy_too", tproxy_too},
	{"time_ends_them", time_ends_them},
	{"what_is_refused", what_is_refused},
	{"full", full},
};

LAB_MAIN("bypass", tests)
