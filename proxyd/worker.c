/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker.c - accepting, and the end of it.
 *
 * Accepting pauses while the flow table is full or descriptors are short:
 * clients then wait in the listening sockets' queues. Listeners are waited
 * for level-triggered, so that a turn may leave some of the queue behind.
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
#include "proxyd/base/limiter.h"
#include "proxyd/base/loop.h"
#include "proxyd/base/talk.h"
#include "proxyd/flow/flow.h"
#include "proxyd/flow/udp.h"
#include "proxyd/flow/udp_move.h"

enum {
	TICK_MS = 200,
	ACCEPT_TURN = 32,  /* connections of one listener in one turn */
	DRAIN_TURN = 8192, /* the same, before it is closed */
	UDP_TURN = 256,	   /* of udp, what udp_receive() takes */
	PAUSE_MS = 100,	   /* after the kernel had no descriptor for us */
	FULL_MS = 10,	   /* so that not each flow's end opens all doors */
	ORPHAN_GRACE_MS = 250,
};

enum worker_state {
	WORKER_RUNNING,
	WORKER_ORPHANED, /* the master is gone, still accepting */
	WORKER_DRAINING,
	WORKER_DONE,
};

/* A socket of a listener, as a source of the loop. */
struct door {
	struct worker *worker;	   /* borrows */
	struct listener *listener; /* borrows */
	uint32_t slot;
	struct loop_source source;
};

struct worker {
	const struct worker_setup *setup; /* borrows */
	struct loop loop;
	struct flows flows;
	struct listing listing;
	struct door *doors; /* owns: of each listener, its slots */
	size_t n_doors;
	bool *serves; /* owns: of each slot */
	struct loop_source talk;
	struct timer tick;
	struct timer grace; /* of an orphan; then of the last listeners */
	struct timer cut;   /* when draining takes too long */
	uint64_t cut_ms;
	struct limiter said_full;
	enum worker_state state;
	uint32_t max_flows;
	bool lingers; /* draining, and some listeners are still open */
	bool paused;
	struct timer pause;
	uint64_t paused_until_ms;
};

/* --- accepting ------------------------------------------------------------ */

static bool
is_udp(const struct listener *l)
{
	return l->service->proto == PROTO_UDP;
}

static void
pause_accepting(struct worker *w, uint32_t ms, const char *why)
{
	uint64_t held;
	size_t i;

	if (limiter_pass(&w->said_full, w->loop.now_ms, &held))
		log_warn("accepting pauses with %" PRIu32 " flows: %s",
			 w->flows.n, why);
	/* datagrams cannot wait: udp.h says which of them are dropped */
	for (i = 0; i < w->n_doors; i++)
		if (!is_udp(w->doors[i].listener))
			loop_remove(&w->loop, &w->doors[i].source);
	w->paused = true;
	w->paused_until_ms = w->loop.now_ms + ms;
	timer_set(&w->loop.timers, &w->pause, w->paused_until_ms);
	shm_count(&w->flows.own->counts.paused);
}

/* Errors of accept() that mean the box, not this one connection. */
static bool
is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

