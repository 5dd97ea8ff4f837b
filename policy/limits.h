/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits.h - which limits hold for a service.
 *
 * Gateway and service may each have at most one limit of a sort: of
 * connections or of the rate, in all or per client. A service's own takes
 * the place of the gateway's of the same sort, as a timeout does; those that
 * it does not have are the gateway's, and count for each service apart.
 */
#ifndef POLICY_LIMITS_H
#define POLICY_LIMITS_H

#include "policy/policy.h"
#include "policy/source.h"

/*
 * Give the services of `p` the limits that they inherit, and put all of them
 * in one order. A sort that stands in a block twice is reported.
 */
void limits_complete(struct sources *sources, struct policy *p);

#endif
