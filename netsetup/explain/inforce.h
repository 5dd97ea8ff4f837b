/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inforce.h - the rules that are really there, as far as they are ours.
 *
 * Rules that were read back carry no expressions; those that were wanted do.
 * Where digest and bytes say that they are the same, the wanted one stands
 * for the other.
 */
#ifndef NETSETUP_EXPLAIN_INFORCE_H
#define NETSETUP_EXPLAIN_INFORCE_H

#include "netsetup/state/kstate.h"

/*
 * Chains, sets and rules of `observed`, in their order, with expressions,
 * text and places of `wanted`. Rules that are not known, or were edited, are
 * left out; *ret_unknown says how many. Lists live in `arena`. Pure.
 */
struct kstate inforce(const struct kstate *wanted,
		      const struct kstate *observed, struct arena *arena,
		      size_t *ret_unknown);

#endif
