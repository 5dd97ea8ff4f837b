/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply.h - makes the kernel have what is wanted, or leaves it as it was.
 *
 * Settings, routes and ip rules are added first: they do nothing while
 * nothing is marked. Then all of nftables changes at once. Then what became
 * stale goes. When a step before the last is refused, the earlier ones are
 * undone.
 */
#ifndef NETSETUP_CHANGE_APPLY_H
#define NETSETUP_CHANGE_APPLY_H

#include "lib/diag.h"
#include "netsetup/change/journal.h"
#include "netsetup/state/diff.h"

/*
 * Bring about `desired`; an empty one removes all that is ours. The journal
 * must be locked. Looks at the kernel itself, and again whenever the ruleset
 * changes under its hands. Returns 0 and what was changed, in `arena`, in
 * *ret_diff; or -errno, and then `diags` has what the kernel refused, with
 * its place in the policy, if it was a single change.
 */
int apply(struct journal *journal, const struct kstate *desired,
	  struct arena *arena, struct diags *diags, struct kdiff *ret_diff);

#endif
