/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doors.h - the listening sockets of a worker, where clients come in.
 *
 * Each listener has a socket a slot. Which slots it serves the worker is
 * told; of all of them it has the sockets. Accepting pauses while the flow
 * table is full or descriptors are short: clients then wait in the queues.
 */
#ifndef PROXYD_DOORS_H
#define PROXYD_DOORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/base/limiter.h"
#include "proxyd/base/timer.h"
#include "proxyd/flow/flow.h"
#include "proxyd/net/listener.h"

struct door;

struct doors {
	struct flows *flows;	     /* borrows: of who comes in */
	struct listeners *listeners; /* borrows */
	struct door *list;	     /* owns: of each listener, its slots */
	size_t n;
	bool *serves; /* owns: of each slot */
	bool paused;
	struct timer pause;
	uint64_t paused_until_ms;
	struct limiter said_full;
};

/* No slot is served yet. 0 or -ENOMEM. Fini of a zeroed one is safe. */
int doors_init(struct doors *ds, struct flows *fs, struct listeners *ls);
void doors_fini(struct doors *ds);

/* Accept from the sockets of a slot, also from those that come later. */
void doors_take(struct doors *ds, uint32_t slot);

/* No more. */
void doors_give(struct doors *ds, uint32_t slot);

/*
 * A socket that was not open when we were started. True: it is taken; false:
 * there is no such place, or it has one.
 */
bool doors_put(struct doors *ds, uint32_t listener, uint32_t slot, int fd);

/* Go on accepting, if what it paused for is over. Once a turn. */
void doors_resume(struct doors *ds);

/* Leave a listener, for ever; with `empty`, take in who waits there first. */
void doors_leave(struct doors *ds, size_t listener, bool empty);

/* The same with all of them. */
void doors_leave_all(struct doors *ds);

#endif
