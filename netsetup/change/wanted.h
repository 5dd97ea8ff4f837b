/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wanted.h - what a policy in the journal wants of this box today.
 */
#ifndef NETSETUP_CHANGE_WANTED_H
#define NETSETUP_CHANGE_WANTED_H

#include "netsetup/change/journal.h"
#include "netsetup/state/desired.h"

struct wanted {
	struct policy *policy; /* owns; NULL: nothing is wanted */
	const char *path;      /* where that was read from; NULL likewise */
	bool edited;	       /* its file says something else now */
	bool refused;	       /* this box cannot do it; diags say why */
	struct facts facts;
	struct kstate state; /* complete even then */
};

/*
 * The policy that `copy` holds. Where its file still says the same, that is
 * what is returned, with *ret_edited false: the places in it are what the
 * administrator knows. NULL, and an error in `diags`, if it is no policy.
 */
struct policy *wanted_policy(const struct journal_policy *copy,
			     struct diags *diags, bool *ret_edited);

/*
 * Work out what it wants; without a policy that is nothing. What was in force
 * once is not refused because the box has changed since: `refused` only tells.
 * 0; -EINVAL with an error in `diags` if it is no policy; else -errno. Always
 * followed by wanted_fini(); the state dies with it.
 */
int wanted_load(const struct journal_policy *copy, struct arena *arena,
		struct diags *diags, struct wanted *ret_wanted);

/* Lets go of the policy; `diags`, or NULL, outlives it. */
void wanted_fini(struct wanted *w, struct diags *diags);

#endif
