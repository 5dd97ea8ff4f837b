/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settle.h - connections that were there before anybody tracked any.
 *
 * On a box that tracks nothing, the rules that redirect are the first to ask
 * for connection tracking. What it meets in the middle of a connection it
 * takes for a new one, and to redirect that would cut it. For a while after
 * the table is made such packets are let go instead: their connections get an
 * entry without NAT and go on unproxied until they end. After that the middle
 * of an unknown connection is one of ours again that conntrack forgot.
 */
#ifndef NETSETUP_STATE_SETTLE_H
#define NETSETUP_STATE_SETTLE_H

#include "netsetup/state/draft.h"

/* The families that are still settling. */
#define SETTLE_SET "settling"

/*
 * Two hours: by then TCP's keep-alive, as most hosts have it, has spoken for
 * whoever is silent. Source: RFC 9293, 3.8.4.
 */
enum { SETTLE_MS = 2 * 60 * 60 * 1000 };

/* Add the set of `families`, FAMILY_* bits, and the rule to `chain`. Pure. */
void settle_add(struct draft *d, const char *chain, unsigned int families,
		struct place place);

#endif
