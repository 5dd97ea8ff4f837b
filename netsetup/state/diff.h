/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff.h - what has to change so that the kernel has what is wanted.
 *
 * Pure. What is the same on both sides is not mentioned, and therefore keeps
 * its counters and its elements. It reads no clock and no kernel; it knows
 * nothing about the order in which changes can be made, except that rules of
 * one chain are named in theirs.
 */
#ifndef NETSETUP_STATE_DIFF_H
#define NETSETUP_STATE_DIFF_H

#include "netsetup/state/kstate.h"

enum kchange_op {
	KCHANGE_ADD,
	KCHANGE_REMOVE,
	KCHANGE_REPLACE,
};

enum kchange_object {
	KCHANGE_TABLE,
	KCHANGE_CHAIN,
	KCHANGE_SET,
	KCHANGE_RULE,
	KCHANGE_IPRULE,
	KCHANGE_ROUTE,
	KCHANGE_SYSCTL,
	KCHANGE_TIMEOUT,
};

/* Points to the object as it is and as it shall be; either may be missing. */
union kobject {
	const struct kchain *chain;
	const struct kset *set;
	const struct krule *rule;
	const struct kiprule *iprule;
	const struct kroute *route;
	const struct ksysctl *sysctl;
	const struct ktimeout *timeout;
	const void *any;
};

struct kchange {
	enum kchange_op op;
	enum kchange_object object;
	union kobject was;  /* REMOVE, REPLACE; borrows from observed */
	union kobject will; /* ADD, REPLACE; borrows from desired */
	uint64_t before;    /* rules: handle of the next one; 0: at the end */
};

struct kdiff {
	struct kchange *list;
	size_t n;
};

/*
 * Changes from `observed` to `desired`, in `arena`. The lists of both states
 * must outlive them.
 */
struct kdiff diff(const struct kstate *observed, const struct kstate *desired,
		  struct arena *arena);

/* Is it nftables', and so part of the one batch? */
bool kchange_is_nft(const struct kchange *c);

/* "add", "remove", "replace"; "table", "chain", ... */
const char *kchange_op_name(enum kchange_op op);
const char *kchange_object_name(enum kchange_object object);

#endif
