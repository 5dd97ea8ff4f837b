/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crews.c - one crew after another, for crews.h. */
#include "proxyd/crews.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

#include "proxyd/base/fds.h"
#include "proxyd/base/talk.h"
#include "proxyd/duty.h"
#include "proxyd/legacy.h"
#include "proxyd/pool/limit.h"

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

/*
 * On failure the policy is freed. `sockets` are some that are nobody's; NULL:
 * there are none.
 */
static struct crew *
add(struct crews *cs, struct policy *p, uint32_t n_workers,
    const struct listeners *sockets, uint32_t patience_ms, struct str *why)
{
	const struct listeners *former[FORMER_MAX + 1];
	struct crew_plan plan = {
		.policy = p,
		.generation = cs->generation + 1,
		.n_workers = n_workers,
		.count_fd = cs->count_fd,
		.shm = cs->shm,
		.places = cs->places,
		.former = former,
		.n_former = list_former(cs, former),
		.patience_ms = patience_ms,
	};
	struct crew *c;

	if (sockets)
		former[plan.n_former++] = sockets;
	c = crew_new(&plan, why);
	if (!c) {
		policy_free(p);
		return NULL;
	}
	cs->generation = plan.generation;
	TAILQ_INSERT_HEAD(&cs->list, c, link);
	return c;
}

/* Flows that all workers together can have at a time, so to speak. */
static uint64_t
flows_wanted(const struct policy *p, uint32_t n_workers)
{
	return (uint64_t)n_workers * fds_flows(p ? p->gateway.max_flows : 0, 0);
}

/* What a former proxyd counted, if it has the same slots; else from 0. */
static int
open_places(struct crews *cs, const struct crews_plan *plan, bool is_their_shm)
{
	int fd = plan->handover->limits_fd, r = -EPROTOTYPE;

	if (fd >= 0 && is_their_shm)
		r = places_adopt(fd, cs->shm->n_slots, &cs->places);
	if (r == 0)
		return 0;
	if (fd >= 0)
		close(fd);
	cs->places = places_new(
		limit_places(flows_wanted(plan->policy, plan->n_workers)),
		cs->shm->n_slots);
	return cs->places ? 0 : -ENOMEM;
}

static int
open_shm(struct crews *cs, const struct crews_plan *plan, bool *ret_found)
{
	uint32_t n_slots = 2 * plan->n_workers + SPARE_SLOTS;
	const struct handover *h = plan->handover;

	*ret_found = false;
	if (h->shm_fd >= 0)
		cs->shm = shm_find(h->shm_fd, n_slots);
	if (cs->shm) {
		*ret_found = true;
		return 0;
	}
	cs->shm = shm_new(n_slots);
	return cs->shm ? 0 : -ENOMEM;
}

/* The crews of a former proxyd; the latest was written first. */
static void
take_legacy(struct crews *cs, const struct crews_plan *plan, bool is_their_shm)
{
	const struct legacy l = {
		.handover = plan->handover,
		.sockets = plan->sockets,
		.shm = cs->shm,
		.places = cs->places,
		.is_their_shm = is_their_shm,
		.now_ms = plan->now_ms,
	};
	struct str why = {0};
	struct crew *c;
	size_t i;

	for (i = 0; i < plan->handover->n_crews; i++) {
		str_clear(&why);
		c = legacy_read(&l, i, &why);
		if (!c) {
			log_error("the former proxyd's flows finish without"
				  " us: %s",
				  str_text(&why));
			continue;
		}
		if (c->generation > cs->generation)
			cs->generation = c->generation;
		if (c->state == CREW_SERVING)
			cs->current = c;
		TAILQ_INSERT_TAIL(&cs->list, c, link);
	}
	str_fini(&why);
}

/* There was nobody, or nobody who serves. */
static int
begin(struct crews *cs, const struct crews_plan *plan, struct str *why)
{
	if (plan->policy)
		cs->current = add(cs, plan->policy, plan->n_workers,
				  plan->sockets, PATIENCE_MS, why);
	if (!cs->current)
		return -EIO;
	cs->current->state = CREW_SERVING;
	return 0;
}

/* Some of its workers may have ended: they hold none any more. */
static uint32_t
slots_held(const struct crew *c)
{
	uint32_t i, n = 0;

	for (i = 0; i < c->n_workers; i++)
		n += c->workers[i].own != NULL;
	return n;
}

/* There are only so many slots: the oldest that drain are cut for it. */
static void
make_room(struct crews *cs, uint32_t n_workers, uint64_t now_ms)
{
	uint32_t vacant = shm_vacant(cs->shm), held;
	struct crew *c;

	TAILQ_FOREACH_REVERSE(c, &cs->list, crew_list, link)
	{
		if (vacant >= n_workers)
			return;
		held = slots_held(c);
		if (c->state != CREW_DRAINING || !held)
			continue;
		vacant += held;
		/* or it was told before, and has yet to end */
		if (c->cut)
			continue;
		c->cut = true;
		log_warn("reloaded too often for all to drain: the flows of"
			 " generation %" PRIu32 " are cut",
			 c->generation);
		duty_drain(c, NULL, 0, 0, now_ms);
	}
}

