/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doors.c - accept4(2), and when not, behind doors.h.
 *
 * Listeners are waited for level-triggered, so that a turn may leave some of
 * the queue behind. Datagrams cannot wait: their doors stay open in a pause,
 * and udp.h says which of them are dropped.
 */
#include "proxyd/doors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#include "proxyd/base/loop.h"
#include "proxyd/flow/udp.h"

enum {
	ACCEPT_TURN = 32,  /* connections of one listener in one turn */
	DRAIN_TURN = 8192, /* the same, before it is closed */
	UDP_TURN = 256,	   /* of udp, what udp_receive() takes */
	PAUSE_MS = 100,	   /* after the kernel had no descriptor for us */
	FULL_MS = 10,	   /* so that not each flow's end opens all doors */
};

/* A socket of a listener, as a source of the loop. */
struct door {
	struct doors *doors;	   /* borrows */
	struct listener *listener; /* borrows */
	uint32_t slot;
	struct loop_source source;
};

static uint64_t
now(const struct doors *ds)
{
	return ds->flows->loop->now_ms;
}

/* --- accepting ------------------------------------------------------------ */

static bool
is_udp(const struct listener *l)
{
	return l->service->proto == PROTO_UDP;
}

static void
pause_accepting(struct doors *ds, uint32_t ms, const char *why)
{
	uint64_t held;
	size_t i;

	if (limiter_pass(&ds->said_full, now(ds), &held))
		log_warn("accepting pauses with %" PRIu32 " flows: %s",
			 ds->flows->n, why);
	/* datagrams cannot wait: udp.h says which of them are dropped */
	for (i = 0; i < ds->n; i++)
		if (!is_udp(ds->list[i].listener))
			loop_remove(ds->flows->loop, &ds->list[i].source);
	ds->paused = true;
	ds->paused_until_ms = now(ds) + ms;
	timer_set(&ds->flows->loop->timers, &ds->pause, ds->paused_until_ms);
	shm_count(&ds->flows->own->counts.paused);
}

/* Errors of accept() that mean the box, not this one connection. */
static bool
is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

