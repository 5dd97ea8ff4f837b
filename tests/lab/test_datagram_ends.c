/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_datagram_ends.c - how flows of datagrams end, and what goes on after
 * that: nothing that a client sends meanwhile is lost.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab_udp.h"

/* Run `test` for both ways and both families, one proxyd for each way. */
static void
each(const struct lab_options *options, const char *more,
     void (*test)(struct lab *lab, int family, const char *via))
{
	struct lab *lab;
	pid_t pid;
	int i, k;

	for (i = 0; i < 2; i++) {
		lab = lab_udp_begin(options, lab_vias[i], "client", more, &pid);
		for (k = 0; k < 2; k++)
			test(lab, lab_families[k], lab_vias[i]);
		lab_end(lab, pid);
	}
}

/* --- nat-expired ---------------------------------------------------------- */

/* An answer whose redirection is forgotten does not leave from elsewhere. */
static void
nat_expired(void)
{
	struct endpoint seen = {0};
	int client, server, i;
	struct lab *lab;
	pid_t pid;

	lab = lab_udp_begin(NULL, "redirect", "client", "", &pid);
	for (i = 0; i < 2; i++) {
		server = lab_udp_serve(lab, lab_families[i], LAB_HOST_SERVER);
		client = lab_udp_client(lab, lab_families[i],
					LAB_UDP_CLIENT_PORT, LAB_HOST_SERVER);
		CU_ASSERT(lab_udp_asks(client, server, "question", &seen));
		lab_must(lab, LAB_GATEWAY, "conntrack -F");
		lab_udp_send(server, &seen, "late");
		CU_ASSERT(lab_closed("nat-expired", (size_t)i + 1));
		CU_ASSERT(lab_udp_quiet(client));
		/* the next question begins anew */
		CU_ASSERT(lab_udp_asks(client, server, "again", NULL));
		close(client);
		close(server);
	}
	lab_end(lab, pid);
}

/* --- responses ------------------------------------------------------------ */

/*
 * One answer to each question, also with several questions under way; then
 * the flow has ended, and the next question begins another.
 */
static void
check_responses(struct lab *lab, int family, const char *via)
{
	int server = lab_udp_serve(lab, family, LAB_HOST_SERVER), i;
	int client = lab_udp_client(lab, family, LAB_UDP_CLIENT_PORT,
				    LAB_HOST_SERVER);
	size_t ended = lab_log_count("proxyd", " close=answered");
	struct endpoint seen = {0};

	(void)via;
	CU_ASSERT(lab_udp_asks(client, server, "one", NULL));
	CU_ASSERT(lab_closed("answered", ended + 1));
	for (i = 0; i < 3; i++)
		lab_send(client, "several");
	for (i = 0; i < 3; i++) {
		CU_ASSERT(lab_udp_receives(server, "several", &seen));
		if (i < 2)
			lab_udp_send(server, &seen, "answer");
	}
	CU_ASSERT(lab_udp_receives(client, "answer", NULL));
	CU_ASSERT(lab_udp_receives(client, "answer", NULL));
	CU_ASSERT_EQUAL(lab_log_count("proxyd", " close=answered"), ended + 1);
	lab_udp_send(server, &seen, "answer");
	CU_ASSERT(lab_udp_receives(client, "answer", NULL));
	CU_ASSERT(lab_closed("answered", ended + 2));
	/* one too many comes to nobody */
	lab_udp_send(server, &seen, "more");
	CU_ASSERT(lab_udp_quiet(client));
	close(client);
	close(server);
}

static void
responses(void)
{
	each(NULL, " responses 1\n", check_responses);
}

