/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pass.c - a flow between two sides, whose time the test tells. */
#include "tests/proxyd/one_flow.h"

static void
begin(struct bench *b, const char *text)
{
	set_up(b, text);
	pass_begin(b->flow);
}

static void
client_says(struct bench *b, uint32_t events)
{
	side_event(&b->flow->client, events);
	pass_on(b->flow);
}

/* From the last byte on, to the millisecond. */
static void
idle(void)
{
	struct bench b;

	begin(&b, "service web { listen tcp 80; log access none;"
		  " timeout idle 10s }\n");
	pass_ms(&b, 9000);
	CU_ASSERT_EQUAL(send(b.client, "x", 1, 0), 1);
	client_says(&b, EPOLLIN);
	pass_ms(&b, 9999);
	CU_ASSERT_EQUAL(b.flows.n, 1);
	pass_ms(&b, 1);
	CU_ASSERT(ended(&b, REASON_IDLE_TIMEOUT));
	tear_down(&b);
}

static void
half_closed(void)
{
	struct bench b;

	begin(&b, "service web { listen tcp 80; log access none;"
		  " timeout half-closed 5s }\n");
	pass_ms(&b, 60000);
	shutdown(b.client, SHUT_WR);
	client_says(&b, EPOLLIN | EPOLLRDHUP);
	pass_ms(&b, 4999);
	CU_ASSERT_EQUAL(b.flows.n, 1);
	pass_ms(&b, 1);
	CU_ASSERT(ended(&b, REASON_HALF_CLOSED_TIMEOUT));
	tear_down(&b);
}

/* Bulk up to a server that does not read, and then the client resets. */
static void
reset_in_bulk(struct bench *b)
{
	static const char block[65536];
	ssize_t n = 1;

	begin(b, "service web { listen tcp 80; log access none }\n");
	while (n > 0) {
		n = send(b->client, block, sizeof(block), 0);
		n += send(b->client, block, sizeof(block), 0);
		client_says(b, EPOLLIN);
	}
	CU_ASSERT(relay_holds(&b->flow->server));
	/* a socket pair resets when it is closed with bytes unread */
	CU_ASSERT_EQUAL(send(b->flow->client.fd, "x", 1, 0), 1);
	close(b->client);
	b->client = -1;
	client_says(b, EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR);
	CU_ASSERT_EQUAL(b->flows.n, 1);
}

/* The server has a second to take what came before the reset. */
static void
rescue_in_vain(void)
{
	struct bench b;
	int i;

	reset_in_bulk(&b);
	for (i = 0; i < 980; i += 20)
		pass_ms(&b, 20);
	CU_ASSERT_EQUAL(b.flows.n, 1);
	pass_ms(&b, 20);
	CU_ASSERT(ended(&b, REASON_CLIENT_RESET));
	tear_down(&b);
}

static void
rescue(void)
{
	char sink[65536];
	struct bench b;
	int i;

	reset_in_bulk(&b);
	for (i = 0; i < 20 && b.flows.n; i++) {
		while (recv(b.server, sink, sizeof(sink), 0) > 0)
			;
		side_event(&b.flow->server, EPOLLOUT);
		pass_ms(&b, 20);
	}
	CU_ASSERT(i < 20);
	CU_ASSERT(ended(&b, REASON_CLIENT_RESET));
	tear_down(&b);
}

static const struct unit_test tests[] = {
	{"idle", idle},
	{"half_closed", half_closed},
	{"rescue_in_vain", rescue_in_vain},
	{"rescue", rescue},
};

UNIT_MAIN("pass", tests)
