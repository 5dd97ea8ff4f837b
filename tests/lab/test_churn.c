/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_churn.c - 64 clients open and close connections as fast as they can
 * for ten seconds. None may fail, and none may wait for a lost SYN: with the
 * upstream leg in the client's own zone, p99 would be a second.
 */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/lab/lab.h"

static const char policy[] = "gateway {\n"
			     "	inside in0\n"
			     "	outside out0\n"
			     "	user %s\n"
			     "	log access none\n"
			     "}\n"
			     "service web {\n"
			     "	intercept tcp port 80\n"
			     "}\n";

/* What else the kernel counted there, to find out why. */
static void
show_counters(struct lab *lab, enum lab_where where, const char *name)
{
	struct str out = {0};

	lab_run(lab, where, &out,
		"nstat -az | awk '$2 && /Retrans|Drop|Overflow|Fail|Abort|"
		"Syncookies|Challenge/ { print $1, $2 }'; conntrack -S");
	printf("%s:\n%s", name, str_text(&out));
	str_fini(&out);
}

static void
check_zero(struct lab *lab, enum lab_where where, const char *name,
	   const char *counter)
{
	uint64_t n = lab_counter(lab, where, counter);

	UNIT_CHECK(n == 0, "%s of the %s is %llu", counter, name,
		   (unsigned long long)n);
	if (n)
		show_counters(lab, where, name);
}

static void
check_conntrack(struct lab *lab, const char *counter)
{
	uint64_t n = lab_conntrack_stat(lab, LAB_GATEWAY, counter);

	UNIT_CHECK(n == 0, "conntrack's %s is %llu", counter,
		   (unsigned long long)n);
}

static void
churn(bool masquerade)
{
	struct lab_options options = {.masquerade = masquerade};
	unsigned long long done, failed = 1;
	struct str out = {0};
	struct lab *lab;
	pid_t pid;
	int r;

	lab = lab_begin(&options, policy, &pid);
	lab_spawn(lab, LAB_SERVER, "server", "tool_server 80 -");
	CU_ASSERT(LAB_WAIT(
		lab_sockets(lab, LAB_SERVER, "state listening sport = :80") > 0,
		2000));
	r = lab_run(lab, LAB_CLIENT, &out,
		    "tool_churn 64 10 " LAB_SERVER4 ":80 [" LAB_SERVER6 "]:80");
	printf("%s: %s", masquerade ? "masquerade" : "plain", str_text(&out));
	UNIT_CHECK(r == 0, "%s", str_text(&out));
	CU_ASSERT(sscanf(str_text(&out), "connections %llu failed %llu", &done,
			 &failed) == 2 &&
		  done > 1000 && failed == 0);
	check_zero(lab, LAB_CLIENT, "client", "TcpExtTCPSynRetrans");
	check_zero(lab, LAB_GATEWAY, "gateway", "TcpExtTCPSynRetrans");
	check_conntrack(lab, "insert_failed");
	check_conntrack(lab, "drop");
	str_fini(&out);
	lab_end(lab, pid);
}

static void
plain(void)
{
	churn(false);
}

static void
masquerade(void)
{
	churn(true);
}

static const struct unit_test tests[] = {
	{"plain", plain},
	{"masquerade", masquerade},
};

LAB_MAIN("churn", tests)
