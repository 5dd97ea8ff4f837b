/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp_life.c - the beginning and the end of udp_life.h, and one record. */
#include "proxyd/flow/udp_life.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxyd/base/sock.h"
#include "proxyd/flow/tell.h"

/* --- the record ----------------------------------------------------------- */

static const char *
note_of(const struct udp_flow *f, char buf[UDP_NOTE_LEN])
{
	char dropped[32] = "";

	if (f->dropped)
		snprintf(dropped, sizeof(dropped), ",dropped=%" PRIu64,
			 f->dropped);
	snprintf(buf, UDP_NOTE_LEN, "%s%s%s", f->tested ? ",limit-test" : "",
		 f->port_taken ? ",port-taken" : "", dropped);
	return *buf ? buf + 1 : NULL;
}

void
udp_life_record(const struct udp_flow *f, char note[UDP_NOTE_LEN],
		struct record *ret_record)
{
	*ret_record = (struct record){
		.service = f->service->name,
		.mode = f->service->mode,
		.client = f->client,
		.local = f->pair.b,
		.destination = f->destination,
		.via = f->via,
		.pool = f->service->pool->name,
		.node = f->decision.upstream.target,
		.bytes_in = f->bytes_in,
		.bytes_out = f->bytes_out,
		.ms_connect = f->ms_answer,
		.ms_total = (int64_t)(f->flows->loop->now_ms - f->opened_ms),
		.note = note_of(f, note),
	};
	if (f->server_fd >= 0)
		ret_record->source = sock_name(f->server_fd);
}

static void
write_record(struct udp_flow *f, enum reason reason)
{
	char note[UDP_NOTE_LEN];
	struct record r;

	udp_life_record(f, note, &r);
	r.close = reason;
	tell_end(f->flows, f->service, f->serial, &r);
}

/* --- beginning and end ---------------------------------------------------- */

struct udp_flow *
udp_life_new(struct flows *fs, const struct policy_service *s,
	     enum listener_kind kind, const struct endpoint *client,
	     const struct endpoint *at, void (*on_timer)(void *flow))
{
	struct udp_flow *f;

	flows_began(fs, s);
	f = calloc(1, sizeof(*f));
	if (!f) {
		flows_ended(fs, s, REASON_RESOURCES, 0, 0);
		return NULL;
	}
	f->magic = UDP_MAGIC;
	f->flows = fs;
	f->service = s;
	f->kind = kind;
	f->pair.a = f->client = *client;
	f->pair.b = *at;
	f->pair.owner = f;
	f->client_fd = f->server_fd = -1;
	f->client_join = f->server_join = UINT16_MAX;
	f->serial = fs->serial++;
	f->opened_ms = f->active_ms = fs->loop->now_ms;
	f->ms_answer = RECORD_NO_TIME;
	/* one that comes so late, from elsewhere or from a leg's rest */
	f->moves = fs->udp->draining;
	timer_init(&f->timer, on_timer, f);
	pairs_add(&fs->udp->clients, &f->pair);
	TAILQ_INSERT_TAIL(&fs->udp->list, f, link);
	TAILQ_INSERT_TAIL(&fs->udp->young, f, young);
	fs->n++;
	flows_show(fs);
	return f;
}

/* Its sockets may be another worker's by now: so they are not forgotten. */
static void
drop_leg(struct udp_flow *f, int fd, struct loop_source *source)
{
	loop_remove(f->flows->loop, source);
	if (fd >= 0)
		close(fd);
}

static void
forget(struct udp_flow *f)
{
	struct flows *fs = f->flows;

	timer_clear(&fs->loop->timers, &f->timer);
	limit_give(&fs->limit, &f->hold);
	drop_leg(f, f->server_fd, &f->server_source);
	drop_leg(f, f->client_fd, &f->client_source);
	pairs_remove(&f->pair);
	pairs_remove(&f->source);
	if (fs->udp->listed == f)
		fs->udp->listed = TAILQ_NEXT(f, link);
	TAILQ_REMOVE(&fs->udp->list, f, link);
	if (!f->answered)
		TAILQ_REMOVE(&fs->udp->young, f, young);
	fs->n--;
	flows_show(fs);
	f->magic = 0;
	free(f);
}

void
udp_life_end(struct udp_flow *f, enum reason reason)
{
	struct flows *fs = f->flows;

	assert(f->magic == UDP_MAGIC && reason != REASON_NONE);
	tell_refusal(fs, f->service, &f->client, &f->destination, reason);
	udp_life_unwait(f);
	write_record(f, reason);
	flows_ended(fs, f->service, reason, f->bytes_in, f->bytes_out);
	forget(f);
}

void
udp_life_leave(struct udp_flow *f)
{
	assert(f->magic == UDP_MAGIC && !f->wait);
	flows_left(f->flows, f->service);
	forget(f);
}

void
udp_life_look(struct flows *fs)
{
	if (fs->udp->to.ready)
		loop_again(fs->loop, &fs->udp->to);
}

void
udp_life_answered(struct udp_flow *f)
{
	if (f->answered)
		return;
	f->answered = true;
	f->ms_answer = (int64_t)(f->flows->loop->now_ms - f->opened_ms);
	TAILQ_REMOVE(&f->flows->udp->young, f, young);
}

void
udp_life_sourced(struct udp_flow *f)
{
	const struct upstream *u = &f->decision.upstream;

	if (!u->source.port)
		return;
	f->source.a = u->source;
	f->source.b = u->target;
	f->source.owner = f;
	pairs_add(&f->flows->udp->sources, &f->source);
}

/* --- what waits ----------------------------------------------------------- */

void
udp_life_keep(struct udp_flow *f, const void *data, uint32_t len,
	      uint16_t piece)
{
	struct udp *udp = f->flows->udp;
	struct udp_wait *w = f->wait;
	void *copy = NULL;

	if (w->n < UDP_WAIT_ITEMS && w->bytes + len <= UDP_WAIT_BYTES &&
	    udp->kept + len <= UDP_WAIT_ALL)
		copy = malloc(len ? len : 1);
	if (!copy) {
		f->dropped += datagram_count(len, piece);
		return;
	}
	memcpy(copy, data, len);
	w->items[w->n++] = (struct udp_item){copy, len, piece};
	w->bytes += len;
	udp->kept += len;
}

void
udp_life_unwait(struct udp_flow *f)
{
	struct udp_wait *w = f->wait;
	unsigned int i;

	if (!w)
		return;
	asker_drop(&f->flows->asker, &w->question);
	for (i = 0; i < w->n; i++)
		free(w->items[i].data);
	f->flows->udp->kept -= w->bytes;
	free(w);
	f->wait = NULL;
}
