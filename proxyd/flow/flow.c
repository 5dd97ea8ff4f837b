/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.c - the life of a flow.
 *
 * Each step ends by an event, by its timer or by an answer of the tracker's,
 * and each of them may end the flow: after a call that can do so, nothing of
 * the flow is touched. Both sockets are waited for from the start, so that a
 * client that goes away is noticed whatever the flow waits for.
 */
#include "proxyd/flow/flow.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#include "proxyd/base/sock.h"
#include "proxyd/flow/decide.h"
#include "proxyd/flow/why.h"
#include "proxyd/net/origdst.h"

enum {
	MAGIC = 0x464c4f57, /* "FLOW" */
	RESCUE_POLL_MS = 20,
	FIXED = TIMEOUT_COUNT, /* steps_tbl.h: the limit is in the table */
};

/* steps_tbl.h: as known already */
#define REASON_KEEP REASON_NONE

enum step {
#define STEP(name, limit, ms, reason, waits_for) STEP_##name,
#include "proxyd/flow/steps_tbl.h"
#undef STEP
	STEP_COUNT,
};

struct step_row {
	int limit; /* enum timeout_kind, or FIXED */
	uint32_t ms;
	enum reason reason;
};

static const struct step_row steps[STEP_COUNT] = {
#define STEP(name, limit, ms, reason, waits_for)                               \
	[STEP_##name] = {limit, ms, REASON_##reason},
#include "proxyd/flow/steps_tbl.h"
#undef STEP
};

enum first {
	FIRST_NOBODY,
	FIRST_CLIENT,
	FIRST_SERVER,
};

struct flow {
	uint32_t magic;
	LIST_ENTRY(flow) link;
	struct flows *flows;		      /* borrows */
	const struct policy_service *service; /* borrows from the policy */
	enum listener_kind kind;
	bool retried;	 /* connect() was tried again after EPERM */
	bool port_taken; /* the client's port could not be kept */
	enum step step;
	enum first first;   /* who sent its end first */
	enum reason reason; /* STEP_RESCUE: why it ends */
	enum record_via via;
	struct endpoint peer; /* the client */
	struct endpoint local;
	struct endpoint destination;
	struct endpoint source;
	struct decision decision;
	struct side client;
	struct side server;
	struct loop_source client_source;
	struct loop_source server_source;
	struct timer timer;
	struct question question;
	uint32_t serial;
	uint64_t opened_ms;
	uint64_t step_ms; /* when the step began, or bytes last moved in it */
	int64_t ms_connect;
};

/* --- the record ----------------------------------------------------------- */

static const char *
note_of(const struct flow *f)
{
	if (f->port_taken)
		return f->retried ? "port-taken,stale-entry" : "port-taken";
	return f->retried ? "stale-entry" : NULL;
}

static void
write_record(struct flow *f, enum reason reason)
{
	struct flows *fs = f->flows;
	struct record r = {
		.service = f->service->name,
		.mode = f->service->mode,
		.client = f->peer,
		.local = f->local,
		.destination = f->destination,
		.via = f->via,
		.source = f->source,
		.pool = f->service->pool->name,
		.node = f->decision.upstream.target,
		.bytes_in = f->client.received,
		.bytes_out = f->client.sent,
		.ms_connect = f->ms_connect,
		.ms_total = (int64_t)(fs->loop->now_ms - f->opened_ms),
		.close = reason,
		.note = note_of(f),
	};

	if (!access_wanted(fs->access, f->service))
		return;
	clock_stamp(r.time);
	snprintf(r.id, sizeof(r.id), "%08" PRIx32 "-%" PRIx32, fs->epoch,
		 f->serial);
	access_write(fs->access, f->service, &r);
}

/* Some refusals ask for something to be done: say so, now and then. */
static void
complain(struct flow *f, enum reason reason)
{
	static const bool said[REASON_COUNT] = {
		[REASON_NO_DESTINATION] = true, [REASON_TRACKER_TIMEOUT] = true,
		[REASON_DIRECT] = true,		[REASON_LOOP] = true,
		[REASON_FAMILY] = true,		[REASON_NO_RETURN_PATH] = true,
		[REASON_NO_PORT] = true,	[REASON_RESOURCES] = true,
	};
	char from[ENDPOINT_TEXT_LEN], to[ENDPOINT_TEXT_LEN], more[64] = "";
	struct flows *fs = f->flows;
	uint64_t held;

	if (!said[reason] ||
	    !limiter_pass(&fs->said[reason], fs->loop->now_ms, &held))
		return;
	if (held)
		snprintf(more, sizeof(more), " (and %" PRIu64 " before)", held);
	log_warn("service %s: flow from %s to %s refused, %s: %s%s",
		 f->service->name, endpoint_format(&f->peer, from),
		 endpoint_format(&f->destination, to), reason_word(reason),
		 reason_meaning(reason), more);
}

/* --- beginning and end ---------------------------------------------------- */

static struct flow *
flow_new(struct flows *fs, const struct listener *l, int fd)
{
	struct flow *f;

	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->magic = MAGIC;
	f->flows = fs;
	f->service = l->service;
	f->kind = l->kind;
	f->serial = fs->serial++;
	f->opened_ms = fs->loop->now_ms;
	f->ms_connect = RECORD_NO_TIME;
	side_init(&f->client);
	side_init(&f->server);
	f->client.fd = fd;
	LIST_INSERT_HEAD(&fs->list, f, link);
	fs->n++;
	return f;
}

static void
drop_side(struct flow *f, struct side *s, struct loop_source *source,
	  bool reset)
{
	/* an ordinary end would tell the peer that it has everything */
	reset |= s->pending != NULL;
	loop_forget(f->flows->loop, source);
	relay_release(&f->flows->relay, s);
	side_close(s, reset);
}

static void
flow_end(struct flow *f, enum reason reason)
{
	bool reset = reason_resets(reason);
	struct flows *fs = f->flows;

	assert(f->magic == MAGIC && reason != REASON_NONE);
	complain(f, reason);
	write_record(f, reason);
	timer_clear(&fs->loop->timers, &f->timer);
	asker_drop(&fs->asker, &f->question);
	drop_side(f, &f->server, &f->server_source, reset);
	drop_side(f, &f->client, &f->client_source, reset);
	LIST_REMOVE(f, link);
	fs->n--;
	flows_ended(fs, f->service, reason, f->client.received, f->client.sent);
	atomic_store(&fs->shm->worker.flows, fs->n);
	f->magic = 0;
	free(f);
}

/* --- steps and their timers ----------------------------------------------- */

static uint32_t
step_limit_ms(const struct flow *f)
{
	const struct step_row *row = &steps[f->step];

	if (row->limit == FIXED)
		return row->ms;
	return f->service->timeout_ms[row->limit];
}

static void
enter(struct flow *f, enum step step)
{
	struct timers *ts = &f->flows->loop->timers;
	uint32_t limit_ms;

	f->step = step;
	f->step_ms = f->flows->loop->now_ms;
	limit_ms = step_limit_ms(f);
	/* 0 in the policy: no limit */
	if (limit_ms)
		timer_set(ts, &f->timer, f->step_ms + limit_ms);
	else
		timer_clear(ts, &f->timer);
}

static void rescue(struct flow *f);

/*
 * Bytes that move do not touch the timer, only step_ms; so it may fire too
 * early and is then set for the rest.
 */
static void
on_timer(void *owner)
{
	struct flow *f = owner;
	struct loop *l = f->flows->loop;
	uint64_t due_ms;

	assert(f->magic == MAGIC);
	due_ms = f->step_ms + step_limit_ms(f);
	if (l->now_ms >= due_ms)
		flow_end(f, f->step == STEP_RESCUE ? f->reason
						   : steps[f->step].reason);
	else if (f->step == STEP_RESCUE)
		rescue(f);
	else
		timer_set(&l->timers, &f->timer, due_ms);
}

/* --- relaying ------------------------------------------------------------- */

/* The other side gets what was sent before the reset, and then the reset. */
static void
rescue(struct flow *f)
{
	struct side *from = f->client.error ? &f->client : &f->server;
	struct side *to = from == &f->client ? &f->server : &f->client;
	struct loop *l = f->flows->loop;

	if (relay_rescue(&f->flows->relay, from, to))
		flow_end(f, f->reason);
	else
		timer_set(&l->timers, &f->timer, l->now_ms + RESCUE_POLL_MS);
}

static void
note_first(struct flow *f)
{
	if (f->first == FIRST_NOBODY)
		f->first = f->client.eof ? FIRST_CLIENT : FIRST_SERVER;
}

static void
pump(struct flow *f)
{
	enum relay_state state;
	bool again;

	state = relay_pump(&f->flows->relay, &f->client, &f->server, &again);
	f->step_ms = f->flows->loop->now_ms;
	switch (state) {
	case RELAY_OPEN:
		break;
	case RELAY_HALF_CLOSED:
		note_first(f);
		if (f->step != STEP_HALF)
			enter(f, STEP_HALF);
		break;
	case RELAY_DONE:
		note_first(f);
		flow_end(f, f->first == FIRST_CLIENT ? REASON_CLIENT_CLOSED
						     : REASON_SERVER_CLOSED);
		return;
	case RELAY_BROKEN:
		f->reason = why_broken(&f->client, &f->server);
		enter(f, STEP_RESCUE);
		rescue(f);
		return;
	}
	if (again)
		loop_again(f->flows->loop, &f->client_source);
}

/* --- connecting ----------------------------------------------------------- */

static void
fail_connect(struct flow *f, int error)
{
	enum reason reason = why_not_connected(error);
	uint64_t held;

	if (reason == REASON_INTERNAL &&
	    limiter_pass(&f->flows->said[reason], f->flows->loop->now_ms,
			 &held))
		log_error("connect: %s (and %" PRIu64 " before)",
			  strerror(error), held);
	flow_end(f, reason);
}

static void
on_server(void *owner, uint32_t events)
{
	struct flow *f = owner;

	assert(f->magic == MAGIC);
	side_event(&f->server, events);
	if (f->step == STEP_CONNECT && f->server.error) {
		fail_connect(f, f->server.error);
		return;
	}
	if (f->step == STEP_CONNECT) {
		if (!f->server.writable)
			return;
		f->ms_connect = (int64_t)(f->flows->loop->now_ms - f->step_ms);
		enter(f, STEP_RELAY);
	}
	if (f->step == STEP_RESCUE)
		rescue(f);
	else
		pump(f);
}

/* Connect; if the last descriptor is gone, with the one in reserve. */
static int
open_socket(struct flow *f, int *ret_fd)
{
	int r;

	r = upstream_connect(&f->decision.upstream, ret_fd);
	if ((r == -EMFILE || r == -ENFILE) && flows_use_reserve(f->flows))
		r = upstream_connect(&f->decision.upstream, ret_fd);
	return r;
}

static void connect_onward(struct flow *f);

static void
on_evicted(void *owner, const struct tracker_answer *answer)
{
	struct flow *f = owner;

	assert(f->magic == MAGIC);
	/* whether there was one to delete or not: try again, once */
	(void)answer;
	connect_onward(f);
}

/* EPERM may mean that conntrack remembers the same four numbers. */
static void
evict(struct flow *f)
{
	const struct upstream *u = &f->decision.upstream;

	f->retried = true;
	if (!u->source.port) {
		connect_onward(f);
		return;
	}
	enter(f, STEP_EVICT);
	f->question.ask = (struct tracker_ask){
		.kind = TRACKER_EVICT,
		.zone = f->flows->policy->gateway.zone,
		.from = u->source,
		.to = u->target,
	};
	asker_ask(&f->flows->asker, &f->question, on_evicted, f);
}

static void
connect_onward(struct flow *f)
{
	struct upstream *u = &f->decision.upstream;
	struct flows *fs = f->flows;
	int fd, r;

	r = open_socket(f, &fd);
	if ((r == -EADDRNOTAVAIL || r == -EADDRINUSE) && u->source.port) {
		u->source.port = 0;
		f->port_taken = true;
		r = open_socket(f, &fd);
	}
	if (r == -EPERM && u->mark && !f->retried) {
		evict(f);
		return;
	}
	if (r == 0) {
		f->server.fd = fd;
		f->source = sock_name(fd);
		r = loop_add(fs->loop, &f->server_source, fd, SIDE_EVENTS,
			     on_server, f);
	}
	if (r < 0)
		fail_connect(f, -r);
	else
		enter(f, STEP_CONNECT);
}

/* --- where to ------------------------------------------------------------- */

static bool
is_loop(struct flows *fs, const struct endpoint *target)
{
	return listeners_answer(fs->listeners, target) &&
	       route_is_local(&fs->route, &target->addr, fs->loop->now_ms);
}

static void
choose(struct flow *f)
{
	struct flows *fs = f->flows;
	struct decide_ask ask = {
		.service = f->service,
		.client = f->peer,
		.destination = f->destination,
		.via = f->via,
		.captured = f->kind != LISTENER_LISTEN,
		.return_path = atomic_load(&fs->shm->return_path),
	};
	enum reason reason;

	reason = decide(fs->policy, &fs->balance, &ask, &f->decision);
	if (reason == REASON_NONE && is_loop(fs, &f->decision.upstream.target))
		reason = REASON_LOOP;
	if (reason == REASON_NONE)
		connect_onward(f);
	else
		flow_end(f, reason);
}

static void
on_origin(void *owner, const struct tracker_answer *answer)
{
	struct flow *f = owner;

	assert(f->magic == MAGIC);
	if (answer->error) {
		flow_end(f, REASON_NO_DESTINATION);
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
	enter(f, STEP_ORIGIN);
	f->question.ask = (struct tracker_ask){
		.kind = TRACKER_ORIGIN,
		.from = f->local,
		.to = f->peer,
	};
	asker_ask(&f->flows->asker, &f->question, on_origin, f);
}

/* Tproxy leaves the destination as it is: never ask conntrack about it. */
static void
take_destination(struct flow *f)
{
	f->destination = f->local;
	f->via = is_loop(f->flows, &f->local) ? RECORD_VIA_LOCAL
					      : RECORD_VIA_SOCKET;
}

static void
find_destination(struct flow *f)
{
	int r;

	r = origdst_find(f->client.fd, f->local.addr.family, &f->destination);
	/* on a box without conntrack nobody redirects */
	if (r == -ENOENT && f->kind == LISTENER_LISTEN && origdst_untracked()) {
		f->destination = f->local;
		r = 0;
	}
	if (r < 0)
		f->via = RECORD_VIA_NONE;
	else if (endpoint_equal(&f->destination, &f->local))
		f->via = RECORD_VIA_LOCAL;
	else
		f->via = RECORD_VIA_NAT;
}

static void
on_client(void *owner, uint32_t events)
{
	struct flow *f = owner;

	assert(f->magic == MAGIC);
	side_event(&f->client, events);
	switch (f->step) {
	case STEP_ORIGIN:
	case STEP_CONNECT:
	case STEP_EVICT:
		if (f->client.error)
			flow_end(f, why_broken(&f->client, &f->server));
		break;
	case STEP_RELAY:
	case STEP_HALF:
		pump(f);
		break;
	case STEP_RESCUE:
		rescue(f);
		break;
	case STEP_COUNT:
		assert(0);
	}
}

void
flow_open(struct flows *fs, const struct listener *l, int fd,
	  const struct endpoint *peer)
{
	struct flow *f;

	flows_began(fs, l->service);
	f = flow_new(fs, l, fd);
	if (!f) {
		flows_ended(fs, l->service, REASON_RESOURCES, 0, 0);
		sock_reset(fd);
		return;
	}
	atomic_store(&fs->shm->worker.flows, fs->n);
	timer_init(&f->timer, on_timer, f);
	f->peer = *peer;
	f->local = sock_name(fd);
	if (f->kind == LISTENER_TPROXY)
		take_destination(f);
	else
		find_destination(f);
	if (loop_add(fs->loop, &f->client_source, fd, SIDE_EVENTS, on_client,
		     f) < 0)
		flow_end(f, REASON_RESOURCES);
	else if (f->via == RECORD_VIA_NAT && decide_needs_port(f->service))
		ask_origin(f);
	else
		choose(f);
}

void
flow_end_all(struct flows *fs, enum reason reason)
{
	while (!LIST_EMPTY(&fs->list))
		flow_end(LIST_FIRST(&fs->list), reason);
}
