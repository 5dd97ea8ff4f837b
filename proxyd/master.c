/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * master.c - watching, from the first process.
 *
 * One loop of signals and timers. Children are forked between two turns of
 * it and never inside, so that a child leaves by returning: it gives back
 * all it inherited, and the checks at exit hold in every process.
 *
 * The heartbeat is the master's, not the worker's, because only it knows
 * about all workers; but it is sent only while the worker's loop ticks.
 */
#include "proxyd/master.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"

#include "proxyd/base/loop.h"
#include "proxyd/base/notify.h"
#include "proxyd/base/priv.h"
#include "proxyd/base/shm.h"
#include "proxyd/base/tally.h"
#include "proxyd/child.h"
#include "proxyd/ctl/access.h"
#include "proxyd/net/listener.h"
#include "proxyd/net/origdst.h"
#include "proxyd/net/tracker.h"
#include "proxyd/pulse.h"
#include "proxyd/worker.h"

enum {
	WATCH_MS = 100,
	ALIVE_MS = 1000, /* a tick older than this is a loop that hangs */
	RETURN_PATH_MS = 1000,
	EXPIRE_EXTRA_MS = 200, /* to be sure that a set has run out */
	END_MS = 2000,	       /* for children that were told to end */
};

enum master_state {
	MASTER_RUNNING,
	MASTER_EXPIRING, /* no heartbeat; the alive sets run out */
	MASTER_DRAINING, /* the worker finishes its flows */
	MASTER_ENDING,	 /* waits for the children to be gone */
};

enum {
	TRACKER,
	WORKER,
	CHILDREN,
};

struct master {
	const struct policy *policy; /* borrows */
	struct listeners listeners;
	struct access access;
	struct shm *shm;     /* owns */
	struct tally *tally; /* owns */
	struct loop loop;
	struct pulse pulse;
	struct loop_source signals;
	struct timer watch;
	struct timer beat;
	struct timer path;
	struct timer end; /* of EXPIRING, DRAINING, ENDING */
	struct child children[CHILDREN];
	enum master_state state;
	int signal_fd;	     /* owns; -1 */
	int count_fd;	     /* owns: of origdst_open_count(); or -errno */
	int talk[2];	     /* owns: tracker's end, worker's end; -1 */
	int status;	     /* what to exit with */
	bool ready;	     /* READY=1 was sent */
	uint64_t watched_ms; /* when we last looked at the worker */
	uint64_t awake_ms;   /* when this box, or we, last woke up */
};

/* --- heartbeat ------------------------------------------------------------ */

static bool
worker_ticks(const struct master *m)
{
	uint64_t tick_ms = atomic_load(&m->shm->worker.tick_ms);

	return m->children[WORKER].pid && tick_ms &&
	       m->loop.now_ms < tick_ms + ALIVE_MS;
}

static void
on_beat(void *owner)
{
	struct master *m = owner;
	uint32_t every_ms = m->policy->gateway.alive_timeout_ms / 3;

	timer_set(&m->loop.timers, &m->beat, m->loop.now_ms + every_ms);
	if (m->ready && worker_ticks(m))
		pulse_beat(&m->pulse);
}

/* Conntrack may come later than we did. */
static void
look_for_count(struct master *m)
{
	struct worker_order order = {.kind = WORKER_COUNT};

	if (m->count_fd >= 0)
		return;
	m->count_fd = origdst_open_count();
	if (m->count_fd >= 0)
		child_tell(&m->children[WORKER], &order, sizeof(order),
			   &m->count_fd, 1);
}

static void
on_path(void *owner)
{
	struct master *m = owner;

	if (policy_spoofs(m->policy))
		atomic_store(&m->shm->return_path,
			     pulse_return_path(&m->pulse));
	look_for_count(m);
	timer_set(&m->loop.timers, &m->path, m->loop.now_ms + RETURN_PATH_MS);
}

