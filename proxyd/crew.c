/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crew.c - processes of one generation, behind crew.h.
 *
 * Each worker has a talk of its own with the tracker, made once: successors
 * of either go on with it. A process is forked with all of the crew's
 * descriptors and closes those that are not for it.
 */
#include "proxyd/crew.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/diag.h"
#include "lib/log.h"

#include "proxyd/base/talk.h"
#include "proxyd/net/tracker.h"

enum {
	RETRY_MS = 1000, /* after fork() failed */
	NOT_PERMITTED = 77,
	NS_A_MS = 1000000,
};

/* --- making --------------------------------------------------------------- */

uint32_t
crew_size(const struct policy *p)
{
	cpu_set_t may;

	if (p->gateway.workers)
		return p->gateway.workers;
	/* with more processors than it has room for: never mind the rest */
	if (sched_getaffinity(0, sizeof(may), &may) < 0)
		return 1;
	return (uint32_t)CPU_COUNT(&may);
}

static int
make_workers(struct crew *c, uint32_t n)
{
	uint32_t i;
	int r = 0;

	c->workers = calloc(n, sizeof(*c->workers));
	if (!c->workers)
		return -ENOMEM;
	c->n_workers = n;
	for (i = 0; i < n; i++) {
		child_init(&c->workers[i].child, "worker");
		c->workers[i].talk[0] = c->workers[i].talk[1] = -1;
	}
	for (i = 0; i < n && r == 0; i++)
		r = talk_pair(c->workers[i].talk);
	return r;
}

/* What needs no words but the kernel's. */
static int
make_plain(struct crew *c, const struct crew_plan *plan)
{
	int r;

	child_init(&c->tracker, "tracker");
	r = make_workers(c, plan->n_workers);
	if (r == 0)
		r = rota_init(&c->rota, c->listeners.n_slots);
	if (r == 0)
		r = pulse_init(&c->pulse, plan->policy, &c->listeners);
	if (r < 0)
		return r;
	c->tally = tally_new(plan->policy, plan->n_workers);
	return c->tally ? 0 : -ENOMEM;
}

/*
 * A slot for each worker, and all that are there: clients may wait in them,
 * also where there were more workers once.
 */
static uint32_t
count_slots(const struct crew_plan *plan)
{
	uint32_t n = plan->n_workers;
	size_t i;

	if (n < plan->n_slots)
		n = plan->n_slots;
	for (i = 0; i < plan->n_former; i++)
		if (n < plan->former[i]->n_slots)
			n = plan->former[i]->n_slots;
	return n;
}

/* The processes of a former program have read theirs. */
static int
make_pages(struct crew *c, const struct crew_plan *plan, struct str *why)
{
	struct diags diags;
	int r;

	if (plan->only_former)
		return 0;
	diags_init(&diags);
	r = error_pages_load(plan->policy, &diags, &c->error_pages);
	diags_format(&diags, false, why);
	diags_fini(&diags);
	return r;
}

struct crew *
crew_new(const struct crew_plan *plan, struct str *why)
{
	const struct listener_plan listen = {
		.policy = plan->policy,
		.n_slots = count_slots(plan),
		.former = plan->former,
		.n_former = plan->n_former,
		.patience_ms = plan->patience_ms,
		.only_former = plan->only_former,
	};
	struct crew *c = calloc(1, sizeof(*c));
	int r;

	if (!c) {
		str_add(why, strerror(ENOMEM));
		return NULL;
	}
	c->generation = plan->generation;
	clock_stamp(c->since);
	c->shm = plan->shm;
	c->places = plan->places;
	c->count_fd = plan->count_fd;
	c->self_fd = -1;
	r = listeners_open(&c->listeners, &listen, why);
	if (r == 0)
		r = access_open(&c->access, plan->policy, why);
	if (r == 0)
		r = make_pages(c, plan, why);
	if (r == 0)
		r = make_plain(c, plan);
	if (r == 0) {
		c->policy = plan->policy;
		return c;
	}
	if (!why->len)
		str_add(why, strerror(-r));
	crew_free(c);
	return NULL;
}

static void
close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
crew_free(struct crew *c)
{
	uint32_t i;

	if (!c)
		return;
	for (i = 0; i < c->n_workers; i++) {
		child_let_go(&c->workers[i].child);
		close_end(&c->workers[i].talk[0]);
		close_end(&c->workers[i].talk[1]);
	}
	if (c->n_workers)
		child_let_go(&c->tracker);
	close_end(&c->self_fd);
	access_close(&c->access);
	error_pages_fini(&c->error_pages);
	pulse_fini(&c->pulse);
	listeners_close(&c->listeners);
	rota_fini(&c->rota);
	tally_free(c->tally);
	free(c->workers);
	policy_free(c->policy);
	free(c);
}

/* --- processes ------------------------------------------------------------ */

/* Give up what is the master's, and other processes'. */
static void
leave_master(struct crew *c)
{
	bool tracker = c->self == c->n_workers;
	uint32_t i;

	pulse_fini(&c->pulse);
	child_let_go(&c->tracker);
	for (i = 0; i < c->n_workers; i++) {
		child_let_go(&c->workers[i].child);
		if (tracker || i != c->self)
			close_end(&c->workers[i].talk[1]);
		if (!tracker)
			close_end(&c->workers[i].talk[0]);
	}
	if (tracker)
		listeners_close(&c->listeners);
}

static int
run_tracker(struct crew *c)
{
	int *fds = calloc(c->n_workers, sizeof(*fds));
	uint32_t i;
	int status;

	if (!fds)
		return EXIT_FAILURE;
	for (i = 0; i < c->n_workers; i++)
		fds[i] = c->workers[i].talk[0];
	status = tracker_run(c->policy, fds, c->n_workers, c->self_fd);
	free(fds);
	return status;
}

