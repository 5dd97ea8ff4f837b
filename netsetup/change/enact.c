/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of writing, and what follows from it: an intent whose rules are
 * in the kernel was committed, and one whose rules are not was not.
 */
#include "netsetup/change/enact.h"

#include <string.h>

#include "netsetup/change/intent.h"
#include "netsetup/change/observe.h"
#include "netsetup/change/wanted.h"

static void
cannot_write(const struct journal *j, int error, struct diags *diags)
{
	const struct place none = {0};

	diag_add(diags, DIAG_ERROR, none, NULL, "cannot write to %s: %s",
		 j->dir, strerror(-error));
}

int
enact(struct journal *j, const char *path, const char *text,
      const struct kstate *desired, struct arena *arena, struct diags *diags,
      struct applied *ret_applied)
{
	int r, finished;

	memset(ret_applied, 0, sizeof(*ret_applied));
	r = intent_begin(j, path, text);
	/* taking all away must not fail for want of room to say so */
	if (r < 0 && text) {
		cannot_write(j, r, diags);
		return r;
	}
	r = apply(j, desired, arena, diags, ret_applied);
	if (!ret_applied->in_force) {
		intent_drop(j);
		return r;
	}
	finished = intent_finish(j);
	if (finished < 0)
		cannot_write(j, finished, diags);
	return r < 0 ? r : finished;
}

/* Behind the comment that names the file. */
static const char *
canonical_text(const struct journal_policy *copy)
{
	const char *end = strchr(copy->text, '\n');

	return end ? end + 1 : "";
}

int
enact_copy(struct journal *j, const struct journal_policy *copy,
	   struct arena *arena, struct diags *diags)
{
	struct applied done;
	struct wanted w;
	int r;

	r = wanted_load(copy, arena, diags, &w);
	if (r == 0)
		r = enact(j, copy->path,
			  copy->path ? canonical_text(copy) : NULL, &w.state,
			  arena, diags, &done);
	wanted_fini(&w, diags);
	return r;
}

/* Does nftables hold what this policy wants? */
static int
is_committed(const struct journal_policy *copy, struct arena *arena,
	     struct diags *diags, bool *ret_committed)
{
	const struct sysctl_record none = {0};
	struct kstate now;
	struct wanted w;
	struct kdiff d;
	size_t i;
	int r;

	r = wanted_load(copy, arena, diags, &w);
	if (r == 0)
		r = observe_state(arena, &none, NFT_DEPTH_RULES, &now, NULL);
	if (r == 0) {
		d = diff(&now, &w.state, arena);
		*ret_committed = true;
		for (i = 0; i < d.n; i++) {
			if (kchange_is_nft(&d.list[i]))
				*ret_committed = false;
		}
	}
	wanted_fini(&w, diags);
	return r;
}

static int
again(struct journal *j, const struct journal_policy *copy, struct arena *arena,
      struct diags *diags, struct applied *ret_applied)
{
	struct wanted w;
	int r;

	memset(ret_applied, 0, sizeof(*ret_applied));
	r = wanted_load(copy, arena, diags, &w);
	if (r == 0)
		r = apply(j, &w.state, arena, diags, ret_applied);
	wanted_fini(&w, diags);
	return r;
}

int
enact_again(struct journal *j, const struct journal_policy *copy,
	    struct arena *arena, struct diags *diags)
{
	struct applied done;

	return again(j, copy, arena, diags, &done);
}

int
enact_recover(struct journal *j, struct arena *arena, struct diags *diags,
	      struct interrupted *ret_what)
{
	struct journal_policy former;
	struct intent intent;
	struct applied done;
	bool committed = false;
	int r, finished;

	memset(ret_what, 0, sizeof(*ret_what));
	r = intent_load(j, arena, &intent);
	if (r == 0)
		r = journal_load_policy(j, arena, &former);
	if (r < 0 || !intent.there)
		return r;
	ret_what->found = true;
	if (!intent.policy.drain)
		ret_what->path = intent.policy.path;
	r = is_committed(&intent.policy, arena, diags, &committed);
	if (r < 0)
		return r;
	ret_what->finished = committed;
	r = again(j, committed ? &intent.policy : &former, arena, diags, &done);
	if (!done.in_force)
		return r;
	finished = committed ? intent_finish(j) : intent_drop(j);
	return r < 0 ? r : finished;
}