/* A server hands its kernel several answers as one: they are several. */
static void
check_joined(struct lab *lab, int family, const char *via)
{
	enum { SIZE = 6, N = 3 };
	int server = lab_udp_serve(lab, family, LAB_HOST_SERVER), i;
	int client = lab_udp_client(lab, family, LAB_UDP_CLIENT_PORT,
				    LAB_HOST_SERVER);
	size_t ended = lab_log_count("proxyd", " close=answered");
	struct endpoint seen = {0};
	int size = SIZE;

	(void)via;
	for (i = 0; i < N; i++)
		lab_send(client, "several");
	for (i = 0; i < N; i++)
		CU_ASSERT(lab_udp_receives(server, "several", &seen));
	if (setsockopt(server, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)) < 0)
		lab_die("UDP_SEGMENT: %s", strerror(errno));
	lab_udp_send(server, &seen, "answeranswerANSWERmore");
	for (i = 0; i < N; i++)
		CU_ASSERT(lab_udp_receives(client, i < 2 ? "answer" : "ANSWER",
					   NULL));
	CU_ASSERT(lab_closed("answered", ended + 1));
	CU_ASSERT(lab_udp_quiet(client));
	close(client);
	close(server);
}

static void
joined(void)
{
	each(NULL, " responses 1\n", check_joined);
}

/* A client that never waits: each question is answered, flow after flow. */
static void
check_hasty(struct lab *lab, int family, const char *via)
{
	enum { QUESTIONS = 300, AHEAD = 3 };
	pid_t echo = lab_udp_echo(lab, family, LAB_HOST_SERVER);
	int client = lab_udp_client(lab, family, LAB_UDP_CLIENT_PORT,
				    LAB_HOST_SERVER);
	int sent = 0, got = 0;

	while (got < QUESTIONS) {
		while (sent < QUESTIONS && sent - got < AHEAD) {
			lab_send(client, "q");
			sent++;
		}
		if (!lab_udp_receives(client, "q", NULL))
			break;
		got++;
	}
	UNIT_CHECK(got == QUESTIONS, "%d answers via %s", got, via);
	close(client);
	lab_stop(lab, echo, SIGKILL, 1000);
}

static void
hasty(void)
{
	each(NULL, " responses 1\n", check_hasty);
}

/* --- icmp ----------------------------------------------------------------- */

static void
check_refused(struct lab *lab, int family, const char *via)
{
	int client = lab_udp_client(lab, family, LAB_UDP_CLIENT_PORT,
				    LAB_HOST_SERVER);
	size_t n = lab_log_count("proxyd", " close=refused");
	int server;

	(void)via;
	/* nobody is there; then there is */
	lab_send(client, "anybody?");
	CU_ASSERT(lab_closed("refused", n + 1));
	server = lab_udp_serve(lab, family, LAB_HOST_SERVER);
	CU_ASSERT(lab_udp_asks(client, server, "again", NULL));
	close(client);
	close(server);
}

static void
refused(void)
{
	each(NULL, "", check_refused);
}

/* A router beyond the box says that it does not go on. */
static void
check_unreachable(struct lab *lab, int family, const char *via)
{
	int client = lab_udp_client(lab, family, LAB_UDP_CLIENT_PORT,
				    LAB_HOST_SERVER);
	size_t n = lab_log_count("proxyd", " close=unreachable");

	(void)via;
	lab_nft(lab, LAB_ROUTER,
		"table inet closed {\n chain onward {\n"
		"  type filter hook forward priority 0;\n"
		"  udp dport 53 reject with icmpx host-unreachable\n }\n}\n");
	lab_send(client, "anybody?");
	CU_ASSERT(lab_closed("unreachable", n + 1));
	lab_nft(lab, LAB_ROUTER, "delete table inet closed");
	close(client);
}

static void
unreachable(void)
{
	static const struct lab_options options = {.router = true};

	each(&options, "", check_unreachable);
}

/* --- no room -------------------------------------------------------------- */

/*
 * Who is answered keeps its place; of the others the oldest has to go, when
 * it has had a second.
 */
