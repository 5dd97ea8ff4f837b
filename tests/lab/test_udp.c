/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_udp.c - what netsetup's rules do with datagrams. The test stands in
 * for proxyd: it listens at the capture port, is alive by the heartbeat that
 * proxyd would send, answers from the address that the client asked, and asks
 * the server as the policy's source says.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/policy.h"
#include "tests/lab/lab.h"

enum { WAIT_MS = 2000, QUIET_MS = 60, CLIENT_PORT = 45680, PORT = 53 };

static const struct lab_options plain = {0};
static const struct lab_options masquerades = {.masquerade = true};

struct stand {
	struct lab *lab;
	struct policy *policy; /* owns */
	const struct policy_service *service;
	int family;
	int beat;     /* owns */
	int listener; /* owns: at the capture port */
	int server;   /* owns: at the server's port */
};

/* --- sockets -------------------------------------------------------------- */

static void
set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		lab_die("option %d: %s", option, strerror(errno));
}

/* A socket of the gateway's that may have any address. `mark` 0: none. */
static int
any_socket(struct stand *s, uint32_t mark)
{
	int fd = lab_socket(s->lab, LAB_GATEWAY, s->family, SOCK_DGRAM);

	if (s->family == AF_INET6)
		set(fd, SOL_IPV6, IPV6_TRANSPARENT, 1);
	else
		set(fd, SOL_IP, IP_TRANSPARENT, 1);
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (mark)
		set(fd, SOL_SOCKET, SO_MARK, (int)mark);
	return fd;
}

static void
bind_to(int fd, const struct endpoint *e)
{
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(e, &sa);
	char text[ENDPOINT_TEXT_LEN];

	if (bind(fd, &sa.sa, len) < 0)
		lab_die("bind to %s: %s", endpoint_format(e, text),
			strerror(errno));
}

static void
connect_to(int fd, const struct endpoint *e)
{
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(e, &sa);

	if (connect(fd, &sa.sa, len) < 0)
		lab_die("connect: %s", strerror(errno));
}

static struct endpoint
host(struct stand *s, enum lab_host which, unsigned int port)
{
	struct endpoint e = {0};
	char text[ENDPOINT_TEXT_LEN];

	lab_at(s->lab, s->family, which, port, text);
	endpoint_parse(text, &e);
	return e;
}

static struct endpoint
anywhere(struct stand *s, uint16_t port)
{
	struct endpoint e = {.port = port};

	e.addr.family = (uint8_t)s->family;
	return e;
}

/*
 * Wait `ms` for a datagram: is it `text`? *ret_from is who sent it. With
 * `text` NULL: does none come?
 */
static bool
receive(int fd, const char *text, unsigned int ms, struct endpoint *ret_from)
{
	union sockaddr_any sa = {0};
	socklen_t len = sizeof(sa);
	char buf[64] = "";
	ssize_t n = -1;

	LAB_WAIT((n = recvfrom(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT, &sa.sa,
			       &len)) >= 0 ||
			 errno != EAGAIN,
		 ms);
	if (ret_from && n >= 0)
		*ret_from = endpoint_from_sockaddr(&sa);
	return text ? n >= 0 && !strcmp(buf, text) : n < 0 && errno == EAGAIN;
}

static void
send_to(int fd, const struct endpoint *to, const char *text)
{
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(to, &sa);

	if (sendto(fd, text, strlen(text), 0, &sa.sa, len) < 0)
		lab_die("sendto: %s", strerror(errno));
}

/* --- the stand ------------------------------------------------------------ */