static int
run_worker(struct crew *c)
{
	struct crew_worker *w = &c->workers[c->self];
	struct worker_setup setup = {
		.policy = c->policy,
		.shm = c->shm,
		.own = w->own,
		.places = c->places,
		.tally = tally_column(c->tally, c->self),
		.listeners = &c->listeners,
		.access = &c->access,
		.error_pages = &c->error_pages,
		.index = c->self,
		.serves = c->self_serves,
		.tracker_fd = w->talk[1],
		.talk_fd = c->self_fd,
		.count_fd = c->count_fd,
	};

	return worker_run(&setup);
}

int
crew_run(struct crew *c)
{
	bool tracker = c->self == c->n_workers;
	int r;

	leave_master(c);
	r = child_limit(tracker ? PRIV_TRACKER : PRIV_WORKER,
			tracker ? c->tracker.name
				: c->workers[c->self].child.name);
	if (r < 0)
		return NOT_PERMITTED;
	return tracker ? run_tracker(c) : run_worker(c);
}

/* As crew_start(), for one that is missing. */
static int
start(struct crew *c, uint32_t who, struct child *child, uint64_t now_ms)
{
	pid_t pid;

	pid = child_start(child, now_ms, &c->self_fd);
	if (pid < 0) {
		log_error("cannot start the %s: %s", child->name,
			  strerror((int)-pid));
		child->retry_ms = now_ms + RETRY_MS;
		return 0;
	}
	if (pid > 0)
		return 1;
	c->self = who;
	return -1;
}

static int
start_worker(struct crew *c, uint32_t i, uint64_t now_ms)
{
	struct crew_worker *w = &c->workers[i];
	int r;

	w->own = shm_take(c->shm, c->generation, i);
	/* others have yet to end */
	if (!w->own)
		return 0;
	c->self_serves = c->state == CREW_SERVING && rota_begin(&c->rota, i);
	r = start(c, i, &w->child, now_ms);
	if (r == 0) {
		if (c->self_serves)
			rota_forget(&c->rota, i);
		shm_give(c->shm, w->own);
		w->own = NULL;
	}
	return r;
}

static bool
is_due(const struct child *child, uint64_t now_ms)
{
	return !child->pid && now_ms >= child->retry_ms;
}

int
crew_start(struct crew *c, uint64_t now_ms)
{
	bool workers = c->state <= CREW_SERVING;
	uint32_t i;
	int r = 0;

	if (c->state <= CREW_DRAINING && is_due(&c->tracker, now_ms))
		return start(c, c->n_workers, &c->tracker, now_ms);
	for (i = 0; workers && i < c->n_workers && r == 0; i++)
		if (is_due(&c->workers[i].child, now_ms))
			r = start_worker(c, i, now_ms);
	return r;
}

static bool
reap_one(struct child *child, uint64_t now_ms, struct crew_news *news)
{
	int status;

	if (!child_ended(child, now_ms, &status))
		return false;
	child_say_ended(child, status);
	news->ended = true;
	news->failed |= status != 0;
	/* nor would its successor be able to */
	news->refused |=
		WIFEXITED(status) && WEXITSTATUS(status) == NOT_PERMITTED;
	return true;
}

struct crew_news
crew_reap(struct crew *c, uint64_t now_ms)
{
	struct crew_news news = {0};
	struct crew_worker *w;
	uint32_t i;

	reap_one(&c->tracker, now_ms, &news);
	for (i = 0; i < c->n_workers; i++) {
		w = &c->workers[i];
		if (!reap_one(&w->child, now_ms, &news))
			continue;
		tally_settle(c->tally, i);
		places_settle(c->places, shm_index(c->shm, w->own),
			      now_ms * NS_A_MS);
		shm_give(c->shm, w->own);
		w->own = NULL;
		rota_forget(&c->rota, i);
	}
	return news;
}

/* --- orders --------------------------------------------------------------- */

void
crew_tell(struct crew *c, uint32_t worker, const struct worker_order *order,
	  const int *fds, size_t n_fds)
{
	size_t len = sizeof(*order);

	if (order->kind != WORKER_DRAIN)
		len = offsetof(struct worker_order, alone);
	child_tell(&c->workers[worker].child, order, len, fds, n_fds);
}

void
crew_tell_all(struct crew *c, enum worker_order_kind kind)
{
	struct worker_order order = {.kind = kind};
	uint32_t i;

	for (i = 0; i < c->n_workers; i++)
		crew_tell(c, i, &order, NULL, 0);
}

void
crew_let_tracker_go(struct child *tracker, bool quiet)
{
	struct tracker_order order = {.kind = TRACKER_LEAVE};

	if (quiet)
		child_tell(tracker, &order, sizeof(order), NULL, 0);
	child_let_go(tracker);
}

void
crew_pass_files(struct crew *c)
{
	struct worker_order order = {.kind = WORKER_FILES};
	int fds[ACCESS_GIFT];
	uint32_t i;

	/* workers may open none themselves */
	while (access_give(&c->access, &order.gift, fds))
		for (i = 0; i < c->n_workers; i++)
			crew_tell(c, i, &order, fds, order.gift.n);
}

void
crew_pass_count(struct crew *c, int fd)
{
	struct worker_order order = {.kind = WORKER_COUNT};
	uint32_t i;

	c->count_fd = fd;
	for (i = 0; fd >= 0 && i < c->n_workers; i++)
		crew_tell(c, i, &order, &fd, 1);
}

void
crew_kill(struct crew *c)
{
	uint32_t i;

	if (c->tracker.pid)
		child_kill(&c->tracker);
	for (i = 0; i < c->n_workers; i++)
		if (c->workers[i].child.pid)
			child_kill(&c->workers[i].child);
}
