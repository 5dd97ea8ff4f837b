/* SPDX-License-Identifier: GPL-2.0-or-later */
/* life.c - the beginning and the end of life.h, and one record of it. */
#include "proxyd/flow/life.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/base/sock.h"

#include "proxyd/flow/tell.h"

enum {
	FIXED = TIMEOUT_COUNT, /* steps_tbl.h: the limit is in the table */
	WATCH_AFTER_MS = 1000, /* most flows are over before that */
};

/* steps_tbl.h: as known already */
#define REASON_KEEP REASON_NONE

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

/* --- the record ----------------------------------------------------------- */

static const char *
note_of(const struct flow *f, char buf[LIFE_NOTE_LEN])
{
	size_t len;

	snprintf(buf, LIFE_NOTE_LEN, "%s%s%s%s%s",
		 f->tunnelled ? "non-http," : "",
		 f->tested ? "limit-test," : "",
		 f->port_taken ? "port-taken," : "",
		 f->retried ? "stale-entry," : "",
		 f->http && f->http->bad ? http_bad_word(f->http->bad) : "");
	len = strlen(buf);
	if (len && buf[len - 1] == ',')
		buf[len - 1] = '\0';
	return *buf ? buf : NULL;
}

/* Not kept in the flow: the socket remembers, also when it is dead. */
static struct endpoint
name_of(const struct side *s)
{
	struct endpoint none = {0};

	return s->fd < 0 ? none : sock_name(s->fd);
}

/* A connection with many requests is asked once. */
static struct endpoint
local_of(const struct flow *f)
{
	if (f->http && f->http->local.addr.family)
		return f->http->local;
	return name_of(&f->client);
}

static struct endpoint
source_of(const struct flow *f)
{
	const struct link *l = f->http ? f->http->link : NULL;

	return l && l->name.addr.family ? l->name : name_of(f->onward);
}

void
life_record(const struct flow *f, char note[LIFE_NOTE_LEN],
	    struct record *ret_record)
{
	*ret_record = (struct record){
		.service = f->service->name,
		.mode = f->service->mode,
		.client = f->peer,
		.local = local_of(f),
		.destination = f->destination,
		.via = f->via,
		.source = source_of(f),
		.pool = f->service->pool->name,
		.node = f->decision.upstream.target,
		.bytes_in = f->client.received,
		.bytes_out = f->client.sent,
		.ms_connect = f->ms_connect,
		.ms_total = (int64_t)(f->flows->loop->now_ms - f->opened_ms),
		.ms_first = RECORD_NO_TIME,
		.note = note_of(f, note),
	};
	if (f->http)
		http_record(f->http, f->flows->loop->now_ms, ret_record);
}

void
life_tell(struct flow *f, enum reason reason)
{
	char note[LIFE_NOTE_LEN];
	struct record r;

	if (!access_wanted(f->flows->access, f->service))
		return;
	life_record(f, note, &r);
	r.close = reason;
	tell_end(f->flows, f->service, f->serial, &r);
}

/* --- beginning and end ---------------------------------------------------- */

struct flow *
life_new(struct flows *fs, const struct listener *l, int fd,
	 void (*on_timer)(void *flow))
{
	struct flow *f;

	f = malloc(sizeof(*f));
	if (!f)
		return NULL;
	*f = (struct flow){
		.magic = FLOW_MAGIC,
		.flows = fs,
		.service = l->service,
		.kind = l->kind,
		.serial = fs->serial++,
		.opened_ms = fs->loop->now_ms,
		.ms_connect = RECORD_NO_TIME,
	};
	timer_init(&f->timer, on_timer, f);
	side_init(&f->client);
	side_init(&f->server);
	f->onward = &f->server;
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
	reset |= relay_holds(s);
	loop_forget(f->flows->loop, source);
	relay_release(&f->flows->relay, s);
	side_close(s, reset);
}

/* Whoever gets no more of it must see that there is more. */
static bool
is_half_answered(const struct flow *f)
{
	const struct http *h = f->http;

	return h && h->active && h->answered && !h->tunnel && !h->response.done;
}

