/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listing.c - from flow to flow, with a place kept between two turns.
 *
 * The place is in struct flows, and in struct udp: a flow that ends while it
 * is the next one moves it on. Objects are separated by ",\n", so that the
 * master can put those of several workers into one array.
 */
#include "proxyd/flow/listing.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "proxyd/ctl/record.h"
#include "proxyd/flow/life.h"
#include "proxyd/flow/tell.h"
#include "proxyd/flow/udp_life.h"

static void
stop(struct listing *l)
{
	if (l->fd < 0)
		return;
	loop_forget(l->flows->loop, &l->source);
	close(l->fd);
	close(l->done_fd);
	l->fd = l->done_fd = -1;
	l->flows->listed = NULL;
	if (l->flows->udp)
		l->flows->udp->listed = NULL;
	str_fini(&l->text);
}

/* --- one flow ------------------------------------------------------------- */

static bool
is_wanted(const struct wire_filter *f, const struct record *r)
{
	if (f->service[0] && strcmp(f->service, r->service) != 0)
		return false;
	if (f->pool[0] && strcmp(f->pool, r->pool) != 0)
		return false;
	return !f->client.addr.family ||
	       prefix_contains(&f->client, &r->client.addr);
}

/* steps_tbl.h has the names; people read small letters. */
static const char *
step_word(enum step step, char buf[16])
{
	static const char *const names[STEP_COUNT] = {
#define STEP(name, limit, ms, reason, waits_for) [STEP_##name] = #name,
#include "proxyd/flow/steps_tbl.h"
#undef STEP
	};
	size_t i;

	for (i = 0; names[step][i] && i < 15; i++)
		buf[i] = (char)tolower((unsigned char)names[step][i]);
	buf[i] = '\0';
	return buf;
}

static void
add(struct listing *l, struct record *r, uint32_t serial, const char *step)
{
	if (!is_wanted(&l->order.filter, r))
		return;
	if (l->bytes + l->text.len >= LISTING_BYTES) {
		l->so_far.left_out++;
		return;
	}
	if (l->so_far.listed)
		str_add(&l->text, ",\n");
	tell_id(l->flows, serial, r);
	record_format_live(r, step, l->order.worker, &l->text);
	l->so_far.listed++;
}

static void
list_flow(struct listing *l, const struct flow *f)
{
	char note[LIFE_NOTE_LEN], word[16];
	struct record r;

	life_record(f, note, &r);
	add(l, &r, f->serial, step_word(f->step, word));
}

static void
list_udp_flow(struct listing *l, const struct udp_flow *f)
{
	enum step step = f->wait ? STEP_ORIGIN : STEP_RELAY;
	char note[UDP_NOTE_LEN], word[16];
	struct record r;

	udp_life_record(f, note, &r);
	add(l, &r, f->serial, step_word(step, word));
}

/* --- all of them ---------------------------------------------------------- */

/* The file is ours alone: what it does not take is an error. */
static bool
flush(struct listing *l)
{
	const char *from = l->text.data;
	size_t left = l->text.len;
	ssize_t n;

	while (left) {
		n = write(l->fd, from, left);
		if (n <= 0)
			return false;
		from += n;
		left -= (size_t)n;
	}
	l->bytes += l->text.len;
	str_clear(&l->text);
	return true;
}

/* False: that was the last one. */
static bool
list_next(struct listing *l)
{
	struct udp *udp = l->flows->udp;
	struct flow *f = l->flows->listed;
	struct udp_flow *u = udp ? udp->listed : NULL;

	if (f) {
		l->flows->listed = LIST_NEXT(f, link);
		list_flow(l, f);
	} else if (u) {
		udp->listed = TAILQ_NEXT(u, link);
		list_udp_flow(l, u);
	}
	return f || u;
}

static void
on_turn(void *owner, uint32_t events)
{
	struct listing *l = owner;
	struct flows *fs = l->flows;
	bool more = true;
	int i;

	(void)events;
	for (i = 0; i < LISTING_TURN && more; i++)
		more = list_next(l);
	if (!flush(l)) {
		stop(l);
	} else if (more) {
		loop_again(fs->loop, &l->source);
	} else {
		/* nobody may wait for it any more */
		(void)!write(l->done_fd, &l->so_far, sizeof(l->so_far));
		stop(l);
	}
}

void
listing_init(struct listing *l, struct flows *fs)
{
	memset(l, 0, sizeof(*l));
	l->flows = fs;
	l->fd = l->done_fd = -1;
	l->source.ready = on_turn;
	l->source.owner = l;
}

void
listing_fini(struct listing *l)
{
	if (l->flows)
		stop(l);
}

void
listing_begin(struct listing *l, const struct listing_order *order, int fd,
	      int done_fd)
{
	stop(l);
	l->order = *order;
	l->fd = fd;
	l->done_fd = done_fd;
	l->so_far = (struct listing_end){0};
	l->bytes = 0;
	l->flows->listed = LIST_FIRST(&l->flows->list);
	if (l->flows->udp)
		l->flows->udp->listed = TAILQ_FIRST(&l->flows->udp->list);
	loop_again(l->flows->loop, &l->source);
}
