/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * desired.h - from a policy to the kernel state that it asks for.
 *
 * Pure: what must be known about the box comes in as facts. It also says
 * what cannot work on this box, and what will be left out.
 */
#ifndef NETSETUP_STATE_DESIRED_H
#define NETSETUP_STATE_DESIRED_H

#include "lib/diag.h"
#include "policy/policy.h"

#include "netsetup/state/kstate.h"

struct facts_iface {
	char name[POLICY_IFACE_LEN];
	bool ipv4;     /* has an IPv4 address */
	bool ra_route; /* an IPv6 default route was learnt from its router */
	int accept_ra; /* its sysctl; 0 where there is none */
};

/* What is true of this box, whatever the policy. */
struct facts {
	unsigned int families; /* switched on, FAMILY_* bits */
	bool forwards_ipv6;    /* already */
	struct facts_iface *ifaces;
	size_t n_ifaces;
	const struct addr *addrs; /* its own */
	size_t n_addrs;
};

/*
 * Fill *ret_state, whose lists live in `arena`. Refusals and warnings go to
 * `diags`. Returns 0, or -EOPNOTSUPP if this box cannot do what is asked;
 * *ret_state is complete even then.
 */
int desired(const struct policy *p, const struct facts *facts,
	    struct arena *arena, struct diags *diags, struct kstate *ret_state);

#endif
