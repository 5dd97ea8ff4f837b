/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drift.h - does the kernel still have what was applied last?
 */
#ifndef NETSETUP_CHANGE_DRIFT_H
#define NETSETUP_CHANGE_DRIFT_H

#include "netsetup/change/wanted.h"
#include "netsetup/state/diff.h"

/* A look, and all that it saw. */
struct drift {
	struct arena *arena; /* owns */
	struct diags diags;  /* what this box cannot do */
	struct wanted wanted;
	struct kstate observed;
	struct kdiff diff; /* what would mend it */
	uint64_t stamp;	   /* of the policy's record */
};

/*
 * Look, without the lock. 0; -EBUSY if another netsetup was at work meanwhile,
 * and what was seen may be half of something; else -errno. Followed by
 * drift_fini() in every case.
 */
int drift_look(struct drift *d, const struct journal *j);

void drift_fini(struct drift *d);

#endif
