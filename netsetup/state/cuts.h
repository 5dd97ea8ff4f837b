/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cuts.h - does a change of policy cut flows that are being proxied?
 *
 * Pure. What is said here was measured: a redirected connection goes on
 * whatever the rules become, and so does a spoofed one whose routing table or
 * ip rule gets another number; but not one whose packets carry a mark that
 * no rule knows any more, or come into another conntrack zone.
 */
#ifndef NETSETUP_STATE_CUTS_H
#define NETSETUP_STATE_CUTS_H

#include "lib/str.h"
#include "policy/policy.h"

enum cut {
	CUT_NOTHING,
	CUT_MARK,	 /* packets carry marks that no rule knows */
	CUT_ZONE,	 /* they come into another conntrack zone */
	CUT_RETURN_PATH, /* what comes back finds nobody */
};

/* `will` follows on `was`; NULL: nothing follows. */
enum cut cuts(const struct policy *was, const struct policy *will);

/* "cuts 3 flows: the conntrack zone changes from 9061 to 9100" */
void cuts_format(const struct policy *was, const struct policy *will,
		 size_t n_flows, struct str *out);

#endif
