/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker.c - accepting, and the end of it.
 *
 * Accepting pauses while the flow table is full or descriptors are short:
 * clients then wait in the listening sockets' queues. Listeners are waited
 * for level-triggered, so that a turn may leave some of the queue behind.
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
#include <sys/resource.h>
#include <unistd.h>

#include "lib/log.h"

#include "proxyd/base/limiter.h"
#include "proxyd/base/loop.h"
#include "proxyd/base/talk.h"
#include "proxyd/flow/flow.h"
#include "proxyd/flow/udp.h"

enum {
	TICK_MS = 200,
	ACCEPT_TURN = 32,  /* connections of one listener in one turn */
	DRAIN_TURN = 8192, /* the same, before it is closed */
	UDP_TURN = 256,	   /* of udp, what udp_receive() takes */
	PAUSE_MS = 100,	   /* after the kernel had no descriptor for us */
	ORPHAN_GRACE_MS = 250,
	SPARE_FDS = 64, /* not for flows: logs, netlink... */
	FLOWS_MAX = 1000000,
};

enum worker_state {
	WORKER_RUNNING,
	WORKER_ORPHANED, /* the master is gone, still accepting */
	WORKER_DRAINING,
	WORKER_DONE,
};

/* A listener, as a source of the loop. */
struct door {
	struct worker *worker;		 /* borrows */
	const struct listener *listener; /* borrows */
	struct loop_source source;
};

struct worker {
	const struct worker_setup *setup; /* borrows */
	struct loop loop;
	struct flows flows;
	struct listing listing;
	struct door *doors; /* owns */
	struct loop_source talk;
	struct timer tick;
	struct timer end; /* of the grace, or of the drain */
	struct limiter said_full;
	enum worker_state state;
	uint32_t max_flows;
	bool paused;
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
	for (i = 0; i < w->setup->listeners->n; i++)
		if (!is_udp(&w->setup->listeners->list[i]))
			loop_remove(&w->loop, &w->doors[i].source);
	w->paused = true;
	w->paused_until_ms = w->loop.now_ms + ms;
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
accept_one(struct worker *w, const struct listener *l)
{
	union sockaddr_any sa;
	socklen_t len = sizeof(sa);
	struct endpoint peer;
	int fd, error;

	if (w->flows.n >= w->max_flows) {
		pause_accepting(w, 0, "the flow table is full");
		return false;
	}
	sa.sa.sa_family = AF_UNSPEC;
	fd = accept4(l->fd, &sa.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	error = errno;
	if (fd < 0 && is_shortage(error))
		pause_accepting(w, PAUSE_MS, strerror(error));
	if (fd < 0)
		return error != EAGAIN && !is_shortage(error);
	peer = endpoint_from_sockaddr(&sa);
	flow_open(&w->flows, l, fd, &peer);
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
		udp_receive(&d->worker->flows, d->listener);
		return;
	}
	for (i = 0; i < ACCEPT_TURN; i++)
		if (!accept_one(d->worker, d->listener))
			return;
}

static int
start_accepting(struct worker *w)
{
	struct listeners *ls = w->setup->listeners;
	size_t i;
	int r;

	for (i = 0; i < ls->n; i++) {
		if (w->doors[i].source.waiting)
			continue;
		r = loop_add(&w->loop, &w->doors[i].source, ls->list[i].fd,
			     EPOLLIN, on_door, &w->doors[i]);
		if (r < 0)
			return r;
	}
	w->paused = false;
	return 0;
}

static void
resume_accepting(struct worker *w)
{
	if (!w->paused || w->loop.now_ms < w->paused_until_ms ||
	    w->flows.n >= w->max_flows || !flows_have_reserve(&w->flows))
		return;
	if (start_accepting(w) < 0)
		pause_accepting(w, PAUSE_MS, "cannot wait for listeners");
}

/* --- ending --------------------------------------------------------------- */

static void
end_flows(struct worker *w, enum reason reason)
{
	flow_end_all(&w->flows, reason);
	udp_end_all(&w->flows, reason);
}

static void
on_drain_timeout(void *owner)
{
	struct worker *w = owner;

	log_notice("%" PRIu32 " flows are cut, the drain timeout is over",
		   w->flows.n);
	end_flows(w, REASON_DRAIN_TIMEOUT);
}

/* What waits in the queue of `l`, now. */
static void
take_in(struct worker *w, const struct listener *l)
{
	size_t n;

	if (is_udp(l)) {
		for (n = 0; n < DRAIN_TURN && udp_receive(&w->flows, l);)
			n += UDP_TURN;
		return;
	}
	for (n = 0; n < DRAIN_TURN && !w->paused; n++)
		if (!accept_one(w, l))
			break;
}

/* What waits in the queues was promised a proxy: take it in first. */
static void
drain(struct worker *w)
{
	struct listeners *ls = w->setup->listeners;
	size_t i;

	if (w->state == WORKER_DRAINING)
		return;
	w->state = WORKER_DRAINING;
	for (i = 0; i < ls->n; i++) {
		take_in(w, &ls->list[i]);
		loop_remove(&w->loop, &w->doors[i].source);
	}
	w->paused = false;
	listeners_shut(ls);
	udp_drain(&w->flows);
	timer_clear(&w->loop.timers, &w->end);
	timer_init(&w->end, on_drain_timeout, w);
	timer_set(&w->loop.timers, &w->end,
		  w->loop.now_ms + w->setup->policy->gateway.drain_timeout_ms);
	log_info("draining %" PRIu32 " flows", w->flows.n);
}

static void
on_grace_over(void *owner)
{
	drain(owner);
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
	timer_init(&w->end, on_grace_over, w);
	timer_set(&w->loop.timers, &w->end, w->loop.now_ms + ORPHAN_GRACE_MS);
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
	case WORKER_DRAIN:
		drain(w);
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

	atomic_store(&w->setup->shm->worker.tick_ms, w->loop.now_ms);
	timer_set(&w->loop.timers, &w->tick, w->loop.now_ms + TICK_MS);
}

/* Each flow has two descriptors, each listener one. */
static uint32_t
flows_possible(uint32_t wanted, size_t n_listeners)
{
	uint64_t most = FLOWS_MAX, spare = SPARE_FDS + n_listeners;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur < 2 * most + spare)
		most = limit.rlim_cur > spare + 2 ? (limit.rlim_cur - spare) / 2
						  : 1;
	if (wanted > most)
		log_warn("max-flows is %" PRIu64 ", for more there are not"
			 " enough descriptors",
			 most);
	return wanted && wanted < most ? wanted : (uint32_t)most;
}

