/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay.c - the pump of relay.h.
 *
 * A direction stops for one of four reasons: nothing to read, no room to
 * write, the end, or its turn is over. Only the last needs another call.
 */
#include "proxyd/stream/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/base/sock.h"

enum {
	TURNS = 8, /* buffers a direction may move before others have a turn */
	SPARE_MAX = 64, /* chunks kept for the next slow reader */
};

int
relay_init(struct relay *r)
{
	memset(r, 0, sizeof(*r));
	r->scratch = malloc(sizeof(*r->scratch));
	return r->scratch ? 0 : -ENOMEM;
}

void
relay_fini(struct relay *r)
{
	struct side_chunk *c;

	while ((c = r->spare)) {
		r->spare = c->next;
		free(c);
	}
	r->n_spare = 0;
	free(r->scratch);
	r->scratch = NULL;
}

static struct side_chunk *
chunk_get(struct relay *r)
{
	struct side_chunk *c = r->spare;

	if (!c)
		return malloc(sizeof(*c));
	r->spare = c->next;
	r->n_spare--;
	return c;
}

static void
chunk_put(struct relay *r, struct side_chunk *c)
{
	if (r->n_spare == SPARE_MAX) {
		free(c);
		return;
	}
	c->next = r->spare;
	r->spare = c;
	r->n_spare++;
}

void
relay_release(struct relay *r, struct side *s)
{
	if (s->pending)
		chunk_put(r, s->pending);
	s->pending = NULL;
}

/* Keep what `to` did not take of the scratch buffer. */
static void
keep(struct relay *r, struct side *to, size_t at, size_t end)
{
	struct side_chunk *c = chunk_get(r);

	if (!c) {
		side_fail(to, ENOMEM);
		return;
	}
	c->at = 0;
	c->end = (uint32_t)(end - at);
	memcpy(c->data, r->scratch->data + at, end - at);
	to->pending = c;
}

/* Is nothing left of what waited? */
static bool
send_pending(struct relay *r, struct side *to)
{
	struct side_chunk *c = to->pending;

	if (!c)
		return true;
	if (!to->writable)
		return false;
	c->at += (uint32_t)side_send(to, c->data + c->at, c->end - c->at);
	if (c->at < c->end)
		return false;
	relay_release(r, to);
	return true;
}

/* One buffer from one side to the other; false if there is no more now. */
static bool
move_once(struct relay *r, struct side *from, struct side *to)
{
	size_t n, sent;

	if (!send_pending(r, to) || !to->writable || to->shut)
		return false;
	if (!from->readable || from->eof)
		return false;
	n = side_receive(from, r->scratch->data, SIDE_CHUNK_SIZE);
	if (n == 0)
		return false;
	sent = side_send(to, r->scratch->data, n);
	if (sent < n)
		keep(r, to, sent, n);
	return from->readable && to->writable;
}

/* One direction. True if it stopped only because its turn is over. */
static bool
move(struct relay *r, struct side *from, struct side *to)
{
	int i;

	for (i = 0; i < TURNS; i++)
		if (!move_once(r, from, to))
			break;
	if (from->eof && !from->error && !to->pending)
		side_shut(to);
	return i == TURNS;
}

enum relay_state
relay_pump(struct relay *r, struct side *a, struct side *b, bool *ret_again)
{
	*ret_again = move(r, a, b);
	*ret_again |= move(r, b, a);
	if (a->error || b->error)
		return RELAY_BROKEN;
	if (a->shut && b->shut)
		return RELAY_DONE;
	return a->eof || b->eof ? RELAY_HALF_CLOSED : RELAY_OPEN;
}

bool
relay_rescue(struct relay *r, struct side *from, struct side *to)
{
	move(r, from, to);
	if (to->error || to->shut)
		return true;
	if (to->pending || (from->readable && !from->eof))
		return false;
	return sock_unsent(to->fd) == 0;
}
