/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_proxyproto.c - the PROXY protocol that comes in, with `accept-proxy`:
 * believed or refused. Headers are written by the test; test_proxypeers.c has
 * those of other programs, and those that go out.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/policy.h"

#include "tests/lab/alone.h"
#include "tests/lab/announced.h"
#include "tests/lab/crowd.h"

/* --- in ------------------------------------------------------------------- */

/* To where the header says, of either family, whichever carries it. */
static void
listen_in(void)
{
	char to[ENDPOINT_TEXT_LEN], destination[ENDPOINT_TEXT_LEN];
	char line[2 * ENDPOINT_TEXT_LEN + 32];
	struct lab *lab;
	pid_t pid;
	int i, l, fd;

	lab = announced_begin("", "", &pid);
	for (i = 0; i < 8; i++) {
		lab_at(lab, lab_families[i & 1], LAB_HOST_GATEWAY, 8080, to);
		lab_at(lab, lab_families[i >> 1 & 1], LAB_HOST_OTHER, 80,
		       destination);
		l = lab_listen(lab, LAB_SERVER, destination);
		fd = announced_connect(
			lab, to, i & 4 ? PROXYPROTO_V2 : PROXYPROTO_V1,
			announced_clients[i >> 1 & 1], destination);
		announced_talk(fd, lab_accept(l, 2000, NULL));
		close(l);
		snprintf(line, sizeof(line), " client=%s ",
			 announced_clients[i >> 1 & 1]);
		CU_ASSERT(LAB_WAIT(lab_log_count("proxyd", "bytes_in=7 "
							   "bytes_out=8") ==
					   (size_t)i + 1,
				   2000));
		announced_recorded(line, "destination", destination);
		announced_recorded(line, "dst_via", "proxy");
	}
	announced_end(lab, pid);
}

/* Captured, and the server sees whom the header names, where it names. */
static void
capture_in(const char *via)
{
	char to[ENDPOINT_TEXT_LEN], destination[ENDPOINT_TEXT_LEN];
	char policy[512], buf[ENDPOINT_TEXT_LEN];
	struct endpoint seen, said;
	struct lab *lab;
	int i, l, fd, server;
	pid_t pid;

	snprintf(policy, sizeof(policy),
		 "gateway { inside in0; user %%s }\n"
		 "service web { intercept tcp port 80 via %s; accept-proxy }\n",
		 via);
	lab = lab_begin(NULL, policy, &pid);
	for (i = 0; i < 4; i++) {
		lab_at(lab, lab_families[i & 1], LAB_HOST_SERVER, 80, to);
		lab_at(lab, lab_families[i & 1], LAB_HOST_OTHER, 443,
		       destination);
		l = lab_listen(lab, LAB_SERVER, destination);
		fd = announced_connect(lab, to,
				       i & 2 ? PROXYPROTO_V2 : PROXYPROTO_V1,
				       announced_clients[i & 1], destination);
		server = lab_accept(l, 2000, &seen);
		CU_ASSERT_EQUAL(endpoint_parse(announced_clients[i & 1], &said),
				0);
		UNIT_CHECK(addr_equal(&seen.addr, &said.addr), "%s",
			   endpoint_format(&seen, buf));
		UNIT_STRINGS(lab_name(server, buf), destination);
		announced_talk(fd, server);
		close(l);
	}
	lab_end(lab, pid);
}

static void
redirect_in(void)
{
	capture_in("redirect");
}

static void
tproxy_in(void)
{
	capture_in("tproxy");
}

