/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.c - a connection was accepted: where does it want to go?
 *
 * Each step ends by an event, by its timer or by an answer of the tracker's,
 * and each of them may end the flow: after a call that can do so, nothing of
 * the flow is touched. Both sockets are waited for from the start, so that a
 * client that goes away is noticed whatever the flow waits for.
 */
#include "proxyd/flow/flow.h"

#include <assert.h>
#include <errno.h>

#include "proxyd/base/sock.h"
#include "proxyd/flow/announce.h"
#include "proxyd/flow/decide.h"
#include "proxyd/flow/http.h"
#include "proxyd/flow/life.h"
#include "proxyd/flow/onward.h"
#include "proxyd/flow/pass.h"
#include "proxyd/flow/why.h"
#include "proxyd/net/origdst.h"

/* --- where to ------------------------------------------------------------- */

static void
choose_tcp(struct flow *f)
{
	enum reason reason = life_decide(f);

	if (reason == REASON_NONE)
		onward_connect(f);
	else
		life_end(f, reason);
}

static void
choose(struct flow *f)
{
	/* what is no HTTP after all goes on as it is */
	if (f->service->mode != MODE_HTTP || http_open(f))
		choose_tcp(f);
}

static void
on_origin(void *owner, const struct tracker_answer *answer)
{
	struct flow *f = owner;

	assert(f->magic == FLOW_MAGIC);
	life_answered(f);
	if (answer->error) {
		life_end(f, REASON_NO_DESTINATION);
		return;
	}
	f->peer = answer->client;
	f->destination = answer->destination;
	f->via = RECORD_VIA_CONNTRACK;
	choose(f);
}

/* The kernel may have given a redirected client another port, in our eyes. */
static void
ask_origin(struct flow *f)
{
	const struct tracker_ask ask = {
		.kind = TRACKER_ORIGIN,
		.from = sock_name(f->client.fd),
		.to = f->peer,
	};

	life_enter(f, STEP_ORIGIN);
	life_ask(f, &ask, on_origin);
}

/* Tproxy leaves the destination as it is: never ask conntrack about it. */
static void
take_destination(struct flow *f)
{
	struct endpoint asked;

	f->destination = sock_name(f->client.fd);
	f->via = RECORD_VIA_SOCKET;
	if (!flows_is_loop(f->flows, PROTO_TCP, &f->destination))
		return;
	f->via = RECORD_VIA_LOCAL;
	/* rules that redirect, while the policy has come to tproxy? */
	if (origdst_find(f->client.fd, f->peer.addr.family, &asked) < 0 ||
	    endpoint_equal(&asked, &f->destination))
		return;
	f->destination = asked;
	f->via = RECORD_VIA_NAT;
}

/* Is it the client's socket itself? With another port, no need to ask. */
static bool
is_own_name(const struct flow *f, const struct listener *l)
{
	struct endpoint name;

	if (f->destination.port != l->endpoint.port)
		return false;
	name = sock_name(f->client.fd);
	return endpoint_equal(&f->destination, &name);
}

static void
find_destination(struct flow *f, const struct listener *l)
{
	int r;

	r = origdst_find(f->client.fd, f->peer.addr.family, &f->destination);
	/* on a box without conntrack nobody redirects */
	if (r == -ENOENT && f->kind == LISTENER_LISTEN &&
	    origdst_untracked(f->flows->count_fd)) {
		f->destination = sock_name(f->client.fd);
		r = 0;
	}
	if (r < 0)
		f->via = RECORD_VIA_NONE;
	else if (is_own_name(f, l))
		f->via = RECORD_VIA_LOCAL;
	else
		f->via = RECORD_VIA_NAT;
}

/* Who the client is, is known, and with luck, where it was going. */
static void
go_on(struct flow *f)
{
	if (f->via == RECORD_VIA_NAT && decide_needs_port(f->service))
		ask_origin(f);
	else
		choose(f);
}

/* --- what happens --------------------------------------------------------- */

/* Before anything that costs: of a flood nothing else shall be done. */
static bool
is_within_limits(struct flow *f)
{
	struct flows *fs = f->flows;
	enum limit_verdict verdict;

	verdict = limit_take(&fs->limit, f->service, &f->peer.addr,
			     fs->loop->now_ms, &f->hold);
	f->tested = verdict == LIMIT_TEST;
	return verdict != LIMIT_REFUSE;
}

static void
on_proxy_head(struct flow *f, uint32_t events)
{
	if (f->client.error)
		life_end(f, why_broken(&f->client, f->onward));
	else if (!announce_take(f, events))
		return;
	else if (is_within_limits(f))
		go_on(f);
	else
		life_end(f, REASON_LIMIT);
}

static void
on_client(void *owner, uint32_t events)
{
	struct flow *f = owner;

	assert(f->magic == FLOW_MAGIC);
	side_event(&f->client, events);
	if (f->http) {
		if (http_on(f))
			choose_tcp(f);
		return;
	}
	switch (f->step) {
	case STEP_PROXY_HEAD:
		on_proxy_head(f, events);
		break;
	case STEP_ORIGIN:
	case STEP_CONNECT:
	case STEP_EVICT:
		if (f->client.error)
			life_end(f, why_broken(&f->client, f->onward));
		break;
	case STEP_RELAY:
	case STEP_HALF:
	case STEP_RESCUE:
		pass_on(f);
		break;
	case STEP_SNIFF:
	case STEP_HEAD:
	case STEP_BODY:
	case STEP_RESPONSE:
	case STEP_ANSWER:
	case STEP_KEEP_ALIVE:
	case STEP_LINGER:
	case STEP_COUNT:
		assert(0);
	}
}

static void
on_timer(void *owner)
{
	struct flow *f = owner;

	assert(f->magic == FLOW_MAGIC);
	if (!f->http)
		pass_timer(f);
	else if (http_late(f))
		choose_tcp(f);
}

/* No header makes good that it came to a capture port by itself. */
static bool
waits_for_header(const struct flow *f)
{
	if (!f->service->accept_proxy)
		return false;
	return f->kind == LISTENER_LISTEN || f->via == RECORD_VIA_SOCKET ||
	       f->via == RECORD_VIA_NAT;
}

void
flow_open(struct flows *fs, const struct listener *l, int fd,
	  const struct endpoint *peer)
{
	struct flow *f;

	flows_began(fs, l->service);
	f = life_new(fs, l, fd, on_timer);
	if (!f) {
		flows_ended(fs, l->service, REASON_RESOURCES, 0, 0);
		sock_reset(fd);
		return;
	}
	flows_show(fs);
	f->peer = *peer;
	/* with `accept-proxy` it is not known yet whose limits they are */
	if (!f->service->accept_proxy && !is_within_limits(f)) {
		life_end(f, REASON_LIMIT);
		return;
	}
	if (f->kind == LISTENER_TPROXY)
		take_destination(f);
	else
		find_destination(f, l);
	if (loop_add(fs->loop, &f->client_source, fd, SIDE_EVENTS, on_client,
		     f) < 0)
		life_end(f, REASON_RESOURCES);
	else if (waits_for_header(f))
		life_enter(f, STEP_PROXY_HEAD);
	else
		go_on(f);
}

void
flow_end_all(struct flows *fs, enum reason reason)
{
	while (!LIST_EMPTY(&fs->list))
		life_end(LIST_FIRST(&fs->list), reason);
}
