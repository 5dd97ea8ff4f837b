/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker.c - one loop, orders, and the end of it.
 *
 * From which slots' sockets it accepts, the master says: its own, and those
 * of workers that it stands in for.
 *
 * A worker without a master drains. For a moment it still accepts, until
 * the tracker has told the rules that nobody captures any more.
 */
#include "proxyd/worker.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

#include "proxyd/base/fds.h"
#include "proxyd/base/loop.h"
#include "proxyd/base/talk.h"
#include "proxyd/doors.h"
#include "proxyd/flow/flow.h"
#include "proxyd/flow/udp.h"
#include "proxyd/flow/udp_move.h"

enum {
	TICK_MS = 200,
	ORPHAN_GRACE_MS = 250,
};

enum worker_state {
	WORKER_RUNNING,
	WORKER_ORPHANED, /* the master is gone, still accepting */
	WORKER_DRAINING,
	WORKER_DONE,
};

struct worker {
	const struct worker_setup *setup; /* borrows */
	struct loop loop;
	struct flows flows;
	struct listing listing;
	struct doors doors;
	struct loop_source talk;
	struct timer tick;
	struct timer grace; /* of an orphan; then of the last listeners */
	struct timer cut;   /* when draining takes too long */
	uint64_t cut_ms;
	enum worker_state state;
	bool lingers; /* draining, and some listeners are still open */
};

/* --- ending --------------------------------------------------------------- */

static void
end_flows(struct worker *w, enum reason reason)
{
	flow_end_all(&w->flows, reason);
	udp_end_all(&w->flows, reason);
}

static void
on_cut(void *owner)
{
	struct worker *w = owner;

	log_notice("%" PRIu32 " flows are cut, the drain timeout is over",
		   w->flows.n);
	end_flows(w, REASON_DRAIN_TIMEOUT);
}

/* What waits in the queues was promised a proxy: take it in first. */
static void
on_lingered(void *owner)
{
	struct worker *w = owner;

	doors_leave_all(&w->doors);
	w->lingers = false;
	udp_drain(&w->flows);
}

static void
begin_draining(struct worker *w)
{
	if (w->state == WORKER_DRAINING)
		return;
	w->state = WORKER_DRAINING;
	w->flows.draining = true;
	timer_clear(&w->loop.timers, &w->grace);
	timer_init(&w->grace, on_lingered, w);
	timer_init(&w->cut, on_cut, w);
	w->cut_ms = UINT64_MAX;
	w->lingers = true;
	log_info("draining %" PRIu32 " flows", w->flows.n);
}

static void
drain(struct worker *w, const struct worker_order *order)
{
	struct timers *ts = &w->loop.timers;
	uint64_t cut_ms = w->loop.now_ms + order->timeout_ms;
	size_t i;

	begin_draining(w);
	for (i = 0; i < w->setup->listeners->n; i++)
		if (!(order->alone[i / 8] & 1u << i % 8))
			doors_leave(&w->doors, i, false);
	udp_move_look(&w->flows);
	if (w->lingers && order->linger_ms)
		timer_set(ts, &w->grace, w->loop.now_ms + order->linger_ms);
	else if (w->lingers)
		on_lingered(w);
	/* only ever sooner */
	if (cut_ms < w->cut_ms)
		timer_set(ts, &w->cut, cut_ms);
	w->cut_ms = cut_ms < w->cut_ms ? cut_ms : w->cut_ms;
}

static void
on_grace_over(void *owner)
{
	struct worker *w = owner;
	struct worker_order order = {
		.timeout_ms = w->setup->policy->gateway.drain_timeout_ms,
	};

	memset(order.alone, 0xff, sizeof(order.alone));
	drain(w, &order);
}

static void
become_orphan(struct worker *w)
{
	sigset_t term;

	loop_remove(&w->loop, &w->talk);
	/* nobody else can end this process now */
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_UNBLOCK, &term, NULL);
	if (w->state != WORKER_RUNNING)
		return;
	log_error("the master is gone, draining");
	w->state = WORKER_ORPHANED;
	timer_init(&w->grace, on_grace_over, w);
	timer_set(&w->loop.timers, &w->grace, w->loop.now_ms + ORPHAN_GRACE_MS);
}

/* A socket that was not open when we were started. */
static void
take_socket(struct worker *w, const struct worker_order *order,
	    struct talk_fds *fds)
{
	if (fds->n == 1 &&
	    doors_put(&w->doors, order->listener, order->slot, fds->fd[0]))
		fds->n = 0;
}

static void
take_files(struct worker *w, const struct access_gift *gift,
	   struct talk_fds *fds)
{
	if (access_take(w->setup->access, gift, fds->fd, fds->n))
		fds->n = 0;
	else
		log_error("log files that came are not those of the policy");
}