/* Accept one. False: no more for now. */
static bool
accept_one(struct door *d)
{
	struct doors *ds = d->doors;
	union sockaddr_any sa;
	socklen_t len = sizeof(sa);
	struct endpoint peer;
	int fd, error;

	if (!udp_make_room(ds->flows)) {
		pause_accepting(ds, FULL_MS, "the flow table is full");
		return false;
	}
	sa.sa.sa_family = AF_UNSPEC;
	fd = accept4(d->source.fd, &sa.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	error = errno;
	/* what a link holds that nobody uses will do */
	if (fd < 0 && (error == EMFILE || error == ENFILE) &&
	    reuse_shed(&ds->flows->reuse))
		return true;
	if (fd < 0 && is_shortage(error))
		pause_accepting(ds, PAUSE_MS, strerror(error));
	if (fd < 0)
		return error != EAGAIN && !is_shortage(error);
	peer = endpoint_from_sockaddr(&sa);
	flow_open(ds->flows, d->listener, fd, &peer);
	if (flows_have_reserve(ds->flows))
		return true;
	pause_accepting(ds, PAUSE_MS, "no descriptors left");
	return false;
}

static void
on_door(void *owner, uint32_t events)
{
	struct door *d = owner;
	int i;

	(void)events;
	if (is_udp(d->listener)) {
		udp_receive(d->doors->flows, d->listener, d->source.fd);
		return;
	}
	for (i = 0; i < ACCEPT_TURN; i++)
		if (!accept_one(d))
			return;
}

/* Wait at it, if it is there and its slot is served. */
static int
open_door(struct doors *ds, struct door *d)
{
	int fd = sockets_fd(d->listener->sockets, d->slot);

	if (fd < 0 || d->source.waiting || !ds->serves[d->slot])
		return 0;
	return loop_add(ds->flows->loop, &d->source, fd, EPOLLIN, on_door, d);
}

/* At all of them where it does not wait yet. */
static int
start_accepting(struct doors *ds)
{
	size_t i;
	int r;

	ds->paused = false;
	for (i = 0; i < ds->n; i++) {
		r = open_door(ds, &ds->list[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The loop has woken up, which is all that it is for. */
static void
on_pause_over(void *owner)
{
	(void)owner;
}

void
doors_resume(struct doors *ds)
{
	if (!ds->paused || now(ds) < ds->paused_until_ms ||
	    !udp_make_room(ds->flows) || !flows_have_reserve(ds->flows))
		return;
	if (start_accepting(ds) < 0)
		pause_accepting(ds, PAUSE_MS, "cannot wait for listeners");
}

/* --- slots ---------------------------------------------------------------- */

/* There are more doors to wait at. */
static void
start_again(struct doors *ds)
{
	if (!ds->paused && start_accepting(ds) < 0)
		pause_accepting(ds, PAUSE_MS, "cannot wait for listeners");
}

void
doors_take(struct doors *ds, uint32_t slot)
{
	if (slot >= ds->listeners->n_slots)
		return;
	ds->serves[slot] = true;
	start_again(ds);
}

void
doors_give(struct doors *ds, uint32_t slot)
{
	size_t i;

	if (slot >= ds->listeners->n_slots)
		return;
	ds->serves[slot] = false;
	for (i = 0; i < ds->n; i++)
		if (ds->list[i].slot == slot)
			loop_remove(ds->flows->loop, &ds->list[i].source);
}

bool
doors_put(struct doors *ds, uint32_t listener, uint32_t slot, int fd)
{
	struct sockets_what what;
	struct listener *l;

	if (listener >= ds->listeners->n || slot >= ds->listeners->n_slots)
		return false;
	l = &ds->listeners->list[listener];
	what = listener_what(l);
	if (!l->sockets)
		l->sockets = sockets_new(&what);
	if (!l->sockets || sockets_fd(l->sockets, slot) >= 0 ||
	    sockets_put(l->sockets, slot, fd) < 0)
		return false;
	start_again(ds);
	return true;
}

/* --- leaving -------------------------------------------------------------- */

/* What waits in the queue, now. */
static void
take_in(struct door *d)
{
	struct doors *ds = d->doors;
	size_t n;

	if (is_udp(d->listener)) {
		for (n = 0; n < DRAIN_TURN &&
			    udp_receive(ds->flows, d->listener, d->source.fd);)
			n += UDP_TURN;
		return;
	}
	for (n = 0; n < DRAIN_TURN && !ds->paused; n++)
		if (!accept_one(d))
			break;
}

void
doors_leave(struct doors *ds, size_t listener, bool empty)
{
	uint32_t n_slots = ds->listeners->n_slots, slot;
	struct door *d = &ds->list[listener * n_slots];

	for (slot = 0; slot < n_slots; slot++, d++) {
		if (!d->source.waiting)
			continue;
		if (empty)
			take_in(d);
		loop_remove(ds->flows->loop, &d->source);
	}
	listener_shut(&ds->listeners->list[listener]);
}

void
doors_leave_all(struct doors *ds)
{
	size_t i;

	for (i = 0; i < ds->listeners->n; i++)
		doors_leave(ds, i, true);
	ds->paused = false;
}

/* --- making --------------------------------------------------------------- */

int
doors_init(struct doors *ds, struct flows *fs, struct listeners *ls)
{
	size_t i;

	*ds = (struct doors){.flows = fs, .listeners = ls};
	timer_init(&ds->pause, on_pause_over, ds);
	ds->n = ls->n * ls->n_slots;
	ds->list = calloc(ds->n + 1, sizeof(*ds->list));
	ds->serves = calloc(ls->n_slots, sizeof(*ds->serves));
	if (!ds->list || !ds->serves)
		return -ENOMEM;
	for (i = 0; i < ds->n; i++) {
		ds->list[i].doors = ds;
		ds->list[i].listener = &ls->list[i / ls->n_slots];
		ds->list[i].slot = (uint32_t)(i % ls->n_slots);
	}
	return 0;
}

void
doors_fini(struct doors *ds)
{
	free(ds->list);
	free(ds->serves);
	*ds = (struct doors){0};
}
