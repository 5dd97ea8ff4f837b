/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flows.h - the connections that are proxied now, as conntrack has them.
 */
#ifndef NETSETUP_CHANGE_FLOWS_H
#define NETSETUP_CHANGE_FLOWS_H

#include "policy/policy.h"

#include "netsetup/kernel/ct.h"
#include "netsetup/state/desired.h"

/*
 * A proxied flow has two legs, which conntrack does not connect. Those that
 * have ended are not counted.
 */
struct flows {
	size_t tproxied;		 /* client's legs, by tproxy */
	size_t redirected4, redirected6; /* by NAT */
	size_t spoofed; /* legs to servers, from another's address */
};

/* Is this entry a leg of a flow that is proxied under `p`, and which? */
enum flows_leg {
	FLOWS_LEG_NONE,
	FLOWS_LEG_TPROXIED,
	FLOWS_LEG_REDIRECTED,
	FLOWS_LEG_SPOOFED,
};

enum flows_leg flows_leg(const struct policy *p, const struct facts *facts,
			 const struct ct_entry *entry);

/* How many flows are these, at least? */
size_t flows_total(const struct flows *f);

/*
 * Count the flows that are proxied under `p`, which is the policy in force. 0;
 * -EPERM without CAP_NET_ADMIN; else -errno.
 */
int flows_count(const struct policy *p, const struct facts *facts,
		struct flows *ret_flows);

#endif
