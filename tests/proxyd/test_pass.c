/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_pass.c - a flow between two sides, whose time the test tells.
 *
 * The sides are socket pairs. The loop's clock stands still: time passes
 * only where a test says so.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxyd/flow/pass.h"

#include "tests/unit.h"

/* A worker with one flow. */
struct bench {
	struct policy *policy;
	struct listener listener;
	struct loop loop;
	struct shm *shm;
	struct tally *tally;
	struct access access;
	struct flows flows;
	struct flow *flow;
	int talk[2];
	int client; /* the peer's ends */
	int server;
};

static void
set_up(struct bench *b, const char *text)
{
	struct diags diags;
	int pair[2];

	memset(b, 0, sizeof(*b));
	diags_init(&diags);
	b->policy = policy_load_text("test.conf", text, strlen(text), &diags);
	diags_fini(&diags);
	CU_ASSERT_FATAL(b->policy != NULL);
	b->listener.service = &b->policy->services[0];
	b->shm = shm_new(1);
	b->tally = tally_new(b->policy, 1);
	CU_ASSERT_EQUAL_FATAL(loop_init(&b->loop), 0);
	CU_ASSERT_EQUAL(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, b->talk), 0);
	access_open(&b->access, b->policy, &(struct str){0});
	b->flows.policy = b->policy;
	b->flows.loop = &b->loop;
	b->flows.shm = b->shm;
	b->flows.own = shm_take(b->shm, 1, 0);
	b->flows.tally = tally_column(b->tally, 0);
	b->flows.access = &b->access;
	CU_ASSERT_EQUAL_FATAL(flows_init(&b->flows, b->talk[1]), 0);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	b->client = pair[1];
	b->flow = life_new(&b->flows, &b->listener, pair[0], pass_timer);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
	b->server = pair[1];
	b->flow->server.fd = pair[0];
	side_event(&b->flow->client, EPOLLOUT);
	side_event(&b->flow->server, EPOLLOUT);
	pass_begin(b->flow);
}

static void
tear_down(struct bench *b)
{
	while (!LIST_EMPTY(&b->flows.list))
		life_end(LIST_FIRST(&b->flows.list), REASON_STOPPED);
	flows_fini(&b->flows);
	access_close(&b->access);
	loop_fini(&b->loop);
	tally_free(b->tally);
	shm_free(b->shm);
	policy_free(b->policy);
	close(b->talk[0]);
	close(b->talk[1]);
	if (b->client >= 0)
		close(b->client);
	close(b->server);
}

static void
pass_ms(struct bench *b, uint64_t ms)
{
	b->loop.now_ms += ms;
	timers_run(&b->loop.timers, b->loop.now_ms);
}

/* Did it end for this reason? */
static bool
ended(const struct bench *b, enum reason reason)
{
	struct tally_sum sum = {0};

	tally_add(b->tally, 0, &sum);
	return !b->flows.n && sum.ended[reason] == 1;
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

	set_up(&b, "service web { listen tcp 80; log access none;"
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

	set_up(&b, "service web { listen tcp 80; log access none;"
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

	set_up(b, "service web { listen tcp 80; log access none }\n");
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
