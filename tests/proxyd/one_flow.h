/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * one_flow.h - for tests: a worker with one flow, whose time the test tells.
 *
 * The sides are socket pairs, of which the test holds the other ends. The
 * loop's clock stands still: time passes only where a test says so.
 */
#ifndef TESTS_PROXYD_ONE_FLOW_H
#define TESTS_PROXYD_ONE_FLOW_H

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

/* `text`: a policy; the flow is of its first service, and does nothing yet. */
static inline void
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
}

static inline void
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

static inline void
pass_ms(struct bench *b, uint64_t ms)
{
	b->loop.now_ms += ms;
	timers_run(&b->loop.timers, b->loop.now_ms);
}

/* Did it end for this reason? */
static inline bool
ended(const struct bench *b, enum reason reason)
{
	struct tally_sum sum = {0};

	tally_add(b->tally, 0, &sum);
	return !b->flows.n && sum.ended[reason] == 1;
}

#endif
