/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who looks without the lock has seen something whole only if nobody held it
 * before and after, and the record is still the same.
 */
#include "netsetup/change/drift.h"

#include <errno.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/change/observe.h"
#include "netsetup/change/readback.h"

static int
look(struct drift *d, const struct journal *j)
{
	struct journal_policy copy;
	struct sysctl_record record;
	struct readback readback;
	int r;

	r = journal_load_policy(j, d->arena, &copy);
	if (r == 0)
		r = journal_load(j, d->arena, &record);
	if (r == 0)
		r = readback_load(j, d->arena, &readback);
	if (r == 0)
		r = wanted_load(&copy, d->arena, &d->diags, &d->wanted);
	/* without a policy there is nothing that must be as it was */
	if (r < 0 || !d->wanted.policy)
		return r;
	r = observe_state(d->arena, &record, NFT_DEPTH_RULES, &d->observed,
			  NULL);
	if (r < 0)
		return r;
	readback_mark(&readback, &d->observed);
	d->diff = diff(&d->observed, &d->wanted.state, d->arena);
	return 0;
}

int
drift_look(struct drift *d, const struct journal *j)
{
	int r;

	memset(d, 0, sizeof(*d));
	d->arena = arena_new();
	diags_init(&d->diags);
	if (journal_at_work(j))
		return -EBUSY;
	d->stamp = journal_stamp(j, "policy");
	r = look(d, j);
	if (journal_at_work(j) || journal_stamp(j, "policy") != d->stamp ||
	    journal_stamp(j, "intent"))
		return -EBUSY;
	return r;
}

void
drift_fini(struct drift *d)
{
	wanted_fini(&d->wanted, NULL);
	diags_fini(&d->diags);
	arena_free(d->arena);
	memset(d, 0, sizeof(*d));
}
