/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.h - what statements mean for each other.
 *
 * Everything that the keyword table cannot say, because it takes two
 * statements to be wrong. Completes the model on the way: pools are found,
 * capture ports given.
 */
#ifndef POLICY_CHECK_H
#define POLICY_CHECK_H

#include "policy/model.h"
#include "policy/policy.h"
#include "policy/source.h"

/* Check and complete `p`; mistakes are reported. Warnings are given only
 * for a policy without mistakes. */
void check_policy(struct sources *sources, const struct model_notes *notes,
		  struct policy *p);

#endif
