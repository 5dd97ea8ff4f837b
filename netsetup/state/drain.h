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

/*
 * The part of `wanted` that running flows need; lists live in `arena` and
 * share what is in them. `accepts`: proxyd shall still find its return path
 * and connect for what it has accepted; without that it takes no new flow
 * from another's address.
 */
void drain_state(const struct kstate *wanted, bool accepts, struct arena *arena,
		 struct kstate *ret_state);

/* Does a box that shall have `wanted` have that part of it, and not more? */
bool drain_is_under_way(const struct kstate *observed,
			const struct kstate *wanted, struct arena *arena);

#endif
