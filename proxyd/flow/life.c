/* SPDX-License-Identifier: GPL-2.0-or-later */
/* life.c - the beginning and the end of life.h, and one record of it. */
#include "proxyd/flow/life.h"

#include <assert.h>
#include <stdlib.h>

#include "proxyd/flow/tell.h"

enum {
	FIXED = TIMEOUT_COUNT, /* steps_tbl.h: the limit is in the table */
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
note_of(const struct flow *f)
{
	if (f->port_taken)
		return f->retried ? "port-taken,stale-entry" : "port-taken";
	return f->retried ? "stale-entry" : NULL;
}

void
life_record(const struct flow *f, struct record *ret_record)
{
	*ret_record = (struct record){
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
		.ms_total = (int64_t)(f->flows->loop->now_ms - f->opened_ms),
		.note = note_of(f),
	};
}

static void
write_record(struct flow *f, enum reason reason)
{
	struct record r;

	life_record(f, &r);
	r.close = reason;
	tell_end(f->flows, f->service, f->serial, &r);
}

/* --- beginning and end ---------------------------------------------------- */

struct flow *
life_new(struct flows *fs, const struct listener *l, int fd,
	 void (*on_timer)(void *flow))
{
	struct flow *f;

	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->magic = FLOW_MAGIC;
	f->flows = fs;
	f->service = l->service;
	f->kind = l->kind;
	f->serial = fs->serial++;
	f->opened_ms = fs->loop->now_ms;
	f->ms_connect = RECORD_NO_TIME;
	timer_init(&f->timer, on_timer, f);
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
	reset |= relay_holds(s);
	loop_forget(f->flows->loop, source);
	relay_release(&f->flows->relay, s);
	side_close(s, reset);
}

void
life_end(struct flow *f, enum reason reason)
{
	bool reset = reason_resets(reason);
	struct flows *fs = f->flows;

	assert(f->magic == FLOW_MAGIC && reason != REASON_NONE);
	tell_refusal(fs, f->service, &f->peer, &f->destination, reason);
	write_record(f, reason);
	timer_clear(&fs->loop->timers, &f->timer);
	asker_drop(&fs->asker, &f->question);
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

/* --- steps and their timers ----------------------------------------------- */

static uint32_t
step_limit_ms(const struct flow *f)
{
	const struct step_row *row = &steps[f->step];

	if (row->limit == FIXED)
		return row->ms;
	return f->service->timeout_ms[row->limit];
}

void
life_enter(struct flow *f, enum step step)
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

uint64_t
life_due_ms(const struct flow *f)
{
	return f->step_ms + step_limit_ms(f);
}

enum reason
life_late(const struct flow *f)
{
	return f->step == STEP_RESCUE ? f->reason : steps[f->step].reason;
}
