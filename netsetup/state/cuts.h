/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cuts.h - does a change of policy cut flows that are being proxied?
 *
 * Pure. What is said here was measured. A redirected connection goes on
 * whatever the rules become, as long as there is any chain of type nat: with
 * the last one the kernel stops to translate. One that is spoofed or came by
 * tproxy goes on when routing table or ip rules get other numbers; but not
 * when its packets carry a mark that no rule knows. A spoofed one does not
 * bear another conntrack zone.
 */
#ifndef NETSETUP_STATE_CUTS_H
#define NETSETUP_STATE_CUTS_H

#include "lib/str.h"
#include "policy/policy.h"

/* The first reason. */
enum cut {
	CUT_NOTHING,
	CUT_MARK,	 /* packets carry marks that no rule knows */
	CUT_ZONE,	 /* they come into another conntrack zone */
	CUT_RETURN_PATH, /* what comes back finds nobody */
	CUT_NAT,	 /* our last chain of type nat goes */
};

/* Which legs of flows lose what they need. */
struct cuts {
	enum cut why;
	bool spoofed;	 /* to servers, from another's address */
	bool tproxied;	 /* from clients */
	bool redirected; /* from clients, unless others have NAT as well */
};

/* When `will` follows on `was`; NULL: nothing follows. */
struct cuts cuts(const struct policy *was, const struct policy *will);

/* "cuts 3 flows: the conntrack zone changes from 9061 to 9100" */
void cuts_format(const struct policy *was, const struct policy *will,
		 size_t n_flows, struct str *out);

#endif
