/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drain.h - what stays while proxied flows come to their end.
 *
 * Pure. Nothing that captures stays, and no alive set: new connections are
 * routed, and proxyd hears that nobody captures for it. Guards, zones, marks,
 * divert, ip rules, routes and settings stay as they are.
 */
#ifndef NETSETUP_STATE_DRAIN_H
#define NETSETUP_STATE_DRAIN_H

#include "netsetup/state/kstate.h"

struct arena;

enum drain {
	DRAIN_NONE,
	DRAIN_ACCEPTS, /* proxyd still connects for what it has accepted */
	DRAIN_REFUSES, /* it finds no return path: no new flow that spoofs */
};

/*
 * The part of `wanted` that running flows need; lists live in `arena` and
 * share what is in them. With DRAIN_NONE that is all of it. `wanted` may be a
 * part already, and be ret_state.
 */
void drain_state(const struct kstate *wanted, enum drain drain,
		 struct arena *arena, struct kstate *ret_state);

#endif