/* What came with the order and is taken, is taken out of `fds`. */
static void
obey(struct worker *w, const struct worker_order *order, struct talk_fds *fds)
{
	switch ((enum worker_order_kind)order->kind) {
	case WORKER_TAKE:
		doors_take(&w->doors, order->slot);
		break;
	case WORKER_GIVE:
		doors_give(&w->doors, order->slot);
		break;
	case WORKER_LISTEN:
		take_socket(w, order, fds);
		break;
	case WORKER_DRAIN:
		drain(w, order);
		break;
	case WORKER_MOVE_TO:
		if (fds->n)
			udp_move_to(&w->flows, fds->fd[--fds->n]);
		break;
	case WORKER_MOVE_FROM:
		if (fds->n)
			udp_move_from(&w->flows, fds->fd[--fds->n]);
		break;
	case WORKER_QUIT:
		end_flows(w, REASON_STOPPED);
		w->state = WORKER_DONE;
		break;
	case WORKER_FILES:
		take_files(w, &order->gift, fds);
		break;
	case WORKER_COUNT:
		if (w->flows.count_fd < 0 && fds->n)
			w->flows.count_fd = fds->fd[--fds->n];
		break;
	case WORKER_LOG_LEVEL:
		log_set_level((enum log_level)order->level);
		break;
	case WORKER_LIST:
		if (fds->n < 2)
			break;
		listing_begin(&w->listing, &order->listing, fds->fd[0],
			      fds->fd[1]);
		fds->n = 0;
		break;
	}
}

static void
on_talk(void *owner, uint32_t events)
{
	struct worker_order order = {0};
	struct talk_fds fds = {.n = 0};
	struct worker *w = owner;
	ssize_t n;

	(void)events;
	n = talk_receive(w->setup->talk_fd, &order, sizeof(order), &fds);
	if (n == 0)
		become_orphan(w);
	else if (n > 0)
		obey(w, &order, &fds);
	else if (n == -EMFILE)
		log_error("no descriptor is left for what the master sent");
	talk_close(&fds);
}

/* --- the process ---------------------------------------------------------- */

static void
on_tick(void *owner)
{
	struct worker *w = owner;

	atomic_store(&w->setup->own->tick_ms, w->loop.now_ms);
	timer_set(&w->loop.timers, &w->tick, w->loop.now_ms + TICK_MS);
}

/* Each listener has a descriptor a slot. */
static uint32_t
flows_possible(const struct worker_setup *setup)
{
	uint32_t wanted = setup->policy->gateway.max_flows;
	uint32_t n = fds_flows(wanted,
			       setup->listeners->n * setup->listeners->n_slots);

	if (n < wanted)
		log_warn("max-flows is %" PRIu32 ", for more there are not"
			 " enough descriptors",
			 n);
	return n;
}

static int
worker_init(struct worker *w, const struct worker_setup *setup)
{
	int r;

	w->setup = setup;
	r = loop_init(&w->loop);
	if (r < 0)
		return r;
	w->flows.policy = setup->policy;
	w->flows.listeners = setup->listeners;
	w->flows.loop = &w->loop;
	w->flows.shm = setup->shm;
	w->flows.own = setup->own;
	w->flows.limit = (struct limit){
		.places = setup->places,
		.counts = &setup->own->counts,
		.slot = shm_index(setup->shm, setup->own),
	};
	w->flows.tally = setup->tally;
	w->flows.access = setup->access;
	w->flows.pages = setup->error_pages;
	w->flows.max = flows_possible(setup);
	w->flows.count_fd = setup->count_fd;
	if (setup->count_fd >= 0)
		w->flows.count_fd = dup(setup->count_fd);
	r = flows_init(&w->flows, setup->tracker_fd);
	if (r < 0)
		return r;
	r = udp_init(&w->flows);
	listing_init(&w->listing, &w->flows);
	if (r == 0)
		r = doors_init(&w->doors, &w->flows, setup->listeners);
	if (r == 0 && setup->serves)
		doors_take(&w->doors, setup->index);
	if (r == 0)
		r = loop_add(&w->loop, &w->talk, setup->talk_fd, EPOLLIN,
			     on_talk, w);
	timer_init(&w->tick, on_tick, w);
	timer_set(&w->loop.timers, &w->tick, w->loop.now_ms);
	return r;
}

static void
worker_fini(struct worker *w)
{
	listing_fini(&w->listing);
	end_flows(w, REASON_STOPPED);
	udp_move_fini(&w->flows);
	udp_fini(&w->flows);
	flows_fini(&w->flows);
	doors_fini(&w->doors);
	loop_fini(&w->loop);
}

int
worker_run(const struct worker_setup *setup)
{
	struct worker *w;
	int r;

	w = calloc(1, sizeof(*w));
	if (!w)
		return EXIT_FAILURE;
	r = worker_init(w, setup);
	while (r == 0 && w->state != WORKER_DONE) {
		r = loop_turn(&w->loop);
		doors_resume(&w->doors);
		access_flush(setup->access);
		if (w->state == WORKER_DRAINING && !w->lingers &&
		    w->flows.n == 0 && !udp_move_expects(&w->flows))
			w->state = WORKER_DONE;
	}
	if (r < 0)
		log_error("worker: %s", strerror(-r));
	worker_fini(w);
	free(w);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