void
life_end(struct flow *f, enum reason reason)
{
	bool reset = reason_resets(reason) || is_half_answered(f);
	struct flows *fs = f->flows;

	assert(f->magic == FLOW_MAGIC && reason != REASON_NONE);
	tell_refusal(fs, f->service, &f->peer, &f->destination, reason);
	/* requests have records of their own; who asked nothing has one */
	if (!f->http || f->http->active || !f->http->requests)
		life_tell(f, reason);
	timer_clear(&fs->loop->timers, &f->timer);
	life_answered(f);
	limit_give(&fs->limit, &f->hold);
	http_free(f->http, &fs->relay, reset);
	drop_side(f, &f->server, &f->server_source, reset);
	drop_side(f, &f->client, &f->client_source, reset);
	if (fs->listed == f)
		fs->listed = LIST_NEXT(f, link);
	LIST_REMOVE(f, link);
	fs->n--;
	flows_ended(fs, f->service, reason, f->client.received, f->client.sent);
	flows_show(fs);
	f->magic = 0;
	free(f);
}

enum reason
life_decide(struct flow *f)
{
	struct decide_ask ask = {
		.service = f->service,
		.client = f->peer,
		.destination = f->destination,
		.via = f->via,
		.captured = f->kind != LISTENER_LISTEN,
	};

	return flows_decide(f->flows, &ask, &f->decision);
}

/* --- questions ------------------------------------------------------------ */

void
life_ask(struct flow *f, const struct tracker_ask *ask,
	 void (*answered)(void *flow, const struct tracker_answer *an))
{
	f->question = calloc(1, sizeof(*f->question));
	if (!f->question) {
		life_end(f, REASON_RESOURCES);
		return;
	}
	f->question->ask = *ask;
	asker_ask(&f->flows->asker, f->question, answered, f);
}

void
life_answered(struct flow *f)
{
	if (f->question)
		asker_drop(&f->flows->asker, f->question);
	free(f->question);
	f->question = NULL;
}

/* --- steps and their timers ----------------------------------------------- */

static uint32_t
step_limit_ms(const struct flow *f)
{
	const struct step_row *row = &steps[f->step];

	/* what it asked for is not all taken: that comes first */
	if ((f->step == STEP_KEEP_ALIVE || f->step == STEP_LINGER) &&
	    relay_holds(&f->client))
		return f->service->timeout_ms[TIMEOUT_IDLE];
	if (row->limit == FIXED)
		return row->ms;
	return f->service->timeout_ms[row->limit];
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When the request that is on it takes too long in all. */
static uint64_t
total_due_ms(const struct flow *f)
{
	uint32_t limit_ms = f->service->timeout_ms[TIMEOUT_TOTAL];

	if (!limit_ms || !f->http || !f->http->began_ms || f->http->tunnel)
		return UINT64_MAX;
	return f->http->began_ms + limit_ms;
}

uint64_t
life_due_ms(const struct flow *f)
{
	uint32_t limit_ms = step_limit_ms(f);
	uint64_t due_ms = UINT64_MAX;

	/* 0 in the policy: no limit */
	if (limit_ms)
		due_ms = f->step_ms + limit_ms;
	if (f->step == STEP_BODY)
		due_ms = sooner(due_ms, http_body_due_ms(f->http, limit_ms));
	return sooner(due_ms, total_due_ms(f));
}

void
life_wait(struct flow *f)
{
	struct timers *ts = &f->flows->loop->timers;
	uint64_t due_ms = life_due_ms(f);
	uint64_t look_ms = f->step_ms + WATCH_AFTER_MS;

	if (!f->watched && f->onward->fd >= 0 && due_ms > look_ms)
		due_ms = look_ms;
	if (due_ms == UINT64_MAX)
		timer_clear(ts, &f->timer);
	/* too early does no harm: it is set for the rest then */
	else if (!f->timer.set || f->timer.due_ms > due_ms)
		timer_set(ts, &f->timer, due_ms);
}

void
life_enter(struct flow *f, enum step step)
{
	f->step = step;
	f->step_ms = f->flows->loop->now_ms;
	life_wait(f);
}

enum reason
life_late(const struct flow *f)
{
	if (f->flows->loop->now_ms >= total_due_ms(f))
		return REASON_TOTAL_TIMEOUT;
	if (f->step == STEP_RESCUE || f->step == STEP_LINGER)
		return f->reason;
	return steps[f->step].reason;
}
