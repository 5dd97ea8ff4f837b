/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sleeps until the kernel tells of a change, or for a second: settings tell
 * nobody. Then it looks, without the lock, and says what differs, once. It
 * reads no policy file: what counts is what was applied.
 */
#include "netsetup/cmd/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "netsetup/change/drift.h"
#include "netsetup/change/enact.h"
#include "netsetup/cmd/common.h"
#include "netsetup/cmd/leftover.h"
#include "netsetup/kernel/alarm.h"
#include "netsetup/state/plan.h"

enum {
	TICK_MS = 1000,	 /* settings are looked at, and the journal */
	SETTLE_MS = 100, /* more of the same change may come */
	LINES_MAX = 20,	 /* named of one change */
	RESTORES_MAX = 5,
	RESTORES_MS = 60 * 1000,
	MEND_MS = 5000, /* what could not be mended is not tried before */
};

struct watch {
	struct journal journal;
	struct alarm alarm;
	int stop; /* owns: readable when it is to end */
	struct drift seen;
	uint64_t mend_ms; /* not to mend before */
	uint64_t look_ms; /* when to look; 0: nothing has happened */
	uint64_t said;	  /* digest of the differences that were said */
	uint64_t refused; /* of what this box cannot do any more */
	int error;	  /* why it could not look; 0: it could */
	bool gave_up;
	uint64_t restored_ms[RESTORES_MAX]; /* the oldest first */
};

static void
look_in(struct watch *w, uint64_t ms)
{
	uint64_t at = clock_now_ms() + ms;

	if (w->look_ms == 0 || at < w->look_ms)
		w->look_ms = at;
}

/* --- words --------------------------------------------------------------- */

static const char *
op_text(enum kchange_op op)
{
	switch (op) {
	case KCHANGE_ADD:
		return "gone";
	case KCHANGE_REMOVE:
		return "not ours";
	case KCHANGE_REPLACE:
		return "changed";
	}
	return "?";
}

/* With the table all that is in it is gone. */
static bool
is_worth_a_line(const struct watch *w, const struct kchange *c)
{
	return w->seen.observed.table || c->object == KCHANGE_TABLE ||
	       c->object == KCHANGE_IPRULE || c->object == KCHANGE_ROUTE ||
	       c->object == KCHANGE_SYSCTL;
}

/* What has happened, not what would be done about it. */
static void
describe(const struct kchange *c, struct str *out)
{
	const struct ksysctl *is = c->was.sysctl, *should = c->will.sysctl;

	if (c->object == KCHANGE_SYSCTL && is && should)
		str_addf(out, "sysctl %s is %s, not %s", is->path, is->value,
			 should->value);
	else
		plan_describe(c, out);
}

static void
say_differences(const struct watch *w)
{
	const struct kdiff *d = &w->seen.diff;
	struct str line = {0};
	size_t i, n = 0;

	if (w->alarm.who[0])
		log_warn("%s, process %u, changed what netsetup has "
			 "installed:",
			 w->alarm.who, w->alarm.who_pid);
	else
		log_warn("somebody changed what netsetup has installed:");
	for (i = 0; i < d->n && n <= LINES_MAX; i++) {
		if (!is_worth_a_line(w, &d->list[i]))
			continue;
		if (n++ == LINES_MAX)
			break;
		str_clear(&line);
		describe(&d->list[i], &line);
		log_warn("%s: %s", op_text(d->list[i].op), str_text(&line));
	}
	if (n > LINES_MAX)
		log_warn("and more; see `netsetup status`");
	str_fini(&line);
}

static void
say_mended(const struct watch *w)
{
	if (w->seen.wanted.path)
		log_notice("all is as %s has it again", w->seen.wanted.path);
	else
		log_notice("what netsetup had installed is removed");
}

static uint64_t
differences_digest(const struct kdiff *d)
{
	struct str text = {0};
	uint64_t h;

	if (d->n == 0)
		return 0;
	plan_text(d, &text);
	h = hash64(str_text(&text), text.len, 1);
	str_fini(&text);
	return h ? h : 1;
}

/* An inside interface without an address, for example; once each. */
static void
say_refusals(struct watch *w)
{
	const struct diags *diags = &w->seen.diags;
	uint64_t h = 0;
	size_t i;

	for (i = 0; i < diags->n; i++) {
		const char *text = diags->list[i].text;

		if (diags->list[i].level == DIAG_ERROR)
			h = hash64(text, strlen(text), h + 1);
	}
	if (h == w->refused)
		return;
	w->refused = h;
	if (h == 0)
		log_notice("this box can do again what %s asks",
			   w->seen.wanted.path);
	for (i = 0; i < diags->n; i++) {
		if (diags->list[i].level == DIAG_ERROR)
			log_warn("%s", diags->list[i].text);
	}
}

/* --- putting back -------------------------------------------------------- */

/* May it be done now? If not, look again when it may. */
static bool
may_restore(struct watch *w)
{
	uint64_t now = clock_now_ms(), since = now - w->restored_ms[0];

	if (w->restored_ms[0] == 0 || since >= RESTORES_MS) {
		w->gave_up = false;
		return true;
	}
	look_in(w, RESTORES_MS - since);
	if (!w->gave_up)
		log_error("put back %d times within a minute: not again for "
			  "%us",
			  RESTORES_MAX,
			  (unsigned int)(RESTORES_MS - since + 999) / 1000);
	w->gave_up = true;
	return false;
}