static void
crowded(void)
{
	enum { FLOOD = 500 };
	char name[ENDPOINT_TEXT_LEN];
	struct str record = {0};
	int friend, server, i, fd;
	struct lab *lab;
	pid_t pid;

	lab = lab_begin(NULL,
			"gateway {\n inside in0\n user %s\n max-flows 8\n}\n"
			"service dns {\n intercept udp port 53\n}\n",
			&pid);
	server = lab_udp_serve(lab, AF_INET, LAB_HOST_SERVER);
	friend = lab_udp_client(lab, AF_INET, 0, LAB_HOST_SERVER);
	CU_ASSERT(lab_udp_asks(friend, server, "question", NULL));
	/* nobody answers there, and nobody says so */
	lab_nft(lab, LAB_SERVER,
		"table inet mute {\n chain in {\n"
		"  type filter hook input priority 0;\n"
		"  ip daddr " LAB_OTHER4 " drop\n }\n}\n");
	for (i = 0; i < FLOOD; i++) {
		fd = lab_udp_client(lab, AF_INET, 20000 + (unsigned int)i,
				    LAB_HOST_OTHER);
		lab_send(fd, "flood");
		close(fd);
		if (i % 100 == 99)
			lab_sleep(400);
	}
	CU_ASSERT(lab_udp_asks(friend, server, "still there?", NULL));
	CU_ASSERT(!lab_record(lab_name(friend, name), &record));
	CU_ASSERT(lab_logged("proxyd", "the flow table is full"));
	lab_sleep(1000);
	fd = lab_udp_client(lab, AF_INET, 0, LAB_HOST_SERVER);
	CU_ASSERT(lab_udp_asks(fd, server, "another", NULL));
	CU_ASSERT(lab_closed("crowded-out", 1));
	str_fini(&record);
	close(fd);
	close(friend);
	close(server);
	lab_end(lab, pid);
}

/*
 * A flood of datagrams that goes on and on has all the room there is: a
 * connection gets its place from it all the same.
 */
static void
crowd_gives_way(void)
{
	enum { PAUSE_MS = 4, LIMIT_MS = 4000 };
	int listener, client, server = -ETIMEDOUT, i, fd;
	char to[ENDPOINT_TEXT_LEN];
	struct lab *lab;
	pid_t pid;

	lab = lab_begin(NULL,
			"gateway {\n inside in0\n user %s\n max-flows 8\n}\n"
			"service dns {\n intercept udp port 53\n}\n"
			"service web {\n intercept tcp port 80\n}\n",
			&pid);
	listener = lab_serve(lab, AF_INET, 80);
	lab_nft(lab, LAB_SERVER,
		"table inet mute {\n chain in {\n"
		"  type filter hook input priority 0;\n"
		"  udp dport 53 drop\n }\n}\n");
	lab_at(lab, AF_INET, LAB_HOST_SERVER, 80, to);
	client = -1;
	for (i = 0; i < LIMIT_MS / PAUSE_MS && server < 0; i++) {
		fd = lab_udp_client(lab, AF_INET, 20000 + (unsigned int)i,
				    LAB_HOST_SERVER);
		lab_send(fd, "flood");
		close(fd);
		if (i == 100)
			client = lab_connect(lab, LAB_CLIENT, NULL, to, 1000);
		server = lab_accept(listener, PAUSE_MS, NULL);
	}
	UNIT_CHECK(server >= 0, "%d datagrams, and no room", i);
	CU_ASSERT(lab_logged("proxyd", "the flow table is full"));
	if (server >= 0)
		close(server);
	close(client);
	close(listener);
	lab_end(lab, pid);
}

/* --- proxyd dies ---------------------------------------------------------- */

enum { ALIVE_MS = 1000 };

/*
 * One datagram of the client's: whom does the server see, and the client get
 * an answer? "box", "client"; "nobody".
 */
static const char *
who_asks(struct lab *lab, int family, int client, int server)
{
	struct endpoint seen, box = {0};
	union sockaddr_any sa;
	socklen_t len = sizeof(sa);
	char text[ENDPOINT_TEXT_LEN], buf[16];

	endpoint_parse(lab_at(lab, family, LAB_HOST_OUTSIDE, 0, text), &box);
	while (recv(client, buf, 1, MSG_DONTWAIT) >= 0 ||
	       recv(server, buf, 1, MSG_DONTWAIT) >= 0)
		;
	lab_send(client, "tick");
	if (!LAB_WAIT(recvfrom(server, buf, sizeof(buf), MSG_DONTWAIT, &sa.sa,
			       &len) > 0,
		      300))
		return "nobody";
	seen = endpoint_from_sockaddr(&sa);
	lab_udp_send(server, &seen, "tock");
	if (!lab_udp_receives(client, "tock", NULL))
		return "nobody";
	return addr_equal(&seen.addr, &box.addr) ? "box" : "client";
}

