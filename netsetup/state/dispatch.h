/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dispatch.h - a long list of rules, so that a packet meets few of them.
 *
 * A front chain has rules for every service. Tried one after the other, they
 * cost each packet more with each service. Here the list becomes a tree of
 * chains: verdict maps on ports, addresses and interfaces lead to chains that
 * hold, complete and in order, the rules that such a packet may still match.
 * The tree only leaves out what cannot match; a short list stays as it is.
 */
#ifndef NETSETUP_STATE_DISPATCH_H
#define NETSETUP_STATE_DISPATCH_H

#include "netsetup/state/draft.h"
#include "netsetup/state/span.h"

/*
 * Append `n` rules to `chain`, or the chains and maps that do the same. What
 * is added besides them is asked for by `place` and labelled `name`. Nothing
 * may follow in `chain`: packets do not come back to it. Pure.
 */
void dispatch(struct draft *d, const char *chain, struct place place,
	      const char *name, const struct dispatch_rule *rules, size_t n);

#endif
