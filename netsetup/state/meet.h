/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meet.h - would this policy, on this box, capture that connection?
 *
 * Pure. Asks the policy as packets would: on which interface a client comes
 * in and by which its packets go out may be unknown, and then any that could
 * be is tried.
 */
#ifndef NETSETUP_STATE_MEET_H
#define NETSETUP_STATE_MEET_H

#include "policy/policy.h"

#include "netsetup/state/desired.h"

/* A connection, as its first packet shows it. */
struct meet_flow {
	enum proto proto;
	struct endpoint client;
	struct endpoint server;
	const char *in;	 /* NULL: any interface of the box */
	const char *out; /* NULL: any of `outside` */
};

/* The statement that captures it; `intercept` NULL: none does. */
struct meet {
	const struct policy_service *service;
	const struct policy_intercept *intercept;
};

struct meet meet_policy(const struct policy *p, const struct facts *facts,
			const struct meet_flow *flow);

/* Is this an address of the box? */
bool meet_is_local(const struct facts *facts, const struct addr *addr);

#endif