/* Accept one. False: no more for now. */
static bool
accept_one(struct door *d)
{
	struct worker *w = d->worker;
	union sockaddr_any sa;
	socklen_t len = sizeof(sa);
	struct endpoint peer;
	int fd, error;

	if (!udp_make_room(&w->flows)) {
		pause_accepting(w, FULL_MS, "the flow table is full");
		return false;
	}
	sa.sa.sa_family = AF_UNSPEC;
	fd = accept4(d->source.fd, &sa.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	error = errno;
	if (fd < 0 && is_shortage(error))
		pause_accepting(w, PAUSE_MS, strerror(error));
	if (fd < 0)
		return error != EAGAIN && !is_shortage(error);
	peer = endpoint_from_sockaddr(&sa);
	flow_open(&w->flows, d->listener, fd, &peer);
	if (w->flows.reserve_fd >= 0)
		return true;
	pause_accepting(w, PAUSE_MS, "no descriptors left");
	return false;
}

static void
on_door(void *owner, uint32_t events)
{
	struct door *d = owner;
	int i;

	(void)events;
	if (is_udp(d->listener)) {
		udp_receive(&d->worker->flows, d->listener, d->source.fd);
		return;
	}
	for (i = 0; i < ACCEPT_TURN; i++)
		if (!accept_one(d))
			return;
}

/* Wait at it, if it is there and its slot is served. */
static int
open_door(struct worker *w, struct door *d)
{
	int fd = sockets_fd(d->listener->sockets, d->slot);

	if (fd < 0 || d->source.waiting || !w->serves[d->slot])
		return 0;
	return loop_add(&w->loop, &d->source, fd, EPOLLIN, on_door, d);
}

/* At all of them where it does not wait yet. */
static int
start_accepting(struct worker *w)
{
	size_t i;
	int r;

	w->paused = false;
	for (i = 0; i < w->n_doors; i++) {
		r = open_door(w, &w->doors[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The loop has woken up, which is all that it is for. */
static void
on_pause_over(void *owner)
{
	(void)owner;
}

static void
resume_accepting(struct worker *w)
{
	if (!w->paused || w->loop.now_ms < w->paused_until_ms ||
	    !udp_make_room(&w->flows) || !flows_have_reserve(&w->flows))
		return;
	if (start_accepting(w) < 0)
		pause_accepting(w, PAUSE_MS, "cannot wait for listeners");
}

/* --- slots ---------------------------------------------------------------- */

/* There are more doors to wait at. */
static void
start_again(struct worker *w)
{
	if (!w->paused && start_accepting(w) < 0)
		pause_accepting(w, PAUSE_MS, "cannot wait for listeners");
}

static void
take_slot(struct worker *w, uint32_t slot)
{
	if (slot >= w->setup->listeners->n_slots)
		return;
	w->serves[slot] = true;
	start_again(w);
}

static void
give_slot(struct worker *w, uint32_t slot)
{
	size_t i;

	if (slot >= w->setup->listeners->n_slots)
		return;
	w->serves[slot] = false;
	for (i = 0; i < w->n_doors; i++)
		if (w->doors[i].slot == slot)
			loop_remove(&w->loop, &w->doors[i].source);
}

/* A socket that was not open when we were started. */
static void
take_socket(struct worker *w, const struct worker_order *order,
	    struct talk_fds *fds)
{
	struct listeners *ls = w->setup->listeners;
	struct sockets_what what;
	struct listener *l;

	if (fds->n != 1 || order->listener >= ls->n ||
	    order->slot >= ls->n_slots)
		return;
	l = &ls->list[order->listener];
	what = listener_what(l);
	if (!l->sockets)
		l->sockets = sockets_new(&what);
	if (l->sockets && sockets_fd(l->sockets, order->slot) < 0 &&
	    sockets_put(l->sockets, order->slot, fds->fd[--fds->n]) == 0)
		start_again(w);
}

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

/* What waits in the queue, now. */
static void
take_in(struct door *d)
{
	struct worker *w = d->worker;
	size_t n;

	if (is_udp(d->listener)) {
		for (n = 0; n < DRAIN_TURN &&
			    udp_receive(&w->flows, d->listener, d->source.fd);)
			n += UDP_TURN;
		return;
	}
	for (n = 0; n < DRAIN_TURN && !w->paused; n++)
		if (!accept_one(d))
			break;
}

/* Leave a listener; with `empty`, take in who waits there first. */
static void
leave_listener(struct worker *w, size_t index, bool empty)
{
	uint32_t n_slots = w->setup->listeners->n_slots, slot;
	struct door *d = &w->doors[index * n_slots];

	for (slot = 0; slot < n_slots; slot++, d++) {
		if (!d->source.waiting)
			continue;
		if (empty)
			take_in(d);
		loop_remove(&w->loop, &d->source);
	}
	listener_shut(&w->setup->listeners->list[index]);
}

/* What waits in the queues was promised a proxy: take it in first. */
static void
on_lingered(void *owner)
{
	struct worker *w = owner;
	size_t i;

	for (i = 0; i < w->setup->listeners->n; i++)
		leave_listener(w, i, true);
	w->paused = false;
	w->lingers = false;
	udp_drain(&w->flows);
}

static void
begin_draining(struct worker *w)
{
	if (w->state == WORKER_DRAINING)
		return;
	w->state = WORKER_DRAINING;
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
			leave_listener(w, i, false);
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
		take_slot(w, order->slot);
		break;
	case WORKER_GIVE:
		give_slot(w, order->slot);
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
make_doors(struct worker *w)
{
	struct listeners *ls = w->setup->listeners;
	size_t i;

	w->n_doors = ls->n * ls->n_slots;
	w->doors = calloc(w->n_doors + 1, sizeof(*w->doors));
	w->serves = calloc(ls->n_slots, sizeof(*w->serves));
	if (!w->doors || !w->serves)
		return -ENOMEM;
	for (i = 0; i < w->n_doors; i++) {
		w->doors[i].worker = w;
		w->doors[i].listener = &ls->list[i / ls->n_slots];
		w->doors[i].slot = (uint32_t)(i % ls->n_slots);
	}
	w->serves[w->setup->index % ls->n_slots] = w->setup->serves;
	return 0;
}

static int
worker_init(struct worker *w, const struct worker_setup *setup)
{
	int r;

	w->setup = setup;
	w->max_flows = flows_possible(setup);
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
	w->flows.max = w->max_flows;
	w->flows.count_fd = setup->count_fd;
	if (setup->count_fd >= 0)
		w->flows.count_fd = dup(setup->count_fd);
	r = flows_init(&w->flows, setup->tracker_fd);
	if (r < 0)
		return r;
	r = udp_init(&w->flows);
	listing_init(&w->listing, &w->flows);
	if (r == 0)
		r = make_doors(w);
	if (r == 0)
		r = start_accepting(w);
	if (r == 0)
		r = loop_add(&w->loop, &w->talk, setup->talk_fd, EPOLLIN,
			     on_talk, w);
	timer_init(&w->pause, on_pause_over, w);
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
	free(w->doors);
	free(w->serves);
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
		resume_accepting(w);
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
