/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reason.h - why a policy captures a flow, or does not, in its own words.
 *
 * The rules say what happens; the policy says why. This is policy_match()
 * with the condition that fails put into words.
 */
#ifndef NETSETUP_EXPLAIN_REASON_H
#define NETSETUP_EXPLAIN_REASON_H

#include "policy/policy.h"

/* A new flow, and what the box makes of its destination. */
struct reason_flow {
	enum proto proto;
	const char *iface;
	const struct endpoint *client;
	const struct endpoint *server;
	bool unicast;	       /* the destination is a host, or its own */
	bool local;	       /* it is the box's own */
	const char *outside;   /* by which a routed one would leave, or "" */
	unsigned int families; /* switched on, FAMILY_* bits */
};

struct reason {
	const struct policy_service *service; /* that captures it, or NULL */
	const char *text;   /* one sentence's end: "excepted by x.conf:3" */
	const char **notes; /* each intercept, and what about it fails */
	size_t n_notes;
};

/* All lives in `arena`. Pure; cannot fail. */
struct reason reason_find(const struct policy *p, const struct reason_flow *f,
			  struct arena *arena);

#endif
