/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heartbeat.h - proxyd's datagrams to itself, by which rules know it is there.
 */
#ifndef NETSETUP_STATE_HEARTBEAT_H
#define NETSETUP_STATE_HEARTBEAT_H

#include "policy/policy.h"

#include "netsetup/state/draft.h"
#include "netsetup/state/return_path.h"

/*
 * Add the chain in output that knows them: each renews its service's alive
 * set and goes nowhere. `cause`, if not NULL, asks for a return path, whose
 * probe only goes nowhere. Pure; cannot fail.
 */
void heartbeat_add(struct draft *d, const struct policy *p,
		   const struct cause *cause);

#endif
