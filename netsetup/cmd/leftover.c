/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Here is also what the timer does when it fires: it takes the lock and mends
 * what is left, like everybody else, but tells the system's log.
 */
#include "netsetup/cmd/leftover.h"

#include <errno.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "netsetup/change/enact.h"
#include "netsetup/change/intent.h"
#include "netsetup/change/timer.h"
#include "netsetup/cmd/common.h"

/* How often, and how many seconds apart, the timer tries to put back. */
enum { TRIES = 60, APART_MS = 1000 };

/* --- a change that was interrupted --------------------------------------- */

/* The policy of an apply that was interrupted; NULL: it was a remove. */
static const char *
interrupted_path(const struct intent *intent)
{
	return intent->policy.drain ? NULL : intent->policy.path;
}

static void
tell_interrupted(const char *path, const char *what)
{
	if (path)
		log_warn("the apply of %s was interrupted%s", path, what);
	else
		log_warn("a remove was interrupted%s", what);
}

/* Errors, one a line, as everything that goes to the system's log. */
static void
log_errors(const struct diags *diags)
{
	size_t i;

	for (i = 0; i < diags->n; i++) {
		const struct diag *d = &diags->list[i];

		if (d->level == DIAG_ERROR)
			log_error("%s%s%s", d->place.file ? d->place.file : "",
				  d->place.file ? ": " : "", d->text);
	}
}

static void
mend_interrupted(struct journal *j, struct arena *arena)
{
	struct interrupted was;
	struct diags diags;
	int r;

	diags_init(&diags);
	r = enact_recover(j, arena, &diags, &was);
	if (r < 0) {
		log_errors(&diags);
		if (was.found)
			tell_interrupted(was.path,
					 ", and what it left stays: see "
					 "`netsetup status`");
		else
			common_fail("cannot read " JOURNAL_DIR, r);
	} else if (was.found) {
		tell_interrupted(was.path,
				 was.finished ? ": finished it" : ": undone");
	}
	diags_fini(&diags);
}

/* --- a change that waits to be confirmed --------------------------------- */

int
leftover_settle(struct journal *j)
{
	int r = pending_drop(j);

	timer_end(j);
	return r;
}

/*
 * Where the journal has no room, at least the kernel is as it was; and when
 * nothing is pending any more there may be room to say so.
 */
static int
put_back_first(struct journal *j, const struct pending *p, struct arena *arena,
	       struct diags *diags)
{
	int r = enact_again(j, &p->former, arena, diags);

	if (r == 0)
		r = leftover_settle(j);
	if (r == 0 && enact_copy(j, &p->former, arena, diags) < 0)
		log_errors(diags);
	return r;
}

/* false: it is still as it was. */
static bool
put_back(struct journal *j, const struct pending *p, struct arena *arena)
{
	struct diags diags;
	int r;

	diags_init(&diags);
	r = enact_copy(j, &p->former, arena, &diags);
	if (r == -ENOSPC || r == -EROFS || r == -EDQUOT)
		r = put_back_first(j, p, arena, &diags);
	if (r < 0) {
		log_errors(&diags);
		log_error("%s was not confirmed in time, but what was in "
			  "force before cannot be put back: %s",
			  p->path, strerror(-r));
	} else if (p->former.path) {
		log_warn("%s was not confirmed in time: what %s said is in "
			 "force again",
			 p->path, p->former.path);
	} else {
		log_warn("%s was not confirmed in time: removed again",
			 p->path);
	}
	diags_fini(&diags);
	if (r == 0)
		leftover_settle(j);
	return r == 0;
}

static int fire(struct journal *j, uint64_t deadline_ms);

void
leftover_keep_timer(struct journal *j, const struct pending *p)
{
	int r;

	if (timer_runs(j))
		return;
	r = timer_start(j, p->deadline_ms, fire);
	if (r < 0)
		log_error("%s waits to be confirmed, but its timer is gone "
			  "and does not start: %s",
			  p->path, strerror(-r));
	else
		log_warn("%s waits to be confirmed, and its timer was gone: "
			 "started another",
			 p->path);
}

/*
 * Before its change began, or after it was undone, a pending change is none:
 * what it would put back is in force.
 */
static bool
is_void(const struct journal *j, const struct pending *p, struct arena *arena)
{
	struct journal_policy now;

	return journal_load_policy(j, arena, &now) == 0 &&
	       journal_same_policy(&now, &p->former);
}

/* What can be read and is no record would have everybody wait for ever. */
static void
drop_garbage(struct journal *j, struct arena *arena)
{
	struct pending pending;
	struct intent intent;

	if (journal_stamp(j, "intent") && intent_load(j, arena, &intent) == 0 &&
	    !intent.there && intent_drop(j) == 0)
		log_warn("what was about to be brought in force is not "
			 "readable: forgotten");
	if (journal_stamp(j, "pending") &&
	    pending_load(j, arena, &pending) == 0 && !pending.there &&
	    pending_drop(j) == 0)
		log_warn("what waited to be confirmed is not readable: "
			 "forgotten, and what is installed stays");
}