/* The connection stands for itself: as if there were no header. */
static void
local(const char *via, const char *dst_via)
{
	static const char *const headers[] = {"PROXY UNKNOWN\r\n",
					      "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"};
	static const size_t sizes[] = {15, 16};
	struct endpoint seen, own;
	char policy[512], name[ENDPOINT_TEXT_LEN];
	struct lab *lab;
	int i, l, fd;
	pid_t pid;

	snprintf(policy, sizeof(policy),
		 "gateway { inside in0; user %%s }\n"
		 "pool original { node original; source client-port }\n"
		 "service web { intercept tcp port 80 via %s; accept-proxy }\n",
		 via);
	lab = lab_begin(NULL, policy, &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	for (i = 0; i < 2; i++) {
		fd = lab_connect(lab, LAB_CLIENT, NULL, LAB_SERVER4 ":80",
				 2000);
		CU_ASSERT_FATAL(fd >= 0);
		lab_name(fd, name);
		announced_send(fd, headers[i], sizes[i]);
		announced_talk(fd, lab_accept(l, 2000, &seen));
		CU_ASSERT_EQUAL(endpoint_parse(name, &own), 0);
		CU_ASSERT(endpoint_equal(&seen, &own));
		announced_recorded(name, "dst_via", dst_via);
	}
	close(l);
	lab_end(lab, pid);
}

static void
redirect_local(void)
{
	local("redirect", "conntrack");
}

static void
tproxy_local(void)
{
	local("tproxy", "socket");
}

/* One byte a packet; what follows comes with the last one. */
static void
split(void)
{
	char buf[PROXYPROTO_BUILD_MAX + 8];
	struct lab *lab;
	int version, l, fd, one = 1;
	size_t i, len;
	pid_t pid;

	lab = announced_begin("", "", &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_OTHER4 ":80");
	for (version = PROXYPROTO_V1; version <= PROXYPROTO_V2; version++) {
		len = announced_header((enum proxyproto_version)version,
				       announced_clients[0], LAB_OTHER4 ":80",
				       buf);
		memcpy(buf + len, "further", 7);
		fd = lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":8080",
				 2000);
		setsockopt(fd, SOL_TCP, TCP_NODELAY, &one, sizeof(one));
		for (i = 0; i < len - 1; i++) {
			announced_send(fd, buf + i, 1);
			lab_sleep(1);
		}
		announced_send(fd, buf + i, 8);
		one = lab_accept(l, 2000, NULL);
		CU_ASSERT_FATAL(one >= 0);
		CU_ASSERT(lab_expect(one, "further", 2000));
		announced_talk(fd, one);
	}
	close(l);
	announced_end(lab, pid);
}

/* --- what is refused ------------------------------------------------------ */

static void
expect_refusal(struct lab *lab, const char *text)
{
	int fd;

	fd = lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":8080", 2000);
	CU_ASSERT_FATAL(fd >= 0);
	lab_send(fd, text);
	lab_expect_reset(fd, 200);
}

/* At once, and the server hears nothing of it. */
static void
wrong(void)
{
	static const char *const texts[] = {
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"PROXY TCP4 10.1.0.77 10.2.0.3 1234 080\r\n",
		"PROXY TCP6 10.1.0.77 10.2.0.3 1234 80\r\n",
		"PROXY UDP4 10.1.0.77 10.2.0.3 1234 80\r\n",
		"PROXY TCP4 0.0.0.0 10.2.0.3 1234 80\r\n",
		"\r\n\r\nno",
	};
	struct lab *lab;
	size_t i;
	pid_t pid;
	int l, fd;

	lab = announced_begin("", "use app", &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_refusal(lab, texts[i]);
	CU_ASSERT(lab_closed("no-proxy-header", i));
	/* half of one, and that is all */
	fd = lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":8080", 2000);
	lab_send(fd, "PROXY TCP4 10.1");
	shutdown(fd, SHUT_WR);
	lab_expect_reset(fd, 200);
	CU_ASSERT(lab_closed("no-proxy-header", i + 1));
	/* who only looks in makes no mistake */
	close(lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":8080", 2000));
	CU_ASSERT(lab_closed("client-closed", 1));
	CU_ASSERT_EQUAL(lab_accept(l, 50, NULL), -ETIMEDOUT);
	CU_ASSERT_EQUAL(lab_log_count("proxyd", "refused, no-proxy-header"), 1);
	close(l);
	announced_end(lab, pid);
}

