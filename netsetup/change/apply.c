/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of a change, and the list of what must be undone if a later step
 * fails. A stale batch (-ERESTART) starts over from looking; what was added
 * stays on the list of things to undo.
 */
#include "netsetup/change/apply.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/change/observe.h"
#include "netsetup/change/readback.h"
#include "netsetup/kernel/nft_read.h"
#include "netsetup/kernel/nft_write.h"
#include "netsetup/kernel/rt_write.h"
#include "netsetup/state/plan.h"

enum { TRIES = 50 };

struct applying {
	struct journal *journal; /* borrows from the caller */
	struct arena *arena;
	struct diags *diags;
	const struct kstate *desired;
	struct nl route;	     /* owns */
	struct sysctl_record record; /* as in the journal */
	struct readback readback;    /* likewise */
	struct applied result;
	bool met;	   /* somebody made what we were about to make */
	struct kdiff done; /* rt additions and new settings, to be undone */
};

static void
remember(struct applying *a, const struct kchange *c)
{
	a->done.list =
		arena_push(a->arena, a->done.list, a->done.n, sizeof(*c));
	a->done.list[a->done.n++] = *c;
}

/* What to do about it, where the kernel's words do not say. */
static const char *
advice(const struct kchange *c, int error)
{
	if (error == -EBUSY)
		return "; what somebody added to the table uses it: see `nft "
		       "list table inet " KSTATE_TABLE "`, or `netsetup "
		       "remove` and apply again";
	if (error == -EEXIST && c && c->object == KCHANGE_ROUTE)
		return "; somebody else has it there: take that away, or "
		       "choose another `table`";
	if (error == -EPERM && c && c->object == KCHANGE_TABLE)
		return "; a running program owns a table of that name";
	return "";
}

/* The kernel's refusal becomes a message about the policy. */
static void
blame(struct applying *a, const struct kchange *c, int error, const char *text)
{
	struct place none = {0};
	struct str what = {0};

	if (c)
		plan_describe(c, &what);
	diag_add(a->diags, DIAG_ERROR, c ? plan_place(c) : none, NULL,
		 "kernel refuses %s: %s%s%s%s%s",
		 c ? str_text(&what) : "the change", strerror(-error),
		 text[0] ? " (" : "", text, text[0] ? ")" : "",
		 advice(c, error));
	str_fini(&what);
}

/* --- settings -------------------------------------------------------- */

static int
set_sysctl(struct applying *a, const struct kchange *c)
{
	const struct ksysctl *will = c->will.sysctl;
	bool recorded = sysctl_recorded(&a->record, will->path);
	int r = 0;

	if (!recorded) {
		r = sysctl_record_forwarding(SYSCTL_ROOT, will->path, a->arena,
					     &a->record);
		if (r == 0)
			r = journal_store(a->journal, &a->record);
	}
	if (r == 0)
		remember(a, c);
	if (r == 0)
		r = sysctl_write(SYSCTL_ROOT, will->path, will->value);
	if (r < 0)
		blame(a, c, r, "");
	return r;
}

static bool
is_forbidden(int error)
{
	return error == -EROFS || error == -EACCES || error == -EPERM;
}

/*
 * What cannot be put back stays on record; where nothing may be written, as
 * it was, for nothing has begun.
 */
static int
restore_sysctl(struct applying *a, const char *path)
{
	const struct sysctl_record before = a->record;
	int r;

	a->record = sysctl_settle(SYSCTL_ROOT, &a->record, path, a->arena);
	r = journal_store(a->journal, &a->record);
	if (r == 0)
		r = sysctl_restore(SYSCTL_ROOT, &a->record, path);
	if (is_forbidden(r)) {
		a->record = before;
		journal_store(a->journal, &a->record);
	}
	if (r < 0)
		return r;
	a->record = sysctl_record_without(&a->record, path, a->arena);
	return journal_store(a->journal, &a->record);
}

static int
take_back_sysctl(struct applying *a, const struct kchange *c)
{
	int r = restore_sysctl(a, c->was.sysctl->path);

	if (r < 0)
		blame(a, c, r, "");
	return r;
}

/*
 * An earlier run was killed while it put settings back. Where that fails
 * they stay on record: no reason to leave the rules as they are.
 */
static void
finish_restoring(struct applying *a)
{
	const char *path;

	while ((path = sysctl_settled(&a->record))) {
		if (restore_sysctl(a, path) < 0)
			break;
	}
}

/* --- one change outside of nftables ---------------------------------- */

static int
write_rt(struct applying *a, const struct kchange *c, bool add)
{
	struct nl_error e = {0};
	int r;

	if (c->object == KCHANGE_IPRULE)
		r = rt_write_iprule(&a->route,
				    add ? c->will.iprule : c->was.iprule, add,
				    &e);
	else
		r = rt_write_route(&a->route,
				   add ? c->will.route : c->was.route, add, &e);
	if (!add && (r == -ENOENT || r == -ESRCH))
		r = 0; /* gone by itself */
	if (add && r == -EEXIST && !a->met) {
		a->met = true; /* it came since we looked: look again */
		r = -ERESTART;
	}
	if (r < 0 && r != -ERESTART && r != -ENOBUFS)
		blame(a, c, r, e.text);
	return r;
}