static void
count_restore(struct watch *w)
{
	memmove(&w->restored_ms[0], &w->restored_ms[1],
		sizeof(w->restored_ms) - sizeof(w->restored_ms[0]));
	w->restored_ms[RESTORES_MAX - 1] = clock_now_ms();
}

/* With the lock; of the record as it is now. */
static void
put_back(struct watch *w, struct arena *arena)
{
	struct journal_policy copy;
	struct diags diags;
	int r;

	diags_init(&diags);
	r = journal_load_policy(&w->journal, arena, &copy);
	if (r == 0 && copy.path) {
		count_restore(w);
		r = enact_again(&w->journal, &copy, arena, &diags);
		if (r == 0)
			log_warn("put back, as %s has it", copy.path);
	}
	if (r < 0) {
		log_error("cannot put it back: %s", strerror(-r));
		look_in(w, TICK_MS);
	}
	diags_fini(&diags);
}

/* Take the lock, do that, give it back; later if somebody is at work. */
static void
with_lock(struct watch *w, void (*run)(struct watch *w, struct arena *arena))
{
	struct arena *arena;
	pid_t holder;
	int r;

	r = journal_lock(&w->journal, &holder);
	if (r < 0) {
		if (r != -EAGAIN)
			log_error(JOURNAL_DIR ": %s", strerror(-r));
		look_in(w, r == -EAGAIN ? SETTLE_MS : TICK_MS);
		return;
	}
	arena = arena_new();
	run(w, arena);
	arena_free(arena);
	journal_close(&w->journal);
}

/* --- looking ------------------------------------------------------------- */

static void
judge(struct watch *w)
{
	uint64_t differences = differences_digest(&w->seen.diff);
	bool restore =
		w->seen.wanted.policy &&
		w->seen.wanted.policy->gateway.on_drift == ON_DRIFT_RESTORE;

	say_refusals(w);
	if (differences == 0) {
		if (w->said)
			say_mended(w);
		w->said = 0;
		return;
	}
	if (differences != w->said)
		say_differences(w);
	w->said = differences;
	if (!restore || !may_restore(w))
		return;
	with_lock(w, put_back);
	w->said = 0;
}

static void
look(struct watch *w)
{
	struct drift now;
	int r;

	w->look_ms = 0;
	r = drift_look(&now, &w->journal);
	if (r < 0) {
		drift_fini(&now);
		if (r != -EBUSY && r != w->error)
			log_error("cannot look: %s", strerror(-r));
		if (r != -EBUSY)
			w->error = r;
		look_in(w, r == -EBUSY ? SETTLE_MS : TICK_MS);
		return;
	}
	drift_fini(&w->seen);
	w->seen = now;
	w->error = 0;
	judge(w);
	w->alarm.who[0] = '\0'; /* the next change may be another's */
}

/* Are settings still as they were seen last? Nobody tells when they change. */
static bool
settings_changed(const struct watch *w)
{
	const struct kstate *s = &w->seen.observed;
	char value[SYSCTL_VALUE_LEN];
	size_t i;

	for (i = 0; i < s->n_sysctls; i++) {
		if (sysctl_read(SYSCTL_ROOT, s->sysctls[i].path, value) == 0 &&
		    strcmp(value, s->sysctls[i].value) != 0)
			return true;
	}
	return false;
}

static void
mend(struct watch *w, struct arena *arena)
{
	struct pending p;

	leftover_mend(&w->journal, arena, &p);
	if (p.there)
		leftover_keep_timer(&w->journal, &p);
	w->mend_ms = clock_now_ms() + MEND_MS;
	look_in(w, 0);
}

/* What tells nobody when it changes. */
static void
tick(struct watch *w)
{
	if (settings_changed(w) ||
	    journal_stamp(&w->journal, "policy") != w->seen.stamp)
		look_in(w, 0);
	if (clock_now_ms() >= w->mend_ms && leftover_waits(&w->journal))
		with_lock(w, mend);
}

/* How long may it sleep? */
static int
patience(const struct watch *w)
{
	uint64_t now = clock_now_ms();

	if (w->look_ms == 0 || w->look_ms > now + TICK_MS)
		return TICK_MS;
	return w->look_ms > now ? (int)(w->look_ms - now) : 0;
}

static void
run(struct watch *w)
{
	look_in(w, 0);
	while (alarm_wait(&w->alarm, w->stop, patience(w)) == 0) {
		if (alarm_rings(&w->alarm, &w->seen.wanted.state))
			look_in(w, SETTLE_MS);
		tick(w);
		if (w->look_ms && clock_now_ms() >= w->look_ms)
			look(w);
	}
}

/* SIGTERM and SIGINT come by a descriptor: between two steps, not in one. */
static int
open_stop(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int
cmd_watch(int argc, char **argv)
{
	struct watch w = {.stop = -1};
	struct options o;
	int status, r;

	status = common_options(argc, argv, 0, NULL, &o);
	if (status >= 0)
		return status;
	r = journal_open(&w.journal, JOURNAL_DIR);
	if (r == 0)
		r = alarm_open(&w.alarm);
	if (r < 0)
		return common_fail("cannot watch", r);
	w.stop = open_stop();
	if (w.stop >= 0) {
		run(&w);
		close(w.stop);
	} else {
		common_fail("cannot watch", w.stop);
	}
	alarm_close(&w.alarm);
	if (w.seen.arena)
		drift_fini(&w.seen);
	return w.stop >= 0 ? EXIT_DONE : EXIT_FAILED;
}