/* A record that was being written, a timer that has nothing to wait for. */
static void
sweep_up(struct journal *j, const struct pending *p)
{
	const struct str none = {0};

	journal_replace(j, "new", &none);
	if (!p->there)
		timer_end(j);
}

bool
leftover_mend(struct journal *j, struct arena *arena,
	      struct pending *ret_pending)
{
	struct pending p = {0};
	bool back = false;

	drop_garbage(j, arena);
	mend_interrupted(j, arena);
	pending_load(j, arena, &p);
	if (p.there && is_void(j, &p, arena)) {
		leftover_settle(j);
		p.there = false;
	} else if (p.there && pending_left_ms(&p) == 0) {
		back = put_back(j, &p, arena);
		p.there = !back;
	}
	sweep_up(j, &p);
	*ret_pending = p;
	return back;
}

/*
 * The timer's end. Somebody else may have mended it, or confirmed at the last
 * moment, while this one waited for the lock.
 */
static int
fire(struct journal *j, uint64_t deadline_ms)
{
	struct arena *arena = arena_new();
	struct pending p = {.there = true};
	int i;

	log_to_syslog();
	for (i = 0; i < TRIES && p.there; i++) {
		if (i > 0)
			clock_sleep_until_boot(clock_boot_ms() + APART_MS);
		if (journal_lock_wait(j) < 0)
			continue;
		if (pending_load(j, arena, &p) == 0) {
			if (p.deadline_ms != deadline_ms)
				p.there = false;
			else
				leftover_mend(j, arena, &p);
		}
		journal_close(j);
	}
	arena_free(arena);
	return p.there ? EXIT_FAILED : EXIT_DONE;
}

int
leftover_try(struct journal *j, uint64_t ms, const char *path)
{
	uint64_t deadline_ms = clock_boot_ms() + ms;
	int r;

	r = pending_store(j, deadline_ms, path);
	if (r == 0)
		r = timer_start(j, deadline_ms, fire);
	if (r < 0)
		leftover_settle(j);
	return r;
}

/* --- only words ---------------------------------------------------------- */

void
leftover_tell_remove(struct journal *j, struct arena *arena)
{
	struct intent intent;

	if (intent_load(j, arena, &intent) < 0 || !intent.there)
		return;
	tell_interrupted(interrupted_path(&intent),
			 interrupted_path(&intent) ? ": undone with the rest"
						   : ": finished it");
}

static bool
is_interrupted(struct journal *j, struct arena *arena, struct intent *intent)
{
	if (intent_load(j, arena, intent) < 0 || !intent->there)
		return false;
	/* one that is there and then done is gone when nobody is at work */
	return !journal_at_work(j) && intent_load(j, arena, intent) == 0 &&
	       intent->there;
}

struct leftover
leftover_look(struct arena *arena)
{
	struct leftover l = {0};
	struct intent intent;
	struct journal j;

	if (journal_open(&j, JOURNAL_DIR) < 0)
		return l;
	l.interrupted = is_interrupted(&j, arena, &intent);
	if (l.interrupted)
		tell_interrupted(interrupted_path(&intent),
				 ": `netsetup apply` finishes or undoes it "
				 "first, `netsetup remove` takes all away");
	if (pending_load(&j, arena, &l.pending) == 0 && l.pending.there)
		l.timer = timer_runs(&j);
	return l;
}

const char *
leftover_time(const struct pending *p, char buf[CLOCK_DURATION_LEN])
{
	return clock_duration((pending_left_ms(p) + 999) / 1000 * 1000, buf);
}

void
leftover_text(const struct leftover *l, struct str *out)
{
	uint64_t left = pending_left_ms(&l->pending);
	char time[CLOCK_DURATION_LEN];

	if (!l->pending.there)
		return;
	if (left == 0)
		str_addf(out,
			 "unconfirmed, and its time is over: %s puts back "
			 "what was in force before",
			 l->timer ? "its timer" : "the next `netsetup apply`");
	else
		str_addf(out,
			 "unconfirmed: what was in force before is put back "
			 "in %s unless you type `netsetup confirm`",
			 leftover_time(&l->pending, time));
	if (left > 0 && !l->timer)
		str_add(out, "; its timer is gone, the next `netsetup apply` "
			     "starts another");
}

void
leftover_json(const struct leftover *l, struct json *j)
{
	json_bool(j, "interrupted", l->interrupted);
	if (!l->pending.there) {
		json_null(j, "unconfirmed");
		return;
	}
	json_object(j, "unconfirmed");
	json_string(j, "policy", l->pending.path);
	json_uint(j, "seconds_left",
		  (pending_left_ms(&l->pending) + 999) / 1000);
	json_bool(j, "timer", l->timer);
	json_end(j);
}

/* Is there a record of that kind, and nobody at work who may have written it?
 */
static bool
lies(const struct journal *j, const char *kind)
{
	/* one that is there and then done is gone when nobody is at work */
	return journal_stamp(j, kind) && !journal_at_work(j) &&
	       journal_stamp(j, kind);
}

bool
leftover_waits(struct journal *j)
{
	return lies(j, "intent") || (!timer_runs(j) && lies(j, "pending"));
}
