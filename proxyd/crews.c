/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crews.c - one crew after another, for crews.h. */
#include "proxyd/crews.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

#include "proxyd/duty.h"

enum {
	PATIENCE_MS = 2000, /* an orphaned worker needs 250 to let go */
	NEXT_MS = 10000,    /* to get ready in */
	SPARE_SLOTS = 62,   /* of the shm, for crews that drain */
	FORMER_MAX = 64,
};

/* --- making --------------------------------------------------------------- */

/* The listeners that are there, the latest first; returns how many. */
static size_t
list_former(const struct crews *cs, const struct listeners *ret[FORMER_MAX])
{
	struct crew *c;
	size_t n = 0;

	TAILQ_FOREACH(c, &cs->list, link)
	if (n < FORMER_MAX)
		ret[n++] = &c->listeners;
	return n;
}

/* On failure the policy is freed. */
static struct crew *
add(struct crews *cs, struct policy *p, uint32_t patience_ms, struct str *why)
{
	const struct listeners *former[FORMER_MAX];
	struct crew_plan plan = {
		.policy = p,
		.generation = cs->generation + 1,
		.n_workers = cs->n_workers,
		.count_fd = cs->count_fd,
		.shm = cs->shm,
		.former = former,
		.n_former = list_former(cs, former),
		.patience_ms = patience_ms,
	};
	struct crew *c;

	c = crew_new(&plan, why);
	if (!c) {
		policy_free(p);
		return NULL;
	}
	cs->generation = plan.generation;
	TAILQ_INSERT_HEAD(&cs->list, c, link);
	return c;
}

int
crews_init(struct crews *cs, struct policy *p, uint32_t n_workers,
	   struct str *why)
{
	memset(cs, 0, sizeof(*cs));
	TAILQ_INIT(&cs->list);
	cs->count_fd = -1;
	cs->n_workers = n_workers;
	cs->shm = shm_new(2 * n_workers + SPARE_SLOTS);
	if (!cs->shm) {
		str_add(why, strerror(ENOMEM));
		policy_free(p);
		return -ENOMEM;
	}
	cs->current = add(cs, p, PATIENCE_MS, why);
	if (!cs->current)
		return -EIO;
	cs->current->state = CREW_SERVING;
	return 0;
}

static void
drop(struct crews *cs, struct crew *c)
{
	TAILQ_REMOVE(&cs->list, c, link);
	crew_free(c);
}

void
crews_fini(struct crews *cs)
{
	/* zeroed */
	if (!cs->shm)
		return;
	while (!TAILQ_EMPTY(&cs->list))
		drop(cs, TAILQ_FIRST(&cs->list));
	cs->current = cs->next = NULL;
	if (cs->count_fd >= 0)
		close(cs->count_fd);
	shm_free(cs->shm);
	cs->shm = NULL;
}

/* --- following ------------------------------------------------------------ */

/* There are only so many slots: the oldest that drain are cut for it. */
static void
make_room(struct crews *cs, uint64_t now_ms)
{
	uint32_t vacant = shm_vacant(cs->shm);
	struct crew *c;

	TAILQ_FOREACH_REVERSE(c, &cs->list, crew_list, link)
	{
		if (vacant >= cs->n_workers)
			return;
		if (c->state != CREW_DRAINING)
			continue;
		log_warn("reloaded too often for all to drain: the flows of"
			 " generation %" PRIu32 " are cut",
			 c->generation);
		duty_drain(c, NULL, 0, 0, now_ms);
		vacant += c->n_workers;
	}
}

int
crews_follow(struct crews *cs, struct policy *p, uint64_t now_ms,
	     struct str *why)
{
	if (cs->next || !cs->current) {
		policy_free(p);
		return -EBUSY;
	}
	cs->next = add(cs, p, 0, why);
	if (!cs->next)
		return -EIO;
	cs->next_failed = false;
	cs->next_until_ms = now_ms + NEXT_MS;
	make_room(cs, now_ms);
	return 0;
}