static int
make_doors(struct worker *w)
{
	struct listeners *ls = w->setup->listeners;
	size_t i;

	w->doors = calloc(ls->n + 1, sizeof(*w->doors));
	if (!w->doors)
		return -ENOMEM;
	for (i = 0; i < ls->n; i++) {
		w->doors[i].worker = w;
		w->doors[i].listener = &ls->list[i];
	}
	return 0;
}

static int
worker_init(struct worker *w, const struct worker_setup *setup)
{
	int r;

	w->setup = setup;
	w->max_flows = flows_possible(setup->policy->gateway.max_flows,
				      setup->listeners->n);
	r = loop_init(&w->loop);
	if (r < 0)
		return r;
	w->flows.policy = setup->policy;
	w->flows.listeners = setup->listeners;
	w->flows.loop = &w->loop;
	w->flows.shm = setup->shm;
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
	timer_init(&w->tick, on_tick, w);
	timer_set(&w->loop.timers, &w->tick, w->loop.now_ms);
	return r;
}

static void
worker_fini(struct worker *w)
{
	listing_fini(&w->listing);
	end_flows(w, REASON_STOPPED);
	udp_fini(&w->flows);
	flows_fini(&w->flows);
	free(w->doors);
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
		if (w->state == WORKER_DRAINING && w->flows.n == 0)
			w->state = WORKER_DONE;
	}
	if (r < 0)
		log_error("worker: %s", strerror(-r));
	worker_fini(w);
	free(w);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