/*
 * Slots that one who was to follow added: nobody serves them, and clients
 * would wait there for ever.
 */
static void
close_slots(const struct crew *c)
{
	const struct listeners *ls = &c->listeners;
	size_t i;

	for (i = 0; i < ls->n; i++)
		if (ls->list[i].sockets)
			sockets_shrink(ls->list[i].sockets, ls->n_slots);
}

/* As crews_follow(), with so many workers. */
static int
follow(struct crews *cs, struct policy *p, uint32_t n_workers, uint64_t now_ms,
       struct str *why)
{
	cs->next = add(cs, p, n_workers, NULL, 0, why);
	if (!cs->next) {
		close_slots(cs->current);
		return -EIO;
	}
	cs->next_failed = false;
	cs->next_until_ms = now_ms + NEXT_MS;
	make_room(cs, n_workers, now_ms);
	return 0;
}

int
crews_init(struct crews *cs, const struct crews_plan *plan, struct str *why)
{
	bool is_their_shm;
	int r;

	memset(cs, 0, sizeof(*cs));
	TAILQ_INIT(&cs->list);
	cs->count_fd = -1;
	r = open_shm(cs, plan, &is_their_shm);
	if (r == 0)
		r = open_places(cs, plan, is_their_shm);
	if (r < 0) {
		str_add(why, strerror(-r));
		policy_free(plan->policy);
		return r;
	}
	take_legacy(cs, plan, is_their_shm);
	if (!cs->current)
		return begin(cs, plan, why);
	if (plan->policy)
		(void)follow(cs, plan->policy, plan->n_workers, plan->now_ms,
			     why);
	return 0;
}

int
crews_describe(const struct crews *cs, struct handover *h)
{
	const struct crew *c;
	int r = 0;

	h->shm_fd = cs->shm->fd;
	h->limits_fd = places_fd(cs->places);
	TAILQ_FOREACH(c, &cs->list, link)
	{
		if (r == 0 && c->state != CREW_OVER)
			r = legacy_write(c, h);
	}
	return r;
}

void
crews_forget(struct handover *h)
{
	legacy_forget(h);
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
	if (!cs->shm && !cs->places)
		return;
	while (!TAILQ_EMPTY(&cs->list))
		drop(cs, TAILQ_FIRST(&cs->list));
	cs->current = cs->next = NULL;
	if (cs->count_fd >= 0)
		close(cs->count_fd);
	places_free(cs->places);
	shm_free(cs->shm);
	cs->places = NULL;
	cs->shm = NULL;
}

/* --- following ------------------------------------------------------------ */

int
crews_follow(struct crews *cs, struct policy *p, uint64_t now_ms,
	     struct str *why)
{
	if (cs->next || !cs->current) {
		policy_free(p);
		return -EBUSY;
	}
	/* a reload is held to it; what a failed replacement wanted is not it */
	return follow(cs, p, cs->current->n_workers, now_ms, why);
}

/* Flows of udp go on with the worker of the same slot. */
static void
move_datagrams(struct crew *from, struct crew *to)
{
	struct worker_order give = {.kind = WORKER_MOVE_TO};
	struct worker_order take = {.kind = WORKER_MOVE_FROM};
	int ends[2], r;
	uint32_t i;

	for (i = 0; i < from->n_workers && i < to->n_workers; i++) {
		r = talk_pair(ends);
		if (r < 0) {
			log_error("flows of udp do not move: %s", strerror(-r));
			return;
		}
		crew_tell(to, i, &take, &ends[0], 1);
		crew_tell(from, i, &give, &ends[1], 1);
		close(ends[0]);
		close(ends[1]);
	}
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
	move_datagrams(former, cs->current);
	duty_drain(former, &cs->current->listeners, duty_expiry_ms(former),
		   former->policy->gateway.drain_timeout_ms, now_ms);
}

void
crews_forgo(struct crews *cs, uint64_t now_ms)
{
	if (cs->next) {
		duty_end(cs->next, true, now_ms);
		close_slots(cs->current);
	}
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

bool
crews_have(const struct crews *cs, pid_t pid)
{
	const struct crew *c;
	uint32_t i;

	TAILQ_FOREACH(c, &cs->list, link)
	{
		if (c->tracker.pid == pid)
			return true;
		for (i = 0; i < c->n_workers; i++)
			if (c->workers[i].child.pid == pid)
				return true;
	}
	return false;
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
