/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_late.c - packets that come when nobody waits for them any more.
 *
 * With `source client` the server's packets are addressed to the client. Not
 * one of them may get there by itself: the client would answer with a reset
 * or believe it. And no server may be left with a connection that nobody
 * ends. Each with and without masquerade, for both families.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab.h"

enum { PORT = 80 };

static const char usual[] = "gateway {\n"
			    "	inside in0\n"
			    "	outside out0\n"
			    "	user %s\n"
			    "}\n"
			    "service web {\n"
			    "	intercept tcp port 80\n"
			    "}\n";

/* The same port on both legs: the late packet looks just like the client's. */
static const char same_port[] = "gateway {\n"
				"	inside in0\n"
				"	outside out0\n"
				"	user %s\n"
				"}\n"
				"pool original {\n"
				"	node original\n"
				"	source client-port\n"
				"}\n"
				"service web {\n"
				"	intercept tcp port 80\n"
				"}\n";

static const char hasty[] = "gateway {\n"
			    "	inside in0\n"
			    "	outside out0\n"
			    "	user %s\n"
			    "	timeout connect 400ms\n"
			    "	timeout idle 500ms\n"
			    "}\n"
			    "service web {\n"
			    "	intercept tcp port 80\n"
			    "}\n";

/* With and without masquerade, both families; `router` for PMTU. */
static void
grid(const char *policy, bool router,
     void (*test)(struct lab *lab, int family, int listener))
{
	struct lab_options options = {.router = router};
	struct lab *lab;
	int i, k, l;
	pid_t pid;

	for (k = 0; k < 2; k++) {
		options.masquerade = k;
		lab = lab_begin(&options, policy, &pid);
		for (i = 0; i < 2; i++) {
			l = lab_serve(lab, lab_families[i], PORT);
			test(lab, lab_families[i], l);
			close(l);
			UNIT_CHECK(lab_direct(lab) == 0, "%s%s",
				   inet_family_name(lab_families[i]),
				   k ? ", masquerade" : "");
		}
		lab_end(lab, pid);
	}
}

/* No connection of the server's is open, or still being made. */
static bool
no_server_hangs(struct lab *lab)
{
	return LAB_WAIT(lab_sockets(lab, LAB_SERVER,
				    "state connected exclude time-wait "
				    "sport = :80") == 0,
			4000);
}

/* The server is told: an error sooner or later, whatever was queued. */
static void
expect_end(int fd, const char *who)
{
	char sink[16384];
	ssize_t n;

	do
		n = lab_recv(fd, sink, sizeof(sink), 4000);
	while (n > 0);
	UNIT_CHECK(n != -ETIMEDOUT, "the %s still waits", who);
}

static void
client_resets(struct lab *lab, int family, int l)
{
	struct lab_flow f;

	lab_flow_open(lab, family, l, NULL, PORT, &f);
	lab_stuff(f.server);
	lab_stuff(f.client);
	lab_reset(f.client);
	f.client = -1;
	expect_end(f.server, "server");
	lab_flow_close(&f);
	CU_ASSERT(no_server_hangs(lab));
}

static void
server_resets(struct lab *lab, int family, int l)
{
	struct lab_flow f;

	lab_flow_open(lab, family, l, NULL, PORT, &f);
	lab_stuff(f.server);
	lab_stuff(f.client);
	lab_reset(f.server);
	f.server = -1;
	expect_end(f.client, "client");
	lab_flow_close(&f);
	CU_ASSERT(no_server_hangs(lab));
}

static void
reset_in_flight(void)
{
	grid(usual, false, client_resets);
	grid(usual, false, server_resets);
	grid(same_port, false, client_resets);
}

/*
 * proxyd is killed while both sides send: the kernel closes its sockets, and
 * what the server still has to say meets nobody.
 */
static void
killed_with(bool masquerade, const char *policy)
{
	struct lab_options options = {.masquerade = masquerade};
	pid_t pid, children[16];
	struct lab *lab = lab_begin(&options, policy, &pid);
	struct lab_flow f[2];
	int i, l[2];
	size_t n, k;

	for (i = 0; i < 2; i++) {
		l[i] = lab_serve(lab, lab_families[i], PORT);
		lab_flow_open(lab, lab_families[i], l[i], NULL, PORT, &f[i]);
		lab_stuff(f[i].server);
		lab_stuff(f[i].client);
	}
	n = lab_children(pid, NULL, children, 16);
	lab_stop(lab, pid, SIGKILL, 1000);
	for (k = 0; k < n; k++)
		kill(children[k], SIGKILL);
	for (i = 0; i < 2; i++) {
		expect_end(f[i].server, "server");
		lab_flow_close(&f[i]);
		close(l[i]);
	}
	CU_ASSERT(no_server_hangs(lab));
	CU_ASSERT_EQUAL(lab_direct(lab), 0);
	lab_down(lab);
}

static void
killed(void)
{
	killed_with(false, usual);
	killed_with(true, usual);
	killed_with(false, same_port);
}

/* The idle timeout closes both legs; only then does the server speak. */
static void
server_speaks_late(struct lab *lab, int family, int l)
{
	struct lab_flow f;

	lab_flow_open(lab, family, l, NULL, PORT, &f);
	CU_ASSERT(lab_flow_works(&f));
	/* the end of what proxyd says; the server keeps its half */
	CU_ASSERT(lab_ended(f.server, 3000));
	send(f.server, "too late", 8, MSG_NOSIGNAL);
	lab_sleep(50);
	send(f.server, "much too late", 13, MSG_NOSIGNAL);
	CU_ASSERT(LAB_WAIT(send(f.server, "!", 1, MSG_NOSIGNAL) < 0, 3000));
	lab_flow_close(&f);
	CU_ASSERT(no_server_hangs(lab));
}

