/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lab.c - does the lab itself work? Nothing of Interpose is used here.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab.h"

static void
commands(void)
{
	struct lab *lab = lab_up(NULL);
	struct str out = {0};

	CU_ASSERT_EQUAL(lab_run(lab, LAB_CLIENT, &out, "ip -br addr"), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(str_text(&out), LAB_CLIENT4));
	CU_ASSERT_PTR_NOT_NULL(strstr(str_text(&out), LAB_CLIENT6));
	CU_ASSERT_EQUAL(lab_run(lab, LAB_SERVER, NULL, "exit 7"), 7);
	CU_ASSERT_EQUAL(lab_run(lab, LAB_SERVER, NULL, "kill -9 $$"), 137);
	str_fini(&out);
	lab_down(lab);
}

/* Nothing passes until the gateway forwards. */
static void
forwarding(void)
{
	struct lab *lab = lab_up(NULL);

	CU_ASSERT_EQUAL(
		lab_connect(lab, LAB_CLIENT, NULL, LAB_SERVER4 ":90", 200),
		-ETIMEDOUT);
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv4/ip_forward", "1");
	CU_ASSERT_EQUAL(
		lab_connect(lab, LAB_CLIENT, NULL, LAB_SERVER4 ":90", 1000),
		-ECONNREFUSED);
	lab_down(lab);
}

static void
get_both(struct lab *lab, const char *from4, const char *from6)
{
	struct str body = {0};

	CU_ASSERT_EQUAL(
		lab_get(lab, LAB_CLIENT, NULL, LAB_SERVER4 ":80", "/", &body),
		200);
	UNIT_CHECK(!strncmp(str_text(&body), from4, strlen(from4)), "%s",
		   str_text(&body));
	str_clear(&body);
	CU_ASSERT_EQUAL(lab_get(lab, LAB_CLIENT, NULL, "[" LAB_SERVER6 "]:81",
				"/", &body),
			200);
	UNIT_CHECK(!strncmp(str_text(&body), from6, strlen(from6)), "%s",
		   str_text(&body));
	str_fini(&body);
}

static void
nginx(void)
{
	struct lab *lab = lab_up(&(struct lab_options){.forwarding = true});
	struct str out = {0};

	lab_nginx(lab);
	get_both(lab, LAB_CLIENT4 ":", "[" LAB_CLIENT6 "]:");
	lab_www(lab, "big", 100000);
	CU_ASSERT_EQUAL(lab_run(lab, LAB_CLIENT, &out,
				"curl -s http://" LAB_SERVER4 "/big"
				" | cmp - " LAB_DIR "/www/big"),
			0);
	UNIT_STRINGS(str_text(&out), "");
	str_fini(&out);
	lab_down(lab);
}

static void
masquerade(void)
{
	struct lab *lab = lab_up(
		&(struct lab_options){.forwarding = true, .masquerade = true});

	lab_nginx(lab);
	get_both(lab, LAB_OUTSIDE4 ":", "[" LAB_OUTSIDE6 "]:");
	lab_down(lab);
}

static void
router(void)
{
	struct lab *lab = lab_up(
		&(struct lab_options){.forwarding = true, .router = true});
	struct str body = {0};

	lab_nginx(lab);
	CU_ASSERT_EQUAL(
		lab_get(lab, LAB_CLIENT, NULL, LAB_FAR4 ":80", "/", &body),
		200);
	CU_ASSERT_EQUAL(
		lab_get(lab, LAB_CLIENT, NULL, "[" LAB_FAR6 "]:80", "/", &body),
		200);
	str_fini(&body);
	lab_down(lab);
}