/* The one that follows takes over, and only then the other one lets go. */
static void
take_over(struct crews *cs, uint64_t now_ms)
{
	struct crew *former = cs->current;

	cs->current = cs->next;
	cs->next = NULL;
	/* its first flows must not find it unknown */
	if (policy_spoofs(cs->current->policy))
		atomic_store(&cs->shm->return_path,
			     pulse_return_path(&cs->current->pulse));
	duty_serve(cs->current, now_ms);
	duty_drain(former, &cs->current->listeners, duty_expiry_ms(former),
		   former->policy->gateway.drain_timeout_ms, now_ms);
}

void
crews_forgo(struct crews *cs, uint64_t now_ms)
{
	if (cs->next)
		duty_end(cs->next, true, now_ms);
	cs->next = NULL;
}

static enum crews_outcome
mind_next(struct crews *cs, uint64_t now_ms)
{
	if (!cs->next)
		return CREWS_SAME;
	if (cs->next_failed || now_ms >= cs->next_until_ms) {
		crews_forgo(cs, now_ms);
		return CREWS_FAILED;
	}
	if (!duty_ticks(cs->next, now_ms))
		return CREWS_SAME;
	take_over(cs, now_ms);
	return CREWS_FOLLOWED;
}

/* --- all of them ---------------------------------------------------------- */

bool
crews_start(struct crews *cs, uint64_t now_ms)
{
	struct crew *c, *other, *after;
	int r = 0;

	TAILQ_FOREACH(c, &cs->list, link)
	{
		while ((r = crew_start(c, now_ms)) > 0)
			;
		if (r < 0)
			break;
	}
	if (r == 0)
		return false;
	for (other = TAILQ_FIRST(&cs->list); other; other = after) {
		after = TAILQ_NEXT(other, link);
		if (other != c)
			drop(cs, other);
	}
	cs->current = c;
	cs->next = NULL;
	return true;
}

struct crew_news
crews_reap(struct crews *cs, uint64_t now_ms)
{
	struct crew_news all = {0}, news;
	struct crew *c;

	TAILQ_FOREACH(c, &cs->list, link)
	{
		news = crew_reap(c, now_ms);
		if (c->state == CREW_STARTING) {
			cs->next_failed |= news.ended;
			continue;
		}
		all.ended |= news.ended;
		all.failed |= news.failed;
		all.refused |= news.refused;
	}
	return all;
}

enum crews_outcome
crews_mind(struct crews *cs, uint64_t now_ms, uint64_t awake_ms)
{
	struct crew *c, *after;

	for (c = TAILQ_FIRST(&cs->list); c; c = after) {
		after = TAILQ_NEXT(c, link);
		duty_mind(c, now_ms, awake_ms);
		if (c->state != CREW_OVER)
			continue;
		/* what it counted goes on */
		if (cs->current && c != cs->current)
			tally_inherit(cs->current->tally, c->tally);
		if (c == cs->current)
			cs->current = NULL;
		drop(cs, c);
	}
	return mind_next(cs, now_ms);
}

void
crews_drain(struct crews *cs, uint64_t now_ms)
{
	uint64_t timeout_ms;
	struct crew *c;

	crews_forgo(cs, now_ms);
	if (!cs->current)
		return;
	timeout_ms = cs->current->policy->gateway.drain_timeout_ms;
	TAILQ_FOREACH(c, &cs->list, link)
	duty_drain(c, NULL, 0, timeout_ms, now_ms);
}

void
crews_end(struct crews *cs, uint64_t now_ms)
{
	struct crew *c;

	crews_forgo(cs, now_ms);
	TAILQ_FOREACH(c, &cs->list, link)
	duty_end(c, c != cs->current, now_ms);
}

void
crews_reopen(struct crews *cs)
{
	struct crew *c;

	TAILQ_FOREACH(c, &cs->list, link)
	{
		access_reopen(&c->access);
		crew_pass_files(c);
	}
}

void
crews_count(struct crews *cs, int fd)
{
	struct crew *c;

	cs->count_fd = fd;
	TAILQ_FOREACH(c, &cs->list, link)
	crew_pass_count(c, fd);
}

bool
crews_are_over(const struct crews *cs)
{
	return TAILQ_EMPTY(&cs->list);
}