/* --- ending --------------------------------------------------------------- */

static void
end_in(struct master *m, uint64_t ms)
{
	timer_set(&m->loop.timers, &m->end, m->loop.now_ms + ms);
}

static void
order_worker(struct master *m, enum worker_order_kind kind)
{
	struct worker_order order = {.kind = kind};

	child_tell(&m->children[WORKER], &order, sizeof(order), NULL, 0);
}

static void
begin_ending(struct master *m)
{
	m->state = MASTER_ENDING;
	timer_clear(&m->loop.timers, &m->beat);
	/* the tracker first: it stops the rules from capturing */
	child_let_go(&m->children[TRACKER]);
	order_worker(m, WORKER_QUIT);
	end_in(m, END_MS);
}

static void
begin_draining(struct master *m)
{
	m->state = MASTER_DRAINING;
	listeners_shut(&m->listeners);
	order_worker(m, WORKER_DRAIN);
	end_in(m, (uint64_t)m->policy->gateway.drain_timeout_ms + END_MS);
}

/* How long a set may still hold what the last heartbeat put there. */
static uint64_t
expiry_ms(const struct master *m)
{
	if (!pulse_is_seen(&m->pulse))
		return 0;
	return m->policy->gateway.alive_timeout_ms + EXPIRE_EXTRA_MS;
}

static void
begin_expiring(struct master *m)
{
	notify_send("STOPPING=1");
	log_notice("ending: no new flows are captured, flows may finish");
	timer_clear(&m->loop.timers, &m->beat);
	m->state = MASTER_EXPIRING;
	end_in(m, expiry_ms(m));
}

static void
on_end(void *owner)
{
	struct master *m = owner;
	int i;

	switch (m->state) {
	case MASTER_RUNNING:
		break;
	case MASTER_EXPIRING:
		begin_draining(m);
		break;
	case MASTER_DRAINING:
	case MASTER_ENDING:
		log_error("a process did not end in time");
		m->status = EXIT_FAILURE;
		for (i = 0; i < CHILDREN; i++)
			child_kill(&m->children[i]);
		end_in(m, END_MS);
		break;
	}
}

/* --- children ------------------------------------------------------------- */

static void
reap(struct master *m)
{
	bool leaving = m->state >= MASTER_DRAINING;
	struct child *c;
	int i, status;

	for (i = 0; i < CHILDREN; i++) {
		c = &m->children[i];
		if (!child_ended(c, m->loop.now_ms, &status))
			continue;
		child_say_ended(c, status);
		if (i == WORKER) {
			atomic_store(&m->shm->worker.tick_ms, 0);
			tally_settle(m->tally, 0);
		}
		if (leaving && status)
			m->status = EXIT_FAILURE;
		/* it could not give up its rights: nor would the next */
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
			m->status = EXIT_FAILURE;
			begin_ending(m);
		}
	}
}

/* If we slept, so did the worker, and it must be given time to tick. */
static void
notice_sleep(struct master *m)
{
	if (m->loop.now_ms >= m->watched_ms + ALIVE_MS)
		m->awake_ms = m->loop.now_ms;
	m->watched_ms = m->loop.now_ms;
}

static void
kill_silent(struct master *m)
{
	uint64_t silent_ms = m->policy->gateway.alive_timeout_ms;
	struct child *c = &m->children[WORKER];
	uint64_t last_ms = atomic_load(&m->shm->worker.tick_ms);

	if (!c->pid || c->killed)
		return;
	if (last_ms < c->started_ms)
		last_ms = c->started_ms;
	if (last_ms < m->awake_ms)
		last_ms = m->awake_ms;
	if (silent_ms < ALIVE_MS)
		silent_ms = ALIVE_MS;
	if (m->loop.now_ms >= last_ms + silent_ms)
		child_kill(c);
}

static void
become_ready(struct master *m)
{
	m->ready = true;
	/* armed before anybody is told */
	on_beat(m);
	notify_send("READY=1");
	log_notice("ready");
}