static void
proxy_first(void)
{
	grid(hasty, false, server_speaks_late);
}

/*
 * The server's SYN/ACKs are lost until proxyd has given up; the next one
 * must be answered with a reset.
 */
static void
late_syn_ack(struct lab *lab, int family, int l)
{
	char to[ENDPOINT_TEXT_LEN];
	int fd;

	(void)l;
	lab_nft(lab, LAB_SERVER,
		"table inet mute {\n"
		"	chain out {\n"
		"		type filter hook output priority 0;\n"
		"		tcp sport 80 tcp flags & (syn | ack) == syn | "
		"ack"
		" drop\n"
		"	}\n"
		"}\n");
	lab_at(lab, family, LAB_HOST_SERVER, PORT, to);
	fd = lab_connect(lab, LAB_CLIENT, NULL, to, 2000);
	lab_expect_reset(fd, 2000);
	CU_ASSERT(lab_closed("connect-timeout", family == AF_INET ? 1 : 2));
	CU_ASSERT(lab_sockets(lab, LAB_SERVER, "state syn-recv") > 0);
	lab_nft(lab, LAB_SERVER, "delete table inet mute");
	CU_ASSERT(LAB_WAIT(lab_sockets(lab, LAB_SERVER, "state syn-recv") == 0,
			   4000));
}

static void
syn_ack(void)
{
	grid(hasty, false, late_syn_ack);
}

/* Conntrack forgets everything, when what was there before has settled. */
static void
forget_all(struct lab *lab)
{
	lab_must(lab, LAB_GATEWAY, "nft flush set inet interpose settling");
	lab_must(lab, LAB_GATEWAY, "conntrack -F");
}

/* The flow goes on when the client speaks. */
static void
forget(struct lab *lab, int family, int l)
{
	struct lab_flow f;

	lab_flow_open(lab, family, l, NULL, PORT, &f);
	CU_ASSERT(lab_flow_works(&f));
	forget_all(lab);
	lab_send(f.client, "do you remember me?");
	CU_ASSERT(lab_expect(f.server, "remember me?", 2000));
	lab_send(f.server, "of course");
	CU_ASSERT(lab_expect(f.client, "of course", 2000));
	lab_flow_close(&f);
	CU_ASSERT(no_server_hangs(lab));
}

/*
 * The server speaks first: not a byte of it may leave by itself. What the
 * client says now reaches nobody, so it is the idle timeout that ends it.
 */
static void
forget_and_hear(struct lab *lab, int family, int l)
{
	struct lab_flow f;

	/* a remembered route would hide what the rules do not do */
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv4/tcp_early_demux", "0");
	lab_flow_open(lab, family, l, NULL, PORT, &f);
	CU_ASSERT(lab_flow_works(&f));
	forget_all(lab);
	send(f.server, "hello?", 6, MSG_NOSIGNAL);
	lab_sleep(300);
	lab_reset(f.client);
	f.client = -1;
	expect_end(f.server, "server");
	lab_flow_close(&f);
	CU_ASSERT(no_server_hangs(lab));
}

static void
conntrack_flushed(void)
{
	grid(usual, false, forget);
	grid(hasty, false, forget_and_hear);
}

/* Big packets of the upstream leg meet a small link behind the router. */
static void
upload(struct lab *lab, int family, int l)
{
	struct lab_flow f;
	size_t got = 0, size = 400000;
	char *data = calloc(1, size);
	ssize_t n;

	CU_ASSERT_PTR_NOT_NULL_FATAL(data);
	lab_must(lab, LAB_ROUTER, "ip link set far0 mtu 1300");
	lab_flow_open(lab, family, l, NULL, PORT, &f);
	while (got < size) {
		n = send(f.client, data, 20000, MSG_NOSIGNAL);
		CU_ASSERT_FATAL(n > 0);
		got += (size_t)n;
	}
	shutdown(f.client, SHUT_WR);
	size = got;
	got = 0;
	while ((n = lab_recv(f.server, data, 400000, 3000)) > 0)
		got += (size_t)n;
	UNIT_CHECK(n == 0 && got == size, "%zu bytes of %zu, end %zd", got,
		   size, n);
	free(data);
	lab_flow_close(&f);
	CU_ASSERT(no_server_hangs(lab));
}

static void
pmtu(void)
{
	grid(usual, true, upload);
}

/* ICMP port unreachable ends the connect, as a refusal does. */
static void
unreachable(struct lab *lab, int family, int l)
{
	char to[ENDPOINT_TEXT_LEN];
	uint64_t began = clock_now_ms();
	int fd;

	(void)l;
	if (family == AF_INET)
		lab_nft(lab, LAB_SERVER,
			"table inet deny {\n"
			"	chain in {\n"
			"		type filter hook input priority 0;\n"
			"		tcp dport 80 reject with icmpx "
			"port-unreachable\n"
			"	}\n"
			"}\n");
	lab_at(lab, family, LAB_HOST_SERVER, PORT, to);
	fd = lab_connect(lab, LAB_CLIENT, NULL, to, 2000);
	lab_expect_reset(fd, 3000);
	UNIT_CHECK(clock_now_ms() - began < 2000, "it took too long");
	CU_ASSERT(lab_closed("refused", family == AF_INET ? 1 : 2));
}

static void
port_unreachable(void)
{
	grid(usual, false, unreachable);
	grid(same_port, false, unreachable);
}

static const struct unit_test tests[] = {
	{"reset_in_flight", reset_in_flight},
	{"killed", killed},
	{"proxy_first", proxy_first},
	{"syn_ack", syn_ack},
	{"conntrack_flushed", conntrack_flushed},
	{"pmtu", pmtu},
	{"port_unreachable", port_unreachable},
};

LAB_MAIN("late", tests)
