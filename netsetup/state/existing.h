/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * existing.h - ends connections that were there before they could be
 * captured.
 */
#ifndef NETSETUP_STATE_EXISTING_H
#define NETSETUP_STATE_EXISTING_H

#include "policy/policy.h"

#include "netsetup/state/draft.h"

/*
 * Add the rule that answers each packet of a connection whose connection mark
 * is TPROXIED, in whichever direction it goes, with a reset. No packet gives
 * a connection that mark: whoever asks for it marks those that are there.
 * The rule stays, since an idle connection may wait for hours. Pure.
 */
void existing_add(struct draft *d, const struct policy *p);

#endif