/* None in time, or one that trickles in; and proxyd sleeps meanwhile. */
static void
late(void)
{
	unsigned long before;
	uint64_t begun, took;
	pid_t pid, worker;
	struct lab *lab;
	int fd[2], i;

	lab = announced_begin("timeout head 3s", "use app", &pid);
	worker = alone_child(pid, "worker");
	begun = clock_now_ms();
	for (i = 0; i < 2; i++)
		fd[i] = lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":8080",
				    2000);
	before = lab_ticks(worker);
	for (i = 0; i < 5; i++) {
		announced_send(fd[1], "PROXY" + i, 1);
		lab_sleep(500);
	}
	CU_ASSERT(lab_ticks(worker) - before < 20);
	lab_expect_reset(fd[0], 3000);
	lab_expect_reset(fd[1], 200);
	took = clock_now_ms() - begun;
	UNIT_CHECK(took > 2900 && took < 4500, "%u ms", (unsigned int)took);
	CU_ASSERT(lab_closed("no-proxy-header", 2));
	announced_end(lab, pid);
}

/* Whose word it is not: the box's own addresses, and proxyd's. */
static void
loop(void)
{
	static const char *const to[] = {
		LAB_GATEWAY4 ":8080",
		LAB_OUTSIDE4 ":8080",
		"[" LAB_GATEWAY6 "]:8080",
		LAB_GATEWAY4 ":22",
		"[" LAB_OUTSIDE6 "]:22",
		"127.0.0.1:22",
		"[::1]:22",
		"[::ffff:127.0.0.1]:22",
	};
	struct lab *lab;
	size_t i, n = sizeof(to) / sizeof(to[0]);
	pid_t pid;
	int l, fd;

	lab = announced_begin("", "", &pid);
	l = lab_listen(lab, LAB_GATEWAY, "[::]:22");
	for (i = 0; i < n; i++)
		lab_expect_reset(announced_connect(lab, LAB_GATEWAY4 ":8080",
						   PROXYPROTO_V1,
						   announced_clients[i & 1],
						   to[i]),
				 2000);
	CU_ASSERT(lab_closed("loop", n));
	fd = announced_connect(lab, LAB_GATEWAY4 ":8080", PROXYPROTO_V2,
			       announced_clients[0], "0.0.0.0:22");
	lab_expect_reset(fd, 2000);
	CU_ASSERT(lab_closed("no-destination", 1));
	CU_ASSERT_EQUAL(lab_accept(l, 50, NULL), -ETIMEDOUT);
	close(l);
	announced_end(lab, pid);
}

/* The policy's own idea of where it captures. */
static unsigned int
capture_port(void)
{
	struct diags diags;
	struct policy *p;
	unsigned int port;

	diags_init(&diags);
	p = policy_load(LAB_DIR "/policy.conf", &diags);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	port = p->services[0].capture_port;
	policy_free(p);
	diags_fini(&diags);
	return port;
}

