/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.h - capture ports are for what was captured, and for nobody else.
 */
#ifndef NETSETUP_STATE_GUARD_H
#define NETSETUP_STATE_GUARD_H

#include "policy/policy.h"

#include "netsetup/state/draft.h"

/*
 * Add rules by which nobody reaches a capture port without having been
 * captured, and no answer whose redirection was forgotten leaves from one.
 */
void guard_add(struct draft *d, const struct policy *p);

#endif
