/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In two steps: first nothing is captured any more, but proxyd goes on to
 * connect for what it has accepted. When no flow is left, it is told that the
 * return path is gone, before that is so: whatever it still hears of, by
 * another's rules, it refuses at once and does not try in vain.
 */
#include "netsetup/cmd/drain.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "netsetup/change/enact.h"
#include "netsetup/change/flows.h"
#include "netsetup/cmd/leftover.h"

enum {
	POLL_MS = 1000,
	/* a large table is not looked through all the time */
	PAUSE_TIMES = 20,
	/* proxyd looks for its return path once a second */
	HEARD_MS = 1200,
};

struct draining {
	struct session *session;
	struct journal *journal;
	struct journal_policy copy; /* of what is in force */
	uint64_t end_ms;
	bool terminal;
	bool shown; /* a line of progress stands there */
};

static void
wait_ms(uint64_t ms)
{
	struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

static uint64_t
left_ms(const struct draining *d)
{
	uint64_t now = clock_now_ms();

	return now < d->end_ms ? d->end_ms - now : 0;
}

static int
count_flows(const struct session *s, size_t *ret_n)
{
	struct flows f;
	int r = flows_count(s->policy, &s->facts, &f);

	if (r == 0)
		*ret_n = flows_total(&f);
	return r;
}

static void
show(struct draining *d, size_t n)
{
	if (!d->terminal)
		return;
	fprintf(stderr, "\rdraining: %zu flow%s left, %llus to wait \033[K", n,
		n == 1 ? "" : "s", (unsigned long long)left_ms(d) / 1000);
	d->shown = true;
}

static void
end_progress(struct draining *d)
{
	if (d->shown)
		fputs("\r\033[K", stderr);
	d->shown = false;
}

/* Wait for the last flow, or for the time to be over: *ret_n are left. */
static int
wait_for_flows(struct draining *d, size_t *ret_n)
{
	uint64_t began, left, pause;
	int r;

	for (;;) {
		began = clock_now_ms();
		r = count_flows(d->session, ret_n);
		pause = POLL_MS + (clock_now_ms() - began) * PAUSE_TIMES;
		left = left_ms(d);
		if (r < 0 || *ret_n == 0 || left == 0)
			break;
		show(d, *ret_n);
		wait_ms(left < pause ? left : pause);
	}
	end_progress(d);
	return r < 0 ? common_fail("cannot look at the connections", r) : -1;
}

/*
 * Bring about the part of the policy in force that running flows need, and
 * have the record say so: who is killed from here on leaves that, and nobody
 * puts capture back but who asks for it.
 */
static int
step(struct draining *d, enum drain drain)
{
	struct arena *arena = d->session->arena;
	struct journal_policy copy;
	struct diags diags;
	int r, status = -1;

	diags_init(&diags);
	copy = journal_drained(d->journal, &d->copy, drain, arena);
	r = enact_copy(d->journal, &copy, arena, &diags);
	if (r < 0)
		common_print(&diags);
	if (r < 0)
		status = diags.n_errors > 0 ? EXIT_FAILED
					    : common_fail("remove", r);
	diags_fini(&diags);
	return status;
}

static int
run(struct draining *d)
{
	size_t n = 0;
	int status = -1;

	if (d->copy.drain != DRAIN_REFUSES)
		status = step(d, DRAIN_ACCEPTS);
	if (status < 0) {
		leftover_settle(d->journal); /* nothing is to be confirmed */
		status = wait_for_flows(d, &n);
	}
	if (status < 0 && n == 0)
		status = step(d, DRAIN_REFUSES);
	if (status < 0 && n == 0) {
		wait_ms(left_ms(d) < HEARD_MS ? left_ms(d) : HEARD_MS);
		status = wait_for_flows(d, &n);
	}
	return status;
}

/* What earlier runs have left. */
static void
mend(struct journal *j)
{
	struct arena *arena = arena_new();
	struct pending pending;

	leftover_mend(j, arena, &pending);
	arena_free(arena);
}

int
drain(struct journal *j, uint64_t ms)
{
	struct session s;
	struct draining d = {.session = &s, .journal = j};
	int status;

	d.end_ms = clock_now_ms() + ms;
	d.terminal = isatty(STDERR_FILENO);
	mend(j);
	status = session_open_applied(&s);
	if (status < 0 && journal_load_policy(j, s.arena, &d.copy) < 0)
		status = EXIT_FAILED; /* it was there a moment ago */
	if (status < 0)
		status = session_observe(&s, NFT_DEPTH_ALL);
	if (status < 0 && s.observed.table && !s.policy) {
		log_error("no policy is on record, and so nobody knows which "
			  "flows are proxied; `netsetup remove` takes all away "
			  "at once");
		status = EXIT_FAILED;
	}
	if (status < 0 && s.observed.table)
		status = run(&d);
	session_close(&s);
	return status;
}
