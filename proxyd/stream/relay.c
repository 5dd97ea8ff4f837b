/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay.c - the pump of relay.h.
 *
 * A direction stops for one of four reasons: nothing to read, no room to
 * write, the end, or its turn is over. Only the last needs another call.
 */
#include "proxyd/stream/relay.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/base/sock.h"

enum {
	TURNS = 8, /* buffers a direction may move before others have a turn */
	SPARE_MAX = 64, /* chunks kept for the next slow reader */
	BULK_AFTER = 2, /* full buffers in a row */
	/* what is less without a pause is as cheap to copy */
	BULK_LEAST = SIDE_CHUNK_SIZE / 4,
};

int
relay_init(struct relay *r)
{
	memset(r, 0, sizeof(*r));
	pipes_init(&r->pipes);
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
	pipes_fini(&r->pipes);
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
	if (s->pipe)
		pipes_put(&r->pipes, s->pipe);
	s->pending = NULL;
	s->pipe = NULL;
}

bool
relay_holds(const struct side *s)
{
	return s->pending || (s->pipe && s->pipe->held);
}

/* --- what waits ----------------------------------------------------------- */

/* Keep what `to` did not take, behind what waits already. */
static void
keep(struct relay *r, struct side *to, const char *data, size_t len)
{
	struct side_chunk *c = to->pending;

	if (!c) {
		c = to->pending = chunk_get(r);
		if (c)
			c->at = c->end = 0;
	}
	if (!c || len > sizeof(c->data) - c->end) {
		side_fail(to, ENOMEM);
		return;
	}
	memcpy(c->data + c->end, data, len);
	c->end += (uint32_t)len;
}

void
relay_send(struct relay *r, struct side *to, const char *data, size_t len)
{
	size_t sent = 0;

	/* a chunk goes out before a pipe */
	assert(!to->pipe || !to->pipe->held);
	if (to->writable && !to->pending)
		sent = side_send(to, data, len);
	if (sent < len && !to->error)
		keep(r, to, data + sent, len - sent);
}

static void
send_chunk(struct relay *r, struct side *to)
{
	struct side_chunk *c = to->pending;

	c->at += (uint32_t)side_send(to, c->data + c->at, c->end - c->at);
	if (c->at < c->end)
		return;
	chunk_put(r, c);
	to->pending = NULL;
}

/* Out of the pipe by copying: splice() will not do it. */
static void
send_piped(struct relay *r, struct side *to)
{
	size_t n, sent;

	n = pipe_take(to->pipe, r->scratch->data, SIDE_CHUNK_SIZE);
	if (n == 0) {
		side_fail(to, EIO);
		return;
	}
	sent = side_send(to, r->scratch->data, n);
	if (sent < n)
		keep(r, to, r->scratch->data + sent, n - sent);
}

bool
relay_flush(struct relay *r, struct side *to)
{
	while (relay_holds(to) && to->writable) {
		if (to->pending)
			send_chunk(r, to);
		else if (!side_drain(to, to->pipe) && to->writable)
			send_piped(r, to);
	}
	return !relay_holds(to);
}

/* --- one direction -------------------------------------------------------- */

/* Through a pipe. False: that cannot be, or recv() has to be asked. */
static bool
move_bulk(struct relay *r, struct side *from, struct side *to, size_t most)
{
	if (to->full < BULK_AFTER || from->plain || to->plain)
		return false;
	if (!to->pipe)
		to->pipe = pipes_get(&r->pipes);
	if (!to->pipe) {
		to->full = 0;
		return false;
	}
	to->run += (uint32_t)side_fill(from, to->pipe,
				       most < PIPE_SIZE ? most : PIPE_SIZE);
	if (!to->pipe->held)
		return !from->readable;
	relay_flush(r, to);
	return true;
}

static void
move_copy(struct relay *r, struct side *from, struct side *to, size_t most)
{
	size_t n, sent;

	if (most > SIDE_CHUNK_SIZE)
		most = SIDE_CHUNK_SIZE;
	n = side_receive(from, r->scratch->data, most);
	if (n == 0)
		return;
	if (n < SIDE_CHUNK_SIZE)
		to->full = 0;
	else if (to->full < BULK_AFTER)
		to->full++;
	sent = side_send(to, r->scratch->data, n);
	if (sent < n)
		keep(r, to, r->scratch->data + sent, n - sent);
}

/*
 * One buffer from one side to the other, of `most` bytes; false if there is
 * no more now.
 */
static bool
move_once(struct relay *r, struct side *from, struct side *to, uint64_t most)
{
	if (!relay_flush(r, to) || !to->writable || to->shut)
		return false;
	if (!from->readable || from->eof)
		return false;
	if (most > PIPE_SIZE)
		most = PIPE_SIZE;
	if (!move_bulk(r, from, to, (size_t)most))
		move_copy(r, from, to, (size_t)most);
	return from->readable && to->writable;
}

/* The direction pauses: others may need its pipe. */
static void
rest(struct relay *r, struct side *to)
{
	if (!to->pipe || to->pipe->held)
		return;
	pipes_put(&r->pipes, to->pipe);
	to->pipe = NULL;
	if (to->run < BULK_LEAST)
		to->full = 0;
	to->run = 0;
}

uint64_t
relay_pass(struct relay *r, struct side *from, struct side *to, uint64_t most,
	   bool *ret_again)
{
	uint64_t before = from->received, n = 0;
	int i;

	for (i = 0; i < TURNS && n < most; i++) {
		if (!move_once(r, from, to, most - n))
			break;
		n = from->received - before;
	}
	*ret_again = i == TURNS;
	if (i < TURNS)
		rest(r, to);
	return from->received - before;
}

/* All of `from` is with `to`, its end too. */
static void
finish(const struct side *from, struct side *to)
{
	/* the other direction is done: closing will say it, without a call */
	if (from->shut)
		to->shut = true;
	else
		side_shut(to);
}

/* One direction of the two has nothing, most often. */
static inline bool
has_something(const struct side *from, const struct side *to)
{
	return from->readable || from->eof != to->shut || relay_holds(to);
}

/* One direction. True if it stopped only because its turn is over. */
static bool
move(struct relay *r, struct side *from, struct side *to)
{
	int i;

	for (i = 0; i < TURNS; i++)
		if (!move_once(r, from, to, PIPE_SIZE))
			break;
	if (i < TURNS)
		rest(r, to);
	if (from->eof && !from->error && !relay_holds(to))
		finish(from, to);
	return i == TURNS;
}

enum relay_state
relay_pump(struct relay *r, struct side *a, struct side *b, bool *ret_again)
{
	*ret_again = has_something(a, b) && move(r, a, b);
	*ret_again |= has_something(b, a) && move(r, b, a);
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
	if (relay_holds(to) || (from->readable && !from->eof))
		return false;
	return sock_unsent(to->fd) == 0;
}
