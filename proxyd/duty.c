/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * duty.c - a crew's ways, behind duty.h.
 *
 * A worker that does not tick for a second is stood in for, so that nobody
 * waits for it; only if it goes on it is killed. Orders are carried out by
 * the workers in their own time: that a slot is given back before it was
 * taken does no harm, since two may accept from one socket.
 */
#include "proxyd/duty.h"

#include <stdlib.h>

#include "lib/log.h"

enum {
	ALIVE_MS = 1000,       /* a tick older than this is a loop that hangs */
	EXPIRE_EXTRA_MS = 200, /* to be sure that a set has run out */
	/* for processes that were told to end, where the kernel is slow, too */
	END_MS = 5000,
};

/* They live, and more cannot be known of them. */
static void
believe(struct crew *c, uint64_t now_ms)
{
	uint32_t i;

	for (i = 0; i < c->n_workers; i++)
		if (c->workers[i].own)
			atomic_store(&c->workers[i].own->tick_ms, now_ms);
}

/* --- looking after it ----------------------------------------------------- */

static enum rota_health
health_of(const struct crew_worker *w, uint64_t now_ms)
{
	uint64_t tick_ms = w->own ? atomic_load(&w->own->tick_ms) : 0;

	if (!w->child.pid)
		return ROTA_GONE;
	if (!tick_ms)
		return now_ms < w->child.started_ms + ALIVE_MS ? ROTA_FRESH
							       : ROTA_HANGS;
	return now_ms < tick_ms + ALIVE_MS ? ROTA_TICKS : ROTA_HANGS;
}

/* Of all workers; the caller frees it. NULL: no memory. */
static enum rota_health *
examine(const struct crew *c, uint64_t now_ms)
{
	enum rota_health *all = calloc(c->n_workers, sizeof(*all));
	uint32_t i;

	for (i = 0; all && i < c->n_workers; i++)
		all[i] = health_of(&c->workers[i], now_ms);
	return all;
}

bool
duty_ticks(const struct crew *c, uint64_t now_ms)
{
	uint32_t i;

	for (i = 0; i < c->n_workers; i++)
		if (health_of(&c->workers[i], now_ms) != ROTA_TICKS)
			return false;
	return true;
}

bool
duty_is_served(const struct crew *c, uint64_t now_ms)
{
	enum rota_health *all = examine(c, now_ms);
	bool served;

	served = all && c->state == CREW_SERVING &&
		 rota_is_served(&c->rota, all, c->n_workers);
	free(all);
	return served;
}

static void
move_slots(struct crew *c, uint64_t now_ms)
{
	enum rota_health *all = examine(c, now_ms);
	struct worker_order order = {0};
	struct rota_move move;

	while (all && rota_next(&c->rota, all, c->n_workers, &move)) {
		order.slot = move.slot;
		order.kind = WORKER_TAKE;
		crew_tell(c, move.to, &order, NULL, 0);
		order.kind = WORKER_GIVE;
		if (move.from != ROTA_NOBODY)
			crew_tell(c, move.from, &order, NULL, 0);
	}
	free(all);
}

/* Listeners for which those of a former policy had to go first. */
static void
open_late(struct crew *c)
{
	struct worker_order order = {.kind = WORKER_LISTEN};
	const struct listener *l;
	size_t index;
	uint32_t i;
	int fd;

	while (listeners_late(&c->listeners, &index)) {
		l = &c->listeners.list[index];
		log_info("service %s: listens now", l->service->name);
		order.listener = (uint32_t)index;
		for (order.slot = 0; order.slot < l->sockets->n; order.slot++) {
			fd = l->sockets->fds[order.slot];
			for (i = 0; i < c->n_workers; i++)
				crew_tell(c, i, &order, &fd, 1);
		}
	}
}

static void
kill_silent(struct crew *c, struct crew_worker *w, uint64_t now_ms,
	    uint64_t awake_ms)
{
	uint64_t silent_ms = c->policy->gateway.alive_timeout_ms;
	uint64_t last_ms;

	if (!w->child.pid || w->child.killed)
		return;
	last_ms = atomic_load(&w->own->tick_ms);
	if (last_ms < w->child.started_ms)
		last_ms = w->child.started_ms;
	if (last_ms < awake_ms)
		last_ms = awake_ms;
	if (silent_ms < ALIVE_MS)
		silent_ms = ALIVE_MS;
	if (now_ms >= last_ms + silent_ms)
		child_kill(&w->child);
}

