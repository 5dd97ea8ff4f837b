/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply.h - makes the kernel have what is wanted, or leaves it as it was.
 *
 * Settings, routes and ip rules are added first: they do nothing while
 * nothing is marked. Then all of nftables changes at once. Then what became
 * stale goes. When a step before the last is refused, the earlier ones are
 * undone. What is stale and cannot be taken away stays: what is wanted is in
 * force nevertheless.
 */
#ifndef NETSETUP_CHANGE_APPLY_H
#define NETSETUP_CHANGE_APPLY_H

#include "lib/diag.h"
#include "netsetup/change/journal.h"
#include "netsetup/state/diff.h"

/* What came of it, also where there was an error. */
struct applied {
	struct kdiff diff; /* what was changed */
	bool in_force;	   /* what is wanted; else all is as it was */
};

/*
 * Bring about `desired`; an empty one removes all that is ours. The journal
 * must be locked. Looks at the kernel itself, and again whenever the ruleset
 * changes under its hands. Returns 0, or -errno, and then `diags` has what the
 * kernel refused, with its place in the policy, if it was a single change.
 * *ret_applied, always filled, lives in `arena`.
 */
int apply(struct journal *journal, const struct kstate *desired,
	  struct arena *arena, struct diags *diags,
	  struct applied *ret_applied);

#endif
