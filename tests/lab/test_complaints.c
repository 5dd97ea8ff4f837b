/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_complaints.c - what users of transparent proxies complain about, and
 * no other suite shows: see tests/complaints/table.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab.h"

static const char usual[] = "gateway {\n\tinside in0\n\tuser %s\n}\n"
			    "service web {\n\tintercept tcp port 80\n}\n";

/* A new flow of each family is captured, and works. */
static void
new_flows_work(struct lab *lab)
{
	struct lab_flow f;
	int i, l;

	for (i = 0; i < 2; i++) {
		l = lab_serve(lab, lab_families[i], 80);
		lab_flow_open(lab, lab_families[i], l, NULL, 80, &f);
		CU_ASSERT(lab_flow_works(&f));
		lab_flow_close(&f);
		close(l);
	}
}

/*
 * The server knows another way to its clients: its answers never come to the
 * box. The client is told, and does not hang.
 */
static void
answers_skip_the_box(void)
{
	struct lab *lab;
	pid_t pid;
	int l, fd;

	lab = lab_begin(NULL,
			"gateway {\n\tinside in0\n\tuser %s\n"
			"\ttimeout connect 1s\n}\n"
			"service web {\n\tintercept tcp port 80\n}\n",
			&pid);
	lab_must(lab, LAB_SERVER,
		 "ip link add past type veth peer name past netns client; "
		 "ip link set past up; ip addr add 10.9.0.1/24 dev past");
	lab_must(lab, LAB_CLIENT,
		 "ip link set past up; ip addr add 10.9.0.2/24 dev past");
	lab_must(lab, LAB_SERVER, "ip route add " LAB_CLIENT4 " via 10.9.0.2");
	l = lab_serve(lab, AF_INET, 80);
	fd = lab_connect(lab, LAB_CLIENT, NULL, LAB_SERVER4 ":80", 2000);
	lab_expect_reset(fd, 3000);
	CU_ASSERT(lab_closed("connect-timeout", 1));
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* The server is where the clients are: it works with the box's address. */
static void
hairpin(void)
{
	struct endpoint peer;
	struct lab *lab;
	int l, fd, server;
	pid_t pid;

	lab = lab_begin(
		NULL,
		"gateway {\n\tinside in0\n\tuser %s\n}\n"
		"pool app {\n\tnode 10.1.0.77:8080\n"
		"\tsource gateway\n}\n"
		"service web {\n\tintercept tcp port 80\n\tuse app\n}\n",
		&pid);
	lab_must(lab, LAB_CLIENT, "ip addr add 10.1.0.77/24 dev eth0");
	l = lab_listen(lab, LAB_CLIENT, "10.1.0.77:8080");
	fd = lab_connect(lab, LAB_CLIENT, LAB_CLIENT4, LAB_SERVER4 ":80", 2000);
	server = lab_accept(l, 2000, &peer);
	CU_ASSERT_FATAL(fd >= 0 && server >= 0);
	lab_send(server, "hello");
	CU_ASSERT(lab_expect(fd, "hello", 2000));
	close(server);
	close(fd);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* A VPN's tool sets it while flows run; others tighten rp_filter. */
static void
src_valid_mark(void)
{
	static const char *const names[] = {"src_valid_mark", "rp_filter"};
	static const char *const ifaces[] = {"all", "in0", "out0", "lo"};
	struct lab_flow f;
	struct lab *lab;
	char path[64];
	size_t i, j;
	pid_t pid;
	int l;

	lab = lab_begin(NULL, usual, &pid);
	l = lab_serve(lab, AF_INET, 80);
	lab_flow_open(lab, AF_INET, l, NULL, 80, &f);
	close(l);
	for (i = 0; i < 2; i++) {
		for (j = 0; j < 4; j++) {
			snprintf(path, sizeof(path), "net/ipv4/conf/%s/%s",
				 ifaces[j], names[i]);
			lab_sysctl(lab, LAB_GATEWAY, path, "1");
		}
		CU_ASSERT(lab_flow_works(&f));
		new_flows_work(lab);
	}
	CU_ASSERT_EQUAL(lab_run(lab, LAB_GATEWAY, NULL, "netsetup doctor"), 0);
	lab_flow_close(&f);
	lab_end(lab, pid);
}

/* Said by doctor, mended by apply; the flow that was there goes on. */
static void
flush_ruleset(void)
{
	struct str out = {0};
	struct lab_flow f;
	struct lab *lab;
	pid_t pid;
	int l;

	lab = lab_begin(NULL, usual, &pid);
	l = lab_serve(lab, AF_INET, 80);
	lab_flow_open(lab, AF_INET, l, NULL, 80, &f);
	close(l);
	CU_ASSERT(lab_flow_works(&f));
	lab_must(lab, LAB_GATEWAY, "nft flush ruleset");
	CU_ASSERT_EQUAL(lab_run(lab, LAB_GATEWAY, &out, "netsetup doctor"), 2);
	UNIT_CHECK(strstr(str_text(&out), "[drift]\n    netsetup apply -f") !=
			   NULL,
		   "%s", str_text(&out));
	lab_apply(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
	CU_ASSERT(lab_flow_works(&f));
	lab_flow_close(&f);
	new_flows_work(lab);
	str_fini(&out);
	lab_end(lab, pid);
}

/* What the box itself sends is never captured. */
static void
box_itself(void)
{
	struct lab *lab;
	char at[ENDPOINT_TEXT_LEN];
	pid_t pid;
	int i, l, fd, server;

	lab = lab_begin(NULL, usual, &pid);
	for (i = 0; i < 2; i++) {
		l = lab_serve(lab, lab_families[i], 80);
		lab_at(lab, lab_families[i], LAB_HOST_SERVER, 80, at);
		fd = lab_connect(lab, LAB_GATEWAY, NULL, at, 2000);
		server = lab_accept(l, 2000, NULL);
		CU_ASSERT_FATAL(fd >= 0 && server >= 0);
		lab_send(server, "hello");
		CU_ASSERT(lab_expect(fd, "hello", 1000));
		close(fd);
		close(server);
		close(l);
	}
	new_flows_work(lab);
	CU_ASSERT(LAB_WAIT(lab_log_count("proxyd", " close=") == 2, 2000));
	lab_end(lab, pid);
}

/* Several clients at a time: each is seen as itself, and hears its own. */
static void
identities(void)
{
	enum { CLIENTS = 8 };
	int l, i, fds[CLIENTS], servers[CLIENTS];
	struct endpoint seen;
	struct lab *lab;
	char text[64];
	pid_t pid;

	lab = lab_begin(NULL, usual, &pid);
	l = lab_serve(lab, AF_INET, 80);
	for (i = 0; i < CLIENTS; i++) {
		lab_must(lab, LAB_CLIENT, "ip addr add 10.1.0.%d/24 dev eth0",
			 100 + i);
		snprintf(text, sizeof(text), "10.1.0.%d", 100 + i);
		fds[i] = lab_connect(lab, LAB_CLIENT, text, LAB_SERVER4 ":80",
				     2000);
		servers[i] = lab_accept(l, 2000, &seen);
		CU_ASSERT_FATAL(fds[i] >= 0 && servers[i] >= 0);
		CU_ASSERT_EQUAL(seen.addr.bytes[3], 100 + i);
	}
	for (i = CLIENTS - 1; i >= 0; i--) {
		snprintf(text, sizeof(text), "for %d.", i);
		lab_send(servers[i], text);
	}
	for (i = 0; i < CLIENTS; i++) {
		snprintf(text, sizeof(text), "for %d.", i);
		CU_ASSERT(lab_expect(fds[i], text, 1000));
		close(fds[i]);
		close(servers[i]);
	}
	close(l);
	lab_end(lab, pid);
}

/* Nothing waits for the client to speak: the greeting comes at once. */
static void
server_speaks_first(void)
{
	uint64_t begin;
	struct lab_flow f;
	struct lab *lab;
	pid_t pid;
	int l;

	lab = lab_begin(NULL,
			"gateway {\n\tinside in0\n\tuser %s\n}\n"
			"service mail {\n\tintercept tcp port 25\n}\n",
			&pid);
	l = lab_serve(lab, AF_INET, 25);
	lab_flow_open(lab, AF_INET, l, NULL, 25, &f);
	begin = clock_now_ms();
	lab_send(f.server, "220 hello\r\n");
	CU_ASSERT(lab_expect(f.client, "220 hello\r\n", 2000));
	CU_ASSERT(clock_now_ms() - begin < 500);
	lab_flow_close(&f);
	close(l);
	lab_end(lab, pid);
}

/* One datagram to port 443 of the server: how does it end? */
static int
knock_udp(struct lab *lab, int family)
{
	union sockaddr_any sa;
	struct endpoint to;
	char at[ENDPOINT_TEXT_LEN], byte;
	socklen_t len;
	int fd, r;

	CU_ASSERT_EQUAL_FATAL(
		endpoint_parse(lab_at(lab, family, LAB_HOST_SERVER, 443, at),
			       &to),
		0);
	len = endpoint_to_sockaddr(&to, &sa);
	fd = lab_socket(lab, LAB_CLIENT, family, SOCK_DGRAM);
	if (connect(fd, &sa.sa, len) < 0 || send(fd, "x", 1, 0) < 0)
		lab_die("udp to %s", at);
	r = (int)lab_recv(fd, &byte, 1, 1000);
	close(fd);
	return r;
}

/* QUIC does not slip past what proxies TCP: it is told to go away. */
static void
quic_refused(void)
{
	char at[ENDPOINT_TEXT_LEN];
	union sockaddr_any sa;
	struct endpoint e;
	socklen_t len;
	struct lab *lab = lab_up(NULL);
	int i, fd;

	lab_policy(lab, "gateway {\n\tinside in0\n}\n"
			"service quic {\n\tintercept udp port 443\n"
			"\ton-failure closed\n}\n");
	lab_apply(lab);
	for (i = 0; i < 2; i++) {
		lab_at(lab, lab_families[i], LAB_HOST_SERVER, 443, at);
		CU_ASSERT_EQUAL_FATAL(endpoint_parse(at, &e), 0);
		len = endpoint_to_sockaddr(&e, &sa);
		fd = lab_socket(lab, LAB_SERVER, lab_families[i], SOCK_DGRAM);
		CU_ASSERT_EQUAL(bind(fd, &sa.sa, len), 0);
		CU_ASSERT_EQUAL(knock_udp(lab, lab_families[i]), -ECONNREFUSED);
		CU_ASSERT_EQUAL(lab_recv(fd, at, 1, 100), -ETIMEDOUT);
		close(fd);
	}
	lab_down(lab);
}

/* In a container of its own, with no right outside of it. */
static void
container(void)
{
	struct lab *lab = lab_up(NULL);
	struct str out = {0};
	int r;

	lab_policy(lab, usual, "root");
	r = lab_run(lab, LAB_GATEWAY, &out,
		    "unshare -rn sh -ec 'ip link set lo up; "
		    "ip link add in0 type veth peer name far; "
		    "ip addr add 192.0.2.1/24 dev in0; ip link set in0 up; "
		    "netsetup apply -f " LAB_DIR "/policy.conf; "
		    "nft list table inet interpose | grep -c redirect; "
		    "netsetup remove; nft list ruleset'");
	UNIT_CHECK(r == 0, "%s", str_text(&out));
	UNIT_STRINGS(str_text(&out), "1\n");
	str_fini(&out);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"answers_skip_the_box", answers_skip_the_box},
	{"hairpin", hairpin},
	{"src_valid_mark", src_valid_mark},
	{"flush_ruleset", flush_ruleset},
	{"box_itself", box_itself},
	{"identities", identities},
	{"server_speaks_first", server_speaks_first},
	{"quic_refused", quic_refused},
	{"container", container},
};

LAB_MAIN("complaints", tests)
