/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that can be refused without touching anything comes first: the
 * policy, the box, the right to look, who would be cut off. Then the lock, and
 * the change. Silent when all went well.
 */
#include "netsetup/cmd/apply.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "netsetup/change/apply.h"
#include "netsetup/cmd/guard.h"

/* Said once: what is captured passes by the forward chains of others. */
static void
note_forward_chain(const struct session *s)
{
	if (s->observed.table || !kstate_chain(&s->desired, "capture") ||
	    !kstate_forward_drops(&s->observed))
		return;
	log_notice("this box drops what its forward chains do not accept; "
		   "captured connections do not pass these chains any more");
}

/* For `status`: what is in force from now on. */
static int
record_policy(const struct session *s, const struct journal *j,
	      const char *path)
{
	char absolute[PATH_MAX];
	struct str text = {0};
	int r;

	policy_print(s->policy, &text);
	r = journal_store_policy(j, realpath(path, absolute) ? absolute : path,
				 str_text(&text));
	str_fini(&text);
	return r;
}

static int
change(struct session *s, struct journal *j, const char *path)
{
	struct kdiff d = {0};
	int r;

	r = apply(j, &s->desired, s->arena, &s->diags, &d);
	if (d.n > 0 || r < 0)
		common_print(&s->diags);
	if (r < 0 && s->diags.n_errors == 0)
		return common_fail("apply", r);
	if (r < 0)
		return EXIT_FAILED;
	if (d.n > 0)
		note_forward_chain(s);
	r = record_policy(s, j, path);
	if (r < 0)
		return common_fail("applied, but " JOURNAL_DIR, r);
	return EXIT_DONE;
}

/* May it be done? -1, or the exit status. */
static int
ask_guard(struct session *s, const struct options *o)
{
	struct guard g;
	int status;

	if (o->force || diff(&s->observed, &s->desired, s->arena).n == 0)
		return -1;
	status = guard_open(s, DIAG_ERROR, &g);
	if (status < 0)
		status = guard_refuse(&g);
	guard_close(&g);
	return status;
}

static int
run(struct session *s, const struct options *o)
{
	struct journal j;
	int status;

	status = session_open(s, o->policy);
	if (status < 0 && s->refused) {
		common_print(&s->diags);
		return EXIT_FAILED;
	}
	if (status < 0)
		status = session_observe(s); /* may we? */
	if (status < 0)
		status = ask_guard(s, o);
	if (status < 0)
		status = common_lock(&j);
	if (status >= 0)
		return status;
	status = change(s, &j, o->policy);
	journal_close(&j);
	return status;
}

int
cmd_apply(int argc, char **argv)
{
	return session_command(argc, argv, OPTION_FILE | OPTION_FORCE, NULL,
			       run);
}
