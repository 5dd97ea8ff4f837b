/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that can be refused without touching anything comes first: the
 * policy, the box, the right to look, who would be cut off. Then the lock, and
 * the change. Silent when all went well, unless there is something to
 * confirm.
 */
#include "netsetup/cmd/apply.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "netsetup/change/enact.h"
#include "netsetup/change/existing.h"
#include "netsetup/cmd/guard.h"
#include "netsetup/cmd/leftover.h"
#include "netsetup/cmd/serving.h"

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

/* A policy, as it will be on record. */
struct target {
	char path[PATH_MAX];
	struct str text; /* owns; canonical */
};

/* In the record the name is a line. false, and a word, if it is none. */
static bool
target_init(struct target *t, const struct session *s, const char *path)
{
	if (!realpath(path, t->path))
		snprintf(t->path, sizeof(t->path), "%s", path);
	t->text = (struct str){0};
	policy_print(s->policy, &t->text);
	if (!strchr(t->path, '\n'))
		return true;
	log_error("apply: the name of the policy's file has a line break; "
		  "give it another");
	return false;
}

/* Does what is in force say the same, word for word? */
static bool
is_in_force(struct session *s, const struct journal *j, const struct target *t)
{
	const char *record =
		arena_printf(s->arena, "# %s\n%s", t->path, str_text(&t->text));
	struct journal_policy now, will;

	will = journal_parse_policy(j, record, s->arena);
	return journal_load_policy(j, s->arena, &now) == 0 &&
	       journal_same_policy(&now, &will);
}

static int
refuse_waiting(struct journal *j, const struct pending *p)
{
	char time[CLOCK_DURATION_LEN];

	leftover_keep_timer(j, p);
	log_error("%s waits to be confirmed: `netsetup confirm` keeps it, "
		  "`netsetup remove` takes all away, and in %s what was in "
		  "force before is put back",
		  p->path, leftover_time(p, time));
	return EXIT_FAILED;
}

static int
change(struct session *s, struct journal *j, const struct target *t,
       bool *ret_in_force)
{
	struct applied done;
	int r;

	r = enact(j, t->path, str_text(&t->text), &s->desired, s->arena,
		  &s->diags, &done);
	*ret_in_force = done.in_force;
	if (done.diff.n > 0 || r < 0)
		common_print(&s->diags);
	if (r < 0 && s->diags.n_errors == 0)
		return common_fail("cannot apply, or cannot write "
				   "to " JOURNAL_DIR,
				   r);
	if (r < 0)
		return EXIT_FAILED;
	if (done.diff.n > 0)
		note_forward_chain(s);
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

/* The same, with a timer that puts back what was. */
static int
try_out(struct session *s, struct journal *j, const struct target *t,
	uint64_t ms)
{
	char duration[CLOCK_DURATION_LEN];
	bool in_force;
	int r, status;

	r = leftover_try(j, ms, t->path);
	if (r < 0)
		return common_fail("cannot start the timer", r);
	status = change(s, j, t, &in_force);
	if (in_force) /* also where something stale is left */
		printf("what was in force before is put back in %s unless "
		       "you type `netsetup confirm`\n",
		       clock_duration(ms, duration));
	else
		leftover_settle(j);
	return status;
}

/* What was there before the rules were, but not this very session. */
static int
reset_existing(const struct session *s)
{
	struct ct_tuple ssh = {0};
	bool spare = guard_ssh_session(&ssh.from, &ssh.to);
	int r;

	r = existing_reset(s->policy, &s->facts, spare ? &ssh : NULL);
	if (r < 0)
		return common_fail("applied, but not all existing connections "
				   "are reset",
				   r);
	return EXIT_DONE;
}

/* Rules and proxyd get along; but somebody may believe that both changed. */
static void
note_serving(const struct session *s, const struct target *t)
{
	struct serving serving = serving_ask(s->policy, s->arena);
	struct str text = {0};

	serving_text(&serving, t->path, false, &text);
	if (text.len > 0)
		log_notice("%s", str_text(&text));
	str_fini(&text);
}

/* With the lock. */
static int
change_or_wait(struct session *s, struct journal *j, const struct options *o)
{
	struct pending waiting;
	struct target t;
	bool in_force, named;
	int status = EXIT_FAILED;

	leftover_mend(j, s->arena, &waiting);
	if (waiting.there)
		return refuse_waiting(j, &waiting);
	named = target_init(&t, s, o->policy);
	if (named && o->confirm_ms && !is_in_force(s, j, &t))
		status = try_out(s, j, &t, o->confirm_ms);
	else if (named)
		status = change(s, j, &t, &in_force);
	if (status == EXIT_DONE && o->reset_existing)
		status = reset_existing(s);
	if (status == EXIT_DONE)
		note_serving(s, &t);
	str_fini(&t.text);
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
		status = session_observe(s, NFT_DEPTH_RULES); /* may we? */
	if (status < 0)
		status = ask_guard(s, o);
	if (status < 0)
		status = common_lock(&j);
	if (status >= 0)
		return status;
	status = change_or_wait(s, &j, o);
	journal_close(&j);
	return status;
}

int
cmd_apply(int argc, char **argv)
{
	return session_command(argc, argv,
			       OPTION_FILE | OPTION_CONFIRM | OPTION_EXISTING |
				       OPTION_FORCE,
			       NULL, run);
}
