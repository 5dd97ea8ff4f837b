/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_announce.c - a header at the beginning of a flow, and in its place. */
#include "proxyd/flow/announce.h"

#include "tests/proxyd/one_flow.h"

#define HEADER "PROXY TCP4 10.1.0.2 10.2.0.2 1000 80\r\n"

static void
begin(struct bench *b, const char *more)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "pool app { node 10.9.0.1:80 %s }\n"
		 "service web { listen tcp 80; use app; log access none;"
		 " accept-proxy; timeout head 5s }\n",
		 more);
	set_up(b, text);
	b->flow->peer.addr = (struct addr){AF_INET, {10, 1, 0, 9}};
	b->flow->via = RECORD_VIA_LOCAL;
	/* it has no server yet */
	close(b->flow->server.fd);
	b->flow->server.fd = -1;
	life_enter(b->flow, STEP_PROXY_HEAD);
}

static bool
says(struct bench *b, const char *text, size_t len, uint32_t events)
{
	if (len)
		CU_ASSERT_EQUAL(send(b->client, text, len, 0), (ssize_t)len);
	side_event(&b->flow->client, events);
	return announce_take(b->flow, events);
}

/* Byte after byte, and the last one with all that follows. */
static void
slowly(void)
{
	static const char all[] = HEADER "and more";
	char buf[ENDPOINT_TEXT_LEN], rest[64];
	struct bench b;
	size_t i, n;

	begin(&b, "");
	for (i = 0; i < sizeof(HEADER) - 2; i++)
		CU_ASSERT_FALSE_FATAL(says(&b, all + i, 1, EPOLLIN));
	CU_ASSERT_TRUE_FATAL(says(&b, all + i, sizeof(all) - 1 - i, EPOLLIN));
	UNIT_STRINGS(endpoint_format(&b.flow->peer, buf), "10.1.0.2:1000");
	UNIT_STRINGS(endpoint_format(&b.flow->destination, buf), "10.2.0.2:80");
	UNIT_STRINGS(record_via_name(b.flow->via), "proxy");
	CU_ASSERT_EQUAL(b.flow->client.received, 0);
	CU_ASSERT(b.flow->client.readable);
	n = side_receive(&b.flow->client, rest, sizeof(rest));
	CU_ASSERT(n == 8 && !memcmp(rest, "and more", 8));
	CU_ASSERT_EQUAL(b.flow->client.received, 8);
	tear_down(&b);
}

/* The connection's own addresses hold. */
static void
local(void)
{
	static const char header[] = "PROXY UNKNOWN\r\n";
	char buf[ENDPOINT_TEXT_LEN];
	struct bench b;

	begin(&b, "");
	CU_ASSERT(says(&b, header, sizeof(header) - 1, EPOLLIN));
	UNIT_STRINGS(endpoint_format(&b.flow->peer, buf), "10.1.0.9");
	UNIT_STRINGS(record_via_name(b.flow->via), "local");
	tear_down(&b);
}

static void
refused(const char *text, uint32_t events, enum reason reason)
{
	struct bench b;

	begin(&b, "");
	if (events & EPOLLRDHUP) {
		(void)!send(b.client, text, strlen(text), 0);
		shutdown(b.client, SHUT_WR);
		text = "";
	}
	CU_ASSERT_FALSE(says(&b, text, strlen(text), events));
	UNIT_CHECK(ended(&b, reason), "not %s", reason_word(reason));
	tear_down(&b);
}

static void
wrong(void)
{
	refused("GET / HTTP/1.1\r\n", EPOLLIN, REASON_PROXY_HEADER);
	refused("PROXY TCP4 10.1.0.2 ", EPOLLIN | EPOLLRDHUP,
		REASON_PROXY_HEADER);
	/* nobody can be these */
	refused("PROXY TCP4 0.0.0.0 10.2.0.2 1 2\r\n", EPOLLIN,
		REASON_PROXY_HEADER);
	refused("PROXY TCP4 224.0.0.1 10.2.0.2 1 2\r\n", EPOLLIN,
		REASON_PROXY_HEADER);
	refused("PROXY TCP6 ff02::1 fd02::2 1 2\r\n", EPOLLIN,
		REASON_PROXY_HEADER);
	/* who only looks in is no mistake */
	refused("", EPOLLIN | EPOLLRDHUP, REASON_CLIENT_CLOSED);
}

/* An end behind the header is the client's. */
static void
whole_and_over(void)
{
	struct bench b;

	begin(&b, "");
	CU_ASSERT_EQUAL(send(b.client, HEADER, sizeof(HEADER) - 1, 0),
			sizeof(HEADER) - 1);
	shutdown(b.client, SHUT_WR);
	CU_ASSERT(says(&b, "", 0, EPOLLIN | EPOLLRDHUP));
	CU_ASSERT(!b.flow->client.eof && b.flow->client.readable &&
		  b.flow->client.hungry);
	tear_down(&b);
}

/* Bytes that trickle in do not buy time; and nothing spins meanwhile. */
static void
too_late(void)
{
	struct bench b;
	int i;

	begin(&b, "");
	for (i = 0; i < 4; i++) {
		pass_ms(&b, 1000);
		CU_ASSERT(b.flow->timer.due_ms > b.loop.now_ms + 1);
		CU_ASSERT(!says(&b, "PROXY" + i, 1, EPOLLIN));
	}
	pass_ms(&b, 999);
	CU_ASSERT_EQUAL(b.flows.n, 1);
	pass_ms(&b, 1);
	CU_ASSERT(ended(&b, REASON_PROXY_HEADER));
	tear_down(&b);
}

/* What the server gets. */
static void
builds(const char *pool, const char *want)
{
	char buf[PROXYPROTO_BUILD_MAX];
	struct bench b;
	size_t len;

	begin(&b, pool);
	CU_ASSERT(says(&b, HEADER, sizeof(HEADER) - 1, EPOLLIN));
	b.flow->decision.pool = b.flow->service->pool;
	len = announce_build(b.flow, buf);
	buf[len] = '\0';
	UNIT_STRINGS(buf, want);
	tear_down(&b);
}

static void
build(void)
{
	builds("", "");
	builds("; send-proxy v1", HEADER);
	builds("; send-proxy v2", "\r\n\r\n");
}

static const struct unit_test tests[] = {
	{"slowly", slowly},	{"local", local},
	{"wrong", wrong},	{"whole_and_over", whole_and_over},
	{"too_late", too_late}, {"build", build},
};

UNIT_MAIN("announce", tests)