static bool
has_workers(const struct crew *c)
{
	uint32_t i;

	for (i = 0; i < c->n_workers; i++)
		if (c->workers[i].child.pid)
			return true;
	return false;
}

static void
mind_end(struct crew *c, uint64_t now_ms)
{
	bool workers = has_workers(c);

	if (now_ms >= c->shut_ms)
		listeners_shut(&c->listeners);
	if (!workers)
		crew_let_tracker_go(&c->tracker, c->followed);
	if (!workers && !c->tracker.pid) {
		c->state = CREW_OVER;
		return;
	}
	if (now_ms < c->kill_ms)
		return;
	log_error("a process did not end in time");
	crew_kill(c);
	c->kill_ms = now_ms + END_MS;
}

void
duty_mind(struct crew *c, uint64_t now_ms, uint64_t awake_ms)
{
	uint32_t i;

	if (c->blind)
		believe(c, now_ms);
	for (i = 0; i < c->n_workers; i++)
		kill_silent(c, &c->workers[i], now_ms, awake_ms);
	switch (c->state) {
	case CREW_SERVING:
		move_slots(c, now_ms);
		open_late(c);
		break;
	case CREW_DRAINING:
	case CREW_ENDING:
		mind_end(c, now_ms);
		break;
	case CREW_STARTING:
	case CREW_OVER:
		break;
	}
}

/* --- its ways ------------------------------------------------------------- */

void
duty_serve(struct crew *c, uint64_t now_ms)
{
	c->state = CREW_SERVING;
	move_slots(c, now_ms);
}

uint64_t
duty_expiry_ms(const struct crew *c)
{
	if (!pulse_is_seen(&c->pulse))
		return 0;
	return c->policy->gateway.alive_timeout_ms + EXPIRE_EXTRA_MS;
}

/* Mark those that nobody else has; is there one? */
static bool
note_alone(const struct listeners *ls, const struct listeners *successor,
	   uint8_t *alone)
{
	bool any = false;
	size_t i;

	for (i = 0; i < ls->n; i++) {
		if (successor && listener_is_shared(&ls->list[i], successor))
			continue;
		alone[i / 8] |= (uint8_t)(1u << i % 8);
		any = true;
	}
	return any;
}

void
duty_drain(struct crew *c, const struct listeners *successor,
	   uint64_t linger_ms, uint64_t timeout_ms, uint64_t now_ms)
{
	struct worker_order order = {
		.kind = WORKER_DRAIN,
		.linger_ms = (uint32_t)linger_ms,
		.timeout_ms = (uint32_t)timeout_ms,
	};
	uint32_t i;

	if (c->state > CREW_DRAINING)
		return;
	c->followed |= successor != NULL;
	if (!note_alone(&c->listeners, successor, order.alone))
		order.linger_ms = linger_ms = 0;
	if (c->state < CREW_DRAINING) {
		c->shut_ms = c->kill_ms = UINT64_MAX;
		c->state = CREW_DRAINING;
	}
	if (now_ms + linger_ms < c->shut_ms)
		c->shut_ms = now_ms + linger_ms;
	if (now_ms + timeout_ms + END_MS < c->kill_ms)
		c->kill_ms = now_ms + timeout_ms + END_MS;
	/* before they do: who is not accepted any more is refused */
	if (now_ms >= c->shut_ms)
		listeners_shut(&c->listeners);
	for (i = 0; i < c->n_workers; i++)
		crew_tell(c, i, &order, NULL, 0);
}

void
duty_end(struct crew *c, bool quiet, uint64_t now_ms)
{
	if (c->state >= CREW_ENDING)
		return;
	c->state = CREW_ENDING;
	c->shut_ms = now_ms;
	c->kill_ms = now_ms + END_MS;
	/* the tracker first: it stops the rules from capturing */
	crew_let_tracker_go(&c->tracker, quiet);
	crew_tell_all(c, WORKER_QUIT);
}