/*
 * A client that sends twice a second, always from one port: is it proxied,
 * or routed, within the alive-timeout and a second?
 */
static void
check_becomes(struct lab *lab, int family, int client, int server,
	      const char *want, const char *via)
{
	uint64_t end_ms = clock_now_ms() + ALIVE_MS + 1000;
	const char *who;

	while (strcmp((who = who_asks(lab, family, client, server)), want) &&
	       clock_now_ms() < end_ms)
		lab_sleep(200);
	UNIT_CHECK(!strcmp(who, want), "%s via %s: %s asks, not the %s",
		   inet_family_name(family), via, who, want);
	UNIT_STRINGS(who_asks(lab, family, client, server), want);
}

/* The master alone, or all of its processes. */
static void
kill_proxyd(struct lab *lab, pid_t pid, bool all)
{
	pid_t pids[16];
	size_t n = lab_children(pid, NULL, pids, 16), i;

	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGKILL, 1000), 128 + SIGKILL);
	for (i = 0; i < n && all; i++)
		kill(pids[i], SIGKILL);
	CU_ASSERT(LAB_WAIT(!all || !lab_alive(pids[0]), 1000));
}

static void
check_killed(const char *via, int family)
{
	char policy[512];
	struct lab *lab;
	int client, server;
	pid_t pid;

	snprintf(policy, sizeof(policy),
		 "gateway {\n inside in0\n user %%s\n alive-timeout 1s\n}\n"
		 "pool original {\n node original\n}\n"
		 "service dns {\n intercept udp port 53 via %s\n}\n",
		 via);
	lab = lab_begin(NULL, policy, &pid);
	server = lab_udp_serve(lab, family, LAB_HOST_SERVER);
	client = lab_udp_client(lab, family, LAB_UDP_CLIENT_PORT,
				LAB_HOST_SERVER);
	UNIT_STRINGS(who_asks(lab, family, client, server), "box");
	kill_proxyd(lab, pid, family == AF_INET6);
	check_becomes(lab, family, client, server, "client", via);
	pid = lab_proxyd_up(lab);
	check_becomes(lab, family, client, server, "box", via);
	close(client);
	close(server);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* Routed while nobody is there, and captured again, from the same port. */
static void
killed(void)
{
	int i;

	for (i = 0; i < 4; i++)
		check_killed(lab_vias[i / 2], lab_families[i % 2]);
}

/* Told to end, it does not wait for datagrams to end, which they never do. */
static void
drained(void)
{
	struct lab *lab;
	int client, server;
	uint64_t began;
	pid_t pid;

	lab = lab_udp_begin(NULL, "tproxy", "client", "", &pid);
	server = lab_udp_serve(lab, AF_INET, LAB_HOST_SERVER);
	client = lab_udp_client(lab, AF_INET, 0, LAB_HOST_SERVER);
	CU_ASSERT(lab_udp_asks(client, server, "question", NULL));
	began = clock_now_ms();
	CU_ASSERT_EQUAL(lab_stop(lab, pid, SIGTERM, 15000), 0);
	UNIT_CHECK(clock_now_ms() - began < 6500, "ended after %u ms",
		   (unsigned int)(clock_now_ms() - began));
	CU_ASSERT(lab_closed("drain-timeout", 1));
	close(client);
	close(server);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"nat_expired", nat_expired}, {"responses", responses},
	{"joined", joined},	      {"hasty", hasty},
	{"refused", refused},	      {"unreachable", unreachable},
	{"crowded", crowded},	      {"crowd_gives_way", crowd_gives_way},
	{"killed", killed},	      {"drained", drained},
};

LAB_MAIN("datagram_ends", tests)