/* Say that the service is alive in the stand's family, as proxyd does. */
static void
beat(struct stand *s)
{
	uint64_t digest = policy_alive_digest(s->service);
	struct endpoint to = anywhere(s, 9);
	union sockaddr_any sa;
	uint8_t bytes[8];
	socklen_t len;
	int i;

	for (i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(digest >> (56 - 8 * i));
	addr_parse(s->family == AF_INET6 ? "::1" : "127.0.0.1", &to.addr);
	len = endpoint_to_sockaddr(&to, &sa);
	UNIT_CHECK(sendto(s->beat, bytes, 8, 0, &sa.sa, len) < 0 &&
			   errno == EPERM,
		   "the heartbeat was not seen");
}

static void
die(struct stand *s)
{
	char name[POLICY_ALIVE_SET_LEN];

	lab_must(s->lab, LAB_GATEWAY, "nft flush set inet interpose %s",
		 policy_alive_set(s->service, name));
}

static bool
is_tproxy(const struct stand *s)
{
	return s->service->intercepts[0].via == VIA_TPROXY;
}

static void
open_sockets(struct stand *s, int family)
{
	struct endpoint at;
	uint32_t tproxied = policy_mark_tproxied(s->policy);

	s->family = family;
	s->beat = lab_socket(s->lab, LAB_GATEWAY, family, SOCK_DGRAM);
	set(s->beat, SOL_SOCKET, SO_MARK, (int)tproxied);
	if (is_tproxy(s))
		s->listener = any_socket(s, tproxied);
	else
		s->listener =
			lab_socket(s->lab, LAB_GATEWAY, family, SOCK_DGRAM);
	if (family == AF_INET6)
		set(s->listener, SOL_IPV6, IPV6_V6ONLY, 1);
	at = anywhere(s, s->service->capture_port);
	bind_to(s->listener, &at);
	s->server = lab_socket(s->lab, LAB_SERVER, family, SOCK_DGRAM);
	at = host(s, LAB_HOST_SERVER, PORT);
	bind_to(s->server, &at);
	beat(s);
}

static void
close_sockets(struct stand *s)
{
	close(s->beat);
	close(s->listener);
	close(s->server);
}

/* `more` stands in the service, `source` in its pool. */
static void
stand_up(struct stand *s, const struct lab_options *options, const char *via,
	 const char *source, const char *more)
{
	struct diags d;

	memset(s, 0, sizeof(*s));
	s->lab = lab_up(options);
	lab_policy(s->lab,
		   "gateway {\n inside in*\n outside out0\n"
		   " alive-timeout 60s\n%s}\n"
		   "pool original {\n node original\n source %s\n}\n"
		   "service dns {\n intercept udp port 53 via %s\n%s}\n",
		   "", source, via, more);
	lab_apply(s->lab);
	lab_watch_direct(s->lab);
	diags_init(&d);
	s->policy = policy_load(LAB_DIR "/policy.conf", &d);
	diags_fini(&d);
	if (!s->policy)
		lab_die("policy");
	s->service = &s->policy->services[0];
}

static void
stand_down(struct stand *s)
{
	policy_free(s->policy);
	lab_down(s->lab);
}

/* The client, with its port, towards the server's. */
static int
open_client(struct stand *s, uint16_t port)
{
	struct endpoint from = host(s, LAB_HOST_CLIENT, port);
	struct endpoint to = host(s, LAB_HOST_SERVER, PORT);
	int fd = lab_socket(s->lab, LAB_CLIENT, s->family, SOCK_DGRAM);

	bind_to(fd, &from);
	connect_to(fd, &to);
	return fd;
}

/* The leg to the server, as the policy's source says. */
static int
open_upstream(struct stand *s, const struct endpoint *client)
{
	const struct policy_gateway *g = &s->policy->gateway;
	enum source_kind kind = s->service->pool->source;
	struct endpoint to = host(s, LAB_HOST_SERVER, PORT), from = *client;
	int fd;

	if (kind == SOURCE_GATEWAY) {
		fd = lab_socket(s->lab, LAB_GATEWAY, s->family, SOCK_DGRAM);
	} else {
		fd = any_socket(s, g->mark_upstream);
		if (kind == SOURCE_CLIENT)
			from.port = 0;
		bind_to(fd, &from);
	}
	connect_to(fd, &to);
	return fd;
}

/* Answer the client from the address that it asked. */
static void
answer(struct stand *s, const struct endpoint *client, const char *text)
{
	struct endpoint asked = host(s, LAB_HOST_SERVER, PORT);
	int fd = s->listener;

	if (is_tproxy(s)) {
		fd = any_socket(s, policy_mark_tproxied(s->policy));
		bind_to(fd, &asked);
	}
	send_to(fd, client, text);
	if (fd != s->listener)
		close(fd);
}

/* --- tests ---------------------------------------------------------------- */

/* Is it the stand that gets the client's datagram? *ret_client sent it. */
static bool
captured(struct stand *s, int client, struct endpoint *ret_client)
{
	lab_send(client, "question");
	return receive(s->listener, "question", WAIT_MS, ret_client);
}

/* Does the server get it from the client itself, and the client the answer? */
static bool
routed(struct stand *s, int client)
{
	struct endpoint from;

	lab_send(client, "directly");
	if (!receive(s->server, "directly", WAIT_MS, &from))
		return false;
	send_to(s->server, &from, "at once");
	return receive(client, "at once", WAIT_MS, NULL);
}

static bool
refused(struct stand *s, int client)
{
	char c;

	lab_send(client, "anybody?");
	return lab_recv(client, &c, 1, WAIT_MS) == -ECONNREFUSED &&
	       receive(s->server, NULL, QUIET_MS, NULL);
}

static void
check_seen(struct stand *s, const struct endpoint *seen)
{
	enum source_kind kind = s->service->pool->source;
	bool client = kind != SOURCE_GATEWAY && !s->lab->options.masquerade;
	struct endpoint want = host(
		s, client ? LAB_HOST_CLIENT : LAB_HOST_OUTSIDE, CLIENT_PORT);
	char text[ENDPOINT_TEXT_LEN];

	UNIT_CHECK(addr_equal(&seen->addr, &want.addr) &&
			   (!client || kind != SOURCE_CLIENT_PORT ||
			    seen->port == want.port),
		   "the server sees %s", endpoint_format(seen, text));
}

/* There and back, twice, and an answer that nobody asked for any more. */
static void
check_flow(struct stand *s)
{
	struct endpoint peer = {0}, seen = {0};
	int client = open_client(s, CLIENT_PORT), up, i;

	CU_ASSERT(captured(s, client, &peer));
	up = open_upstream(s, &peer);
	for (i = 0; i < 2; i++) {
		lab_send(up, "question");
		CU_ASSERT(receive(s->server, "question", WAIT_MS, &seen));
		check_seen(s, &seen);
		send_to(s->server, &seen, "answer");
		CU_ASSERT(receive(up, "answer", WAIT_MS, NULL));
		answer(s, &peer, "answer");
		CU_ASSERT(receive(client, "answer", WAIT_MS, NULL));
		CU_ASSERT(captured(s, client, &peer));
	}
	/* its socket is gone: the client must not get it */
	close(up);
	send_to(s->server, &seen, "late");
	CU_ASSERT(receive(client, NULL, QUIET_MS, NULL));
	CU_ASSERT_EQUAL(lab_direct(s->lab), 0);
	close(client);
}

static void
flows(void)
{
	static const char *const vias[] = {"tproxy", "redirect"};
	static const char *const sources[] = {"gateway", "client",
					      "client-port"};
	struct stand s;
	int i;

	for (i = 0; i < 2 * 3 * 2; i++) {
		stand_up(&s, i & 1 ? &masquerades : &plain, vias[i / 2 % 2],
			 sources[i / 4], "");
		open_sockets(&s, AF_INET);
		check_flow(&s);
		close_sockets(&s);
		open_sockets(&s, AF_INET6);
		check_flow(&s);
		close_sockets(&s);
		stand_down(&s);
	}
}

/*
 * Dead and alive again, with a client that keeps its port: nothing holds it
 * in the old way.
 */
static void
check_open(struct stand *s)
{
	int client = open_client(s, CLIENT_PORT), other;
	struct endpoint peer;

	CU_ASSERT(captured(s, client, &peer));
	answer(s, &peer, "answer");
	CU_ASSERT(receive(client, "answer", WAIT_MS, NULL));
	die(s);
	CU_ASSERT(routed(s, client));
	CU_ASSERT(routed(s, client));
	other = open_client(s, CLIENT_PORT + 1);
	CU_ASSERT(routed(s, other));
	beat(s);
	CU_ASSERT(captured(s, client, &peer));
	answer(s, &peer, "again");
	CU_ASSERT(receive(client, "again", WAIT_MS, NULL));
	CU_ASSERT(captured(s, other, &peer));
	answer(s, &peer, "again");
	CU_ASSERT(receive(other, "again", WAIT_MS, NULL));
	close(other);
	close(client);
}

static void
check_closed(struct stand *s)
{
	int client = open_client(s, CLIENT_PORT), other;
	struct endpoint peer;

	CU_ASSERT(captured(s, client, &peer));
	die(s);
	CU_ASSERT(refused(s, client));
	other = open_client(s, CLIENT_PORT + 1);
	CU_ASSERT(refused(s, other));
	beat(s);
	CU_ASSERT(captured(s, client, &peer));
	close(other);
	close(client);
}

static void
with_each(const struct lab_options *options, const char *more,
	  void (*check)(struct stand *s))
{
	static const char *const vias[] = {"tproxy", "redirect"};
	struct stand s;
	int i;

	for (i = 0; i < 2; i++) {
		stand_up(&s, options, vias[i], "client-port", more);
		open_sockets(&s, AF_INET);
		check(&s);
		close_sockets(&s);
		open_sockets(&s, AF_INET6);
		check(&s);
		close_sockets(&s);
		stand_down(&s);
	}
}

static void
open_when_dead(void)
{
	with_each(&plain, "", check_open);
	with_each(&masquerades, "", check_open);
}

static void
closed_when_dead(void)
{
	with_each(&plain, " on-failure closed\n", check_closed);
}

/* Nobody comes to a capture port directly. */
static void
check_guards(struct stand *s)
{
	struct endpoint at = host(s, LAB_HOST_GATEWAY, PORT);
	struct endpoint peer = {0};
	union sockaddr_any sa;
	socklen_t len;
	int client, fd;
	char c;

	at.port = s->service->capture_port;
	fd = lab_socket(s->lab, LAB_CLIENT, s->family, SOCK_DGRAM);
	connect_to(fd, &at);
	lab_send(fd, "here");
	CU_ASSERT_EQUAL(lab_recv(fd, &c, 1, WAIT_MS), -ECONNREFUSED);
	CU_ASSERT(receive(s->listener, NULL, 0, NULL));
	close(fd);
	if (is_tproxy(s))
		return;
	/* an answer whose redirection was forgotten does not leave */
	client = open_client(s, CLIENT_PORT);
	CU_ASSERT(captured(s, client, &peer));
	lab_must(s->lab, LAB_GATEWAY, "conntrack -F");
	len = endpoint_to_sockaddr(&peer, &sa);
	CU_ASSERT(sendto(s->listener, "late", 4, 0, &sa.sa, len) < 0 &&
		  errno == EPERM);
	CU_ASSERT(receive(client, NULL, QUIET_MS, NULL));
	close(client);
}

static void
guards(void)
{
	with_each(&plain, "", check_guards);
}

static void
check_excepts(struct stand *s)
{
	int client = open_client(s, CLIENT_PORT);

	CU_ASSERT(routed(s, client));
	close(client);
}

static void
excepts(void)
{
	with_each(&plain, " except to " LAB_SERVER4 ", " LAB_SERVER6 "\n",
		  check_excepts);
	with_each(&plain, " except port 50-60\n", check_excepts);
}

/* How long conntrack will remember the flow that it may forget first. */
static unsigned int
shortest(struct stand *s)
{
	unsigned int least = UINT_MAX, seconds;
	struct str out = {0};
	const char *at;

	lab_run(s->lab, LAB_GATEWAY, &out,
		"conntrack -L -p udp -f %s 2>/dev/null | grep dport=53",
		inet_family_name(s->family));
	for (at = str_text(&out); *at; at += strcspn(at, "\n") + 1) {
		/* "udp      17 69 src=..." */
		if (sscanf(at, "%*s %*u %u", &seconds) == 1 && seconds < least)
			least = seconds;
	}
	str_fini(&out);
	return least;
}

/* By itself conntrack forgets a flow that is not answered after 30 s. */
static void
check_timeouts(struct stand *s)
{
	int client = open_client(s, CLIENT_PORT), up;
	struct endpoint peer = {0};
	unsigned int least;

	CU_ASSERT(captured(s, client, &peer));
	up = open_upstream(s, &peer);
	lab_send(up, "question");
	CU_ASSERT(receive(s->server, "question", WAIT_MS, NULL));
	least = shortest(s);
	UNIT_CHECK(least > 95 && least <= 100, "%u s", least);
	lab_must(s->lab, LAB_GATEWAY, "conntrack -F");
	close(up);
	close(client);
}

static void
timeouts(void)
{
	with_each(&plain, " timeout idle 90s\n", check_timeouts);
}

static const struct unit_test tests[] = {
	{"flows", flows},
	{"open_when_dead", open_when_dead},
	{"closed_when_dead", closed_when_dead},
	{"guards", guards},
	{"excepts", excepts},
	{"timeouts", timeouts},
};

LAB_MAIN("udp", tests)