static void
sockets(void)
{
	struct lab *lab = lab_up(&(struct lab_options){.forwarding = true});
	int l, c, s;
	struct endpoint peer;
	char buf[ENDPOINT_TEXT_LEN];

	l = lab_listen(lab, LAB_SERVER, "[::]:90");
	c = lab_connect(lab, LAB_CLIENT, "[" LAB_CLIENT6 "]:4000",
			"[" LAB_SERVER6 "]:90", 1000);
	CU_ASSERT_FATAL(c >= 0);
	s = lab_accept(l, 1000, &peer);
	CU_ASSERT_FATAL(s >= 0);
	UNIT_STRINGS(endpoint_format(&peer, buf), "[" LAB_CLIENT6 "]:4000");
	UNIT_STRINGS(lab_name(c, buf), "[" LAB_CLIENT6 "]:4000");
	lab_send(c, "hello");
	CU_ASSERT(lab_expect(s, "hello", 1000));
	CU_ASSERT_EQUAL(lab_sockets(lab, LAB_SERVER, "state established"), 1);
	lab_reset(c);
	CU_ASSERT_EQUAL(lab_recv(s, buf, sizeof(buf), 1000), -ECONNRESET);
	CU_ASSERT_EQUAL(
		lab_connect(lab, LAB_CLIENT, NULL, LAB_SERVER4 ":91", 1000),
		-ECONNREFUSED);
	close(s);
	close(l);
	lab_down(lab);
}

static void
counters(void)
{
	struct lab *lab = lab_up(&(struct lab_options){.forwarding = true});
	uint64_t before;

	before = lab_counter(lab, LAB_CLIENT, "TcpOutRsts");
	CU_ASSERT_EQUAL(lab_counter(lab, LAB_CLIENT, "TcpExtTCPSynRetrans"), 0);
	lab_nft(lab, LAB_SERVER,
		"table inet t { chain c { type filter hook input priority 0;"
		" tcp dport 95 drop; }; }");
	CU_ASSERT_EQUAL(
		lab_connect(lab, LAB_CLIENT, NULL, LAB_SERVER4 ":95", 1300),
		-ETIMEDOUT);
	CU_ASSERT_EQUAL(lab_counter(lab, LAB_CLIENT, "TcpExtTCPSynRetrans"), 1);
	CU_ASSERT_EQUAL(lab_counter(lab, LAB_CLIENT, "TcpOutRsts"), before);
	CU_ASSERT_EQUAL(lab_conntrack_stat(lab, LAB_GATEWAY, "insert_failed"),
			0);
	lab_down(lab);
}

/* Routed packets are seen, those of the gateway's own are not. */
static void
watch_direct(void)
{
	struct lab *lab = lab_up(&(struct lab_options){.forwarding = true});

	lab_watch_direct(lab);
	CU_ASSERT_EQUAL(
		lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":90", 1000),
		-ECONNREFUSED);
	CU_ASSERT_EQUAL(lab_direct(lab), 0);
	CU_ASSERT_EQUAL(
		lab_connect(lab, LAB_CLIENT, NULL, LAB_SERVER4 ":90", 1000),
		-ECONNREFUSED);
	CU_ASSERT_EQUAL(lab_direct(lab), 1);
	CU_ASSERT_EQUAL(lab_connect(lab, LAB_CLIENT, NULL,
				    "[" LAB_SERVER6 "]:90", 1000),
			-ECONNREFUSED);
	CU_ASSERT_EQUAL(lab_direct(lab), 2);
	lab_down(lab);
}

static void
processes(void)
{
	struct lab *lab = lab_up(NULL);
	pid_t pid, child[4];

	pid = lab_spawn(lab, LAB_GATEWAY, "loop",
			"sh -c 'echo up; sleep 50 & wait'");
	CU_ASSERT(LAB_WAIT(lab_logged("loop", "up"), 2000));
	CU_ASSERT(LAB_WAIT(lab_children(pid, "sleep", child, 4) == 1, 2000));
	CU_ASSERT(lab_alive(child[0]));
	CU_ASSERT_EQUAL(lab_stop(lab, pid, 0, 20), -ETIMEDOUT);
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGKILL, 1000), 137);
	CU_ASSERT(!lab_alive(pid));
	lab_down(lab);
	CU_ASSERT(!lab_alive(child[0]));
}

static const struct unit_test tests[] = {
	{"commands", commands},	  {"forwarding", forwarding},
	{"nginx", nginx},	  {"masquerade", masquerade},
	{"router", router},	  {"sockets", sockets},
	{"counters", counters},	  {"watch_direct", watch_direct},
	{"processes", processes},
};

LAB_MAIN("lab", tests)
