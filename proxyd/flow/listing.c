/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listing.c - from flow to flow, with a place kept between two turns.
 *
 * The place is in struct flows: a flow that ends while it is the next one
 * moves it on. Objects are separated by ",\n", so that the master can put
 * those of several workers into one array.
 */
#include "proxyd/flow/listing.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "proxyd/ctl/record.h"
#include "proxyd/flow/life.h"
#include "proxyd/flow/tell.h"

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
add(struct listing *l, const struct record *r, const char *step)
{
	if (l->bytes + l->text.len >= LISTING_BYTES) {
		l->so_far.left_out++;
		return;
	}
	if (l->so_far.listed)
		str_add(&l->text, ",\n");
	record_format_live(r, step, l->order.worker, &l->text);
	l->so_far.listed++;
}

static void
list_flow(struct listing *l, const struct flow *f)
{
	struct record r;
	char word[16];

	life_record(f, &r);
	if (!is_wanted(&l->order.filter, &r))
		return;
	tell_id(l->flows, f->serial, &r);
	add(l, &r, step_word(f->step, word));
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

static void
on_turn(void *owner, uint32_t events)
{
	struct listing *l = owner;
	struct flows *fs = l->flows;
	struct flow *f;
	int i;

	(void)events;
	for (i = 0; i < LISTING_TURN && fs->listed; i++) {
		f = fs->listed;
		fs->listed = LIST_NEXT(f, link);
		list_flow(l, f);
	}
	if (!flush(l)) {
		stop(l);
	} else if (fs->listed) {
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
	loop_again(l->flows->loop, &l->source);
}