/* A header does not open a capture port to who was not captured. */
static void
direct(const char *via)
{
	struct lab *lab = lab_up(&alone_options);
	char to[64], buf[PROXYPROTO_BUILD_MAX];
	size_t len;
	pid_t pid;
	int fd;

	lab_policy(
		lab,
		"gateway { inside in0; user %s }\n"
		"service web { intercept tcp port 80 via %s; accept-proxy }\n",
		lab_user(), via);
	/* conntrack shall be at work */
	lab_nft(lab, LAB_GATEWAY,
		"table ip t {\n"
		"chain c { type filter hook prerouting priority 0;\n"
		"ct state new accept; }\n"
		"}\n");
	pid = lab_proxyd_up(lab);
	snprintf(to, sizeof(to), LAB_GATEWAY4 ":%u", capture_port());
	fd = lab_connect(lab, LAB_CLIENT, NULL, to, 2000);
	len = announced_header(PROXYPROTO_V1, announced_clients[0],
			       LAB_OTHER4 ":80", buf);
	/* it may be reset already */
	(void)!send(fd, buf, len, MSG_NOSIGNAL);
	lab_expect_reset(fd, 2000);
	CU_ASSERT(lab_closed("direct", 1));
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static void
redirect_direct(void)
{
	direct("redirect");
}

static void
tproxy_direct(void)
{
	direct("tproxy");
}

/* --- what else must hold -------------------------------------------------- */

/* After the header nobody is in a hurry; and a server may speak first. */
static void
silence(void)
{
	struct lab *lab;
	int l, fd, server;
	pid_t pid;

	lab = announced_begin("timeout head 300ms", "", &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_OTHER4 ":80");
	fd = announced_connect(lab, LAB_GATEWAY4 ":8080", PROXYPROTO_V1,
			       announced_clients[0], LAB_OTHER4 ":80");
	server = lab_accept(l, 2000, NULL);
	CU_ASSERT_FATAL(server >= 0);
	lab_sleep(600);
	lab_send(server, "banner");
	CU_ASSERT(lab_expect(fd, "banner", 2000));
	announced_talk(fd, server);
	close(l);
	announced_end(lab, pid);
}

/* Limits count whom the header names, and until then nobody. */
static void
per_client(void)
{
	static const char to[] = LAB_GATEWAY4 ":8080", at[] = LAB_SERVER4 ":80";
	struct lab *lab;
	int l, fd[3], waits;
	pid_t pid;

	lab = announced_begin("", "use app; limit connections 1 per client",
			      &pid);
	l = lab_listen(lab, LAB_SERVER, at);
	waits = lab_connect(lab, LAB_CLIENT, NULL, to, 2000);
	fd[0] = announced_connect(lab, to, PROXYPROTO_V1, announced_clients[0],
				  at);
	fd[1] = lab_accept(l, 2000, NULL);
	CU_ASSERT_FATAL(fd[1] >= 0);
	lab_expect_reset(announced_connect(lab, to, PROXYPROTO_V2,
					   announced_clients[0], at),
			 2000);
	CU_ASSERT(lab_closed("limit", 1));
	fd[2] = announced_connect(lab, to, PROXYPROTO_V1, "10.1.0.78:1234", at);
	announced_talk(fd[2], lab_accept(l, 2000, NULL));
	announced_talk(fd[0], fd[1]);
	/* who is done makes room */
	fd[0] = announced_connect(lab, to, PROXYPROTO_V2, announced_clients[0],
				  at);
	announced_talk(fd[0], lab_accept(l, 2000, NULL));
	close(waits);
	close(l);
	announced_end(lab, pid);
}

/* Who waits for its header has its place among max-flows. */
static void
max_flows(void)
{
	char buf[PROXYPROTO_BUILD_MAX];
	struct lab *lab;
	int l, fd[2];
	pid_t pid;

	lab = announced_begin("max-flows 1", "", &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_OTHER4 ":80");
	fd[0] = lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":8080", 2000);
	fd[1] = announced_connect(lab, LAB_GATEWAY4 ":8080", PROXYPROTO_V1,
				  announced_clients[0], LAB_OTHER4 ":80");
	CU_ASSERT_EQUAL(lab_accept(l, 200, NULL), -ETIMEDOUT);
	announced_send(fd[0], buf,
		       announced_header(PROXYPROTO_V1, announced_clients[0],
					LAB_OTHER4 ":80", buf));
	announced_talk(fd[0], lab_accept(l, 2000, NULL));
	announced_talk(fd[1], lab_accept(l, 2000, NULL));
	close(l);
	announced_end(lab, pid);
}

/* Another policy comes in the middle of a header: it is still taken. */
static void
reload(void)
{
	char buf[PROXYPROTO_BUILD_MAX];
	struct lab *lab;
	int l, fd;
	size_t len;
	pid_t pid;

	lab = announced_begin("", "", &pid);
	l = lab_listen(lab, LAB_SERVER, LAB_OTHER4 ":80");
	fd = lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":8080", 2000);
	CU_ASSERT_FATAL(fd >= 0);
	len = announced_header(PROXYPROTO_V2, announced_clients[0],
			       LAB_OTHER4 ":80", buf);
	announced_send(fd, buf, 10);
	lab_sleep(100);
	announced_policy(lab, "", "limit connections 100");
	crowd_reload(pid);
	announced_send(fd, buf + 10, len - 10);
	announced_talk(fd, lab_accept(l, 2000, NULL));
	close(l);
	announced_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"listen_in", listen_in},
	{"redirect_in", redirect_in},
	{"tproxy_in", tproxy_in},
	{"redirect_local", redirect_local},
	{"tproxy_local", tproxy_local},
	{"split", split},
	{"wrong", wrong},
	{"late", late},
	{"loop", loop},
	{"redirect_direct", redirect_direct},
	{"tproxy_direct", tproxy_direct},
	{"silence", silence},
	{"per_client", per_client},
	{"max_flows", max_flows},
	{"reload", reload},
};

LAB_MAIN("proxyproto", tests)