static void
on_watch(void *owner)
{
	struct master *m = owner;

	timer_set(&m->loop.timers, &m->watch, m->loop.now_ms + WATCH_MS);
	notice_sleep(m);
	kill_silent(m);
	if (!m->ready && m->state == MASTER_RUNNING && worker_ticks(m))
		become_ready(m);
}

/* Give up what is only the master's; the rest master_fini() gives back. */
static void
leave_master(struct master *m, int who)
{
	int i;

	loop_fini(&m->loop);
	pulse_fini(&m->pulse);
	close(m->signal_fd);
	m->signal_fd = -1;
	for (i = 0; i < CHILDREN; i++)
		child_let_go(&m->children[i]);
	if (who == TRACKER)
		listeners_close(&m->listeners);
	i = who == TRACKER ? 1 : 0;
	close(m->talk[i]);
	m->talk[i] = -1;
}

static int
run_child(struct master *m, int who, int talk_fd)
{
	struct worker_setup setup = {
		.policy = m->policy,
		.shm = m->shm,
		.tally = tally_column(m->tally, 0),
		.listeners = &m->listeners,
		.access = &m->access,
		.tracker_fd = m->talk[1],
		.talk_fd = talk_fd,
		.count_fd = m->count_fd,
	};
	int r;

	r = child_limit(who == TRACKER ? PRIV_TRACKER : PRIV_WORKER,
			m->children[who].name);
	if (r < 0)
		return 77;
	if (who == TRACKER)
		return tracker_run(m->policy, m->talk[0], talk_fd);
	return worker_run(&setup);
}

/* Start what is missing. In a child, true: its life is over. */
static bool
start_children(struct master *m)
{
	struct child *c;
	int i, fd = -1;
	pid_t pid;

	if (m->state > MASTER_EXPIRING)
		return false;
	for (i = 0; i < CHILDREN; i++) {
		c = &m->children[i];
		if (c->pid || m->loop.now_ms < c->retry_ms)
			continue;
		pid = child_start(c, m->loop.now_ms, &fd);
		if (pid < 0) {
			log_error("cannot start the %s: %s", c->name,
				  strerror((int)-pid));
			c->retry_ms = m->loop.now_ms + ALIVE_MS;
		} else if (pid == 0) {
			leave_master(m, i);
			m->status = run_child(m, i, fd);
			close(fd);
			return true;
		}
	}
	return false;
}

/* The worker may open none. */
static void
pass_files(struct master *m)
{
	struct worker_order order = {.kind = WORKER_FILES};
	int fds[ACCESS_GIFT];

	while (access_give(&m->access, &order.gift, fds))
		child_tell(&m->children[WORKER], &order, sizeof(order), fds,
			   order.gift.n);
}

/* --- signals -------------------------------------------------------------- */

static void
on_signal(struct master *m, int sig)
{
	switch (sig) {
	case SIGCHLD:
		reap(m);
		break;
	case SIGTERM:
		if (m->state == MASTER_RUNNING)
			begin_expiring(m);
		break;
	case SIGINT:
	case SIGQUIT:
		if (m->state == MASTER_RUNNING)
			notify_send("STOPPING=1");
		if (m->state != MASTER_ENDING)
			begin_ending(m);
		break;
	case SIGUSR1:
		access_reopen(&m->access);
		pass_files(m);
		break;
	case SIGHUP:
		log_warn("reload is not supported by this version; restart");
		break;
	}
}

static void
on_signals(void *owner, uint32_t events)
{
	struct signalfd_siginfo info;
	struct master *m = owner;

	(void)events;
	while (read(m->signal_fd, &info, sizeof(info)) == sizeof(info))
		on_signal(m, (int)info.ssi_signo);
}

