/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the journal's text to a state. Changes nothing.
 */
#include "netsetup/change/wanted.h"

#include <errno.h>
#include <string.h>

#include "netsetup/change/observe.h"
#include "netsetup/state/drain.h"

struct policy *
wanted_policy(const struct journal_policy *copy, struct diags *diags,
	      bool *ret_edited)
{
	struct policy *p, *now;
	struct diags unheard;

	p = policy_load_text(copy->copy, copy->text, copy->len, diags);
	if (!p)
		return NULL;
	diags_init(&unheard);
	now = policy_load(copy->path, &unheard);
	diags_fini(&unheard);
	*ret_edited = !now || !policy_equal(now, p);
	if (*ret_edited) {
		policy_free(now);
		return p;
	}
	policy_free(p);
	return now;
}

int
wanted_load(const struct journal_policy *copy, struct arena *arena,
	    struct diags *diags, struct wanted *ret_wanted)
{
	struct wanted *w = ret_wanted;
	int r;

	memset(w, 0, sizeof(*w));
	w->path = copy->path;
	if (!copy->path)
		return 0;
	w->policy = wanted_policy(copy, diags, &w->edited);
	if (!w->policy)
		return -EINVAL;
	r = observe_facts(arena, &w->facts);
	if (r < 0)
		return r;
	w->refused = desired(w->policy, &w->facts, arena, diags, &w->state) < 0;
	drain_state(&w->state, copy->drain, arena, &w->state);
	return 0;
}

void
wanted_fini(struct wanted *w, struct diags *diags)
{
	if (diags)
		diags_keep_names(diags);
	policy_free(w->policy);
	w->policy = NULL;
}
