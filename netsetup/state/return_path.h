/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * return_path.h - the way of packets to sockets with addresses of others.
 *
 * Needed wherever proxyd spoofs, and by tproxy even where it does not.
 */
#ifndef NETSETUP_STATE_RETURN_PATH_H
#define NETSETUP_STATE_RETURN_PATH_H

#include "policy/policy.h"

#include "netsetup/state/draft.h"

/* A statement of the policy, and a name for people. */
struct cause {
	struct place place;
	const char *name; /* borrows from the policy */
};

bool return_path_wanted(const struct policy *p);

/* What asks for it: the nearest statement that was written. */
struct cause return_path_cause(const struct policy *p);

/*
 * Add chains, ip rules and routes for it, in the `families` that the box
 * has: listeners and upstream sockets are not bound to `family` of a policy.
 * Rules lead to the chain that capture_add() makes. Pure; cannot fail.
 */
void return_path_add(struct draft *d, const struct policy *p,
		     unsigned int families);

#endif