static int
open_signals(struct master *m)
{
	static const int wanted[] = {SIGTERM, SIGINT,  SIGQUIT,
				     SIGHUP,  SIGUSR1, SIGCHLD};
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	/* a log file at its RLIMIT_FSIZE is an error like a full disk */
	signal(SIGXFSZ, SIG_IGN);
	/* a parent may have left it ignored: then nobody can be waited for */
	signal(SIGCHLD, SIG_DFL);
	m->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (m->signal_fd < 0)
		return -errno;
	return loop_add(&m->loop, &m->signals, m->signal_fd, EPOLLIN,
			on_signals, m);
}

/* --- the process ---------------------------------------------------------- */

/* As many descriptors as we may have; for the worker, which inherits it. */
static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* What needs no words but the kernel's. */
static int
open_plain(struct master *m)
{
	int r;

	raise_limit();
	m->shm = shm_new();
	m->tally = tally_new(m->policy, 1);
	r = m->shm && m->tally ? loop_init(&m->loop) : -ENOMEM;
	if (r == 0)
		r = open_signals(m);
	if (r == 0)
		r = pulse_init(&m->pulse, m->policy, &m->listeners);
	if (r == 0 &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0, m->talk) < 0)
		r = -errno;
	if (r < 0)
		log_error("cannot start: %s", strerror(-r));
	return r;
}

static int
master_init(struct master *m, const struct policy *p)
{
	struct str why = {0};
	int r;

	m->policy = p;
	m->signal_fd = m->talk[0] = m->talk[1] = m->count_fd = -1;
	child_init(&m->children[TRACKER], "tracker");
	child_init(&m->children[WORKER], "worker");
	timer_init(&m->watch, on_watch, m);
	timer_init(&m->beat, on_beat, m);
	timer_init(&m->path, on_path, m);
	timer_init(&m->end, on_end, m);
	r = open_plain(m);
	if (r < 0)
		return r;
	r = listeners_open(&m->listeners, p, &why);
	if (r == 0 && why.len)
		log_notice("%s", str_text(&why));
	if (r == 0)
		r = access_open(&m->access, p, &why);
	if (r < 0)
		log_error("%s", why.len ? str_text(&why) : strerror(-r));
	str_fini(&why);
	return r;
}

static void
master_fini(struct master *m)
{
	int i;

	for (i = 0; i < CHILDREN; i++)
		child_let_go(&m->children[i]);
	access_close(&m->access);
	listeners_close(&m->listeners);
	pulse_fini(&m->pulse);
	loop_fini(&m->loop);
	if (m->signal_fd >= 0)
		close(m->signal_fd);
	if (m->count_fd >= 0)
		close(m->count_fd);
	for (i = 0; i < 2; i++)
		if (m->talk[i] >= 0)
			close(m->talk[i]);
	tally_free(m->tally);
	shm_free(m->shm);
}

static bool
is_over(const struct master *m)
{
	return m->state >= MASTER_DRAINING && !m->children[TRACKER].pid &&
	       !m->children[WORKER].pid;
}

static void
watch(struct master *m)
{
	int r = 0;

	timer_set(&m->loop.timers, &m->watch, m->loop.now_ms);
	on_path(m);
	while (r == 0 && !is_over(m)) {
		if (start_children(m))
			return;
		r = loop_turn(&m->loop);
		if (m->state == MASTER_DRAINING && !m->children[WORKER].pid)
			begin_ending(m);
	}
	if (r < 0) {
		log_error("master: %s", strerror(-r));
		m->status = EXIT_FAILURE;
	}
}

int
master_run(const struct policy *p)
{
	struct master *m;
	int status;

	m = calloc(1, sizeof(*m));
	if (!m)
		return EXIT_FAILURE;
	if (master_init(m, p) == 0) {
		/* nobody's flows wait for who reads the log, or does not */
		log_never_wait();
		watch(m);
	} else {
		m->status = EXIT_FAILURE;
	}
	status = m->status;
	master_fini(m);
	free(m);
	return status;
}
