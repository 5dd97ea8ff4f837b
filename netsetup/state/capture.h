/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture.h - which new flows go to which service's capture port.
 *
 * One base chain looks at interface, addresses and ports of every intercept,
 * in the order of the policy, and jumps to the chain of its service. That
 * returns for what the service excepts, captures while the service is alive,
 * and else does what `on-failure` says.
 */
#ifndef NETSETUP_STATE_CAPTURE_H
#define NETSETUP_STATE_CAPTURE_H

#include "policy/policy.h"

#include "netsetup/state/draft.h"

/* Is there anything to capture? */
bool capture_wanted(const struct policy *p);

/* Is there a service of this protocol that is captured in this way? */
bool capture_uses(const struct policy *p, enum via via, enum proto proto);

/*
 * How long conntrack shall remember a silent flow of UDP: longer than the
 * most patient service, in seconds.
 */
uint32_t capture_udp_seconds(const struct policy *p);

/* The chain that packets meet which may be tproxied. */
#define CAPTURE_TPROXIED "tproxied"

/* Could a flow of `family` match this intercept? */
bool capture_has_family(const struct policy_intercept *i, int family);

/*
 * Add chains, sets and rules for all intercepts. `families` are
 * those to capture, FAMILY_* bits. Pure; cannot fail.
 */
void capture_add(struct draft *d, const struct policy *p,
		 unsigned int families);

#endif