static bool
is_rt(const struct kchange *c)
{
	return c->object == KCHANGE_IPRULE || c->object == KCHANGE_ROUTE;
}

static int
add_first(struct applying *a, const struct kdiff *d)
{
	int r = 0;
	size_t i;

	for (i = 0; i < d->n && r == 0; i++) {
		const struct kchange *c = &d->list[i];

		if (c->op == KCHANGE_REMOVE)
			continue;
		if (c->object == KCHANGE_SYSCTL) {
			r = set_sysctl(a, c);
		} else if (is_rt(c)) {
			r = write_rt(a, c, true);
			if (r == 0 || r == -ENOBUFS) /* it may be there */
				remember(a, c);
		}
	}
	return r;
}

static int
remove_last(struct applying *a, const struct kdiff *d)
{
	int r, first = 0;
	size_t i;

	for (i = 0; i < d->n; i++) {
		const struct kchange *c = &d->list[i];

		if (c->op != KCHANGE_REMOVE)
			continue;
		r = 0;
		if (is_rt(c))
			r = write_rt(a, c, false);
		else if (c->object == KCHANGE_SYSCTL)
			r = take_back_sysctl(a, c);
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}

/*
 * A setting that was on record had been turned back by somebody else; to
 * that it returns, and stays on record.
 */
static void
undo_sysctl(struct applying *a, const struct kchange *c)
{
	const struct ksysctl *was = c->was.sysctl;

	if (was && was->recorded)
		sysctl_write(SYSCTL_ROOT, was->path, was->value);
	else
		restore_sysctl(a, c->will.sysctl->path);
}

/* Last first. Errors are passed over: there is nothing else to try. */
static void
undo(struct applying *a)
{
	struct nl_error e;

	while (a->done.n > 0) {
		const struct kchange *c = &a->done.list[--a->done.n];

		if (c->object == KCHANGE_SYSCTL)
			undo_sysctl(a, c);
		else if (c->object == KCHANGE_IPRULE)
			rt_write_iprule(&a->route, c->will.iprule, false, &e);
		else
			rt_write_route(&a->route, c->will.route, false, &e);
	}
}

/* --- all of it ------------------------------------------------------- */

static int
write_nft(struct applying *a, struct observer *o, const struct kstate *observed,
	  const struct kdiff *d)
{
	const struct kchange *cause;
	struct nl_error e;
	int r;

	r = nft_write(&o->nl, &o->news, observed, d, &e, &cause);
	if (r < 0 && r != -ERESTART && r != -ENOBUFS)
		blame(a, cause, r, e.text);
	return r;
}

/*
 * See what the kernel has made of the rules, to tell later whether they are
 * still that. A rule of which nothing is on record is not looked at so
 * closely: no reason to call the change a failure.
 */
static void
read_back(struct applying *a, struct nl *nl, const struct kstate *observed,
	  const struct kdiff *d)
{
	struct kstate now = {0};

	if (d->n == 0)
		now = *observed;
	else if (nft_read_rules(nl, a->arena, &now) < 0)
		return;
	readback_store(a->journal, &a->readback, &now, a->arena);
}

static int
attempt(struct applying *a, struct kdiff *d)
{
	/* a table that goes as a whole need not be read */
	enum nft_depth depth =
		a->desired->table ? NFT_DEPTH_RULES : NFT_DEPTH_TABLE;
	struct kstate observed;
	struct observer o;
	int r;

	r = observe_state(a->arena, &a->record, depth, &observed, &o);
	if (r < 0)
		return r;
	readback_mark(&a->readback, &observed);
	*d = diff(&observed, a->desired, a->arena);
	r = add_first(a, d);
	if (r == 0)
		r = write_nft(a, &o, &observed, d);
	if (r == 0)
		read_back(a, &o.nl, &observed, d);
	observer_close(&o);
	if (r < 0)
		return r;
	a->done.n = 0; /* it is in use now */
	a->result.in_force = true;
	return remove_last(a, d);
}

static int
attempt_until_fresh(struct applying *a)
{
	struct kdiff d = {0};
	int r = -ERESTART, i;

	for (i = 0; i < TRIES && (r == -ERESTART || r == -ENOBUFS); i++) {
		r = attempt(a, &d);
		if (i == 0)
			a->result.diff = d; /* later ones lack what was added */
	}
	return r == -ERESTART ? -EAGAIN : r;
}

int
apply(struct journal *journal, const struct kstate *desired,
      struct arena *arena, struct diags *diags, struct applied *ret_applied)
{
	struct applying a = {
		.journal = journal,
		.arena = arena,
		.diags = diags,
		.desired = desired,
	};
	int r;

	memset(ret_applied, 0, sizeof(*ret_applied));
	r = journal_load(journal, arena, &a.record);
	if (r == 0)
		r = readback_load(journal, arena, &a.readback);
	if (r < 0)
		return r;
	r = nl_open(&a.route, NETLINK_ROUTE);
	if (r < 0)
		return r;
	finish_restoring(&a);
	r = attempt_until_fresh(&a);
	if (r < 0)
		undo(&a);
	nl_close(&a.route);
	*ret_applied = a.result;
	return r;
}
