/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * master.c - watching, from the first process.
 *
 * One loop of signals and timers. Children are forked between two turns of
 * it and never inside, so that a child leaves by returning: it gives back
 * all it inherited, and the checks at exit hold in every process.
 *
 * The heartbeat is the master's, not the workers', because only it knows
 * about all of them; but it is sent only while a worker that ticks serves
 * each slot. One that had to be left out is sent as soon as that is so.
 */
#include "proxyd/master.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"

#include "proxyd/base/loop.h"
#include "proxyd/base/notify.h"
#include "proxyd/base/shm.h"
#include "proxyd/crews.h"
#include "proxyd/desk.h"
#include "proxyd/duty.h"
#include "proxyd/net/inherited.h"
#include "proxyd/net/origdst.h"
#include "proxyd/pulse.h"
#include "proxyd/reload.h"
#include "proxyd/replace.h"
#include "proxyd/store.h"

enum {
	WATCH_MS = 100,
	WATCH_NEXT_MS = 10, /* while a crew gets ready to follow */
	ASLEEP_MS = 1000,   /* a watch so late: this box slept, or we did */
	RETURN_PATH_MS = 1000,
};

enum master_state {
	MASTER_RUNNING,
	MASTER_EXPIRING, /* no heartbeat; the alive sets run out */
	MASTER_LEAVING,	 /* crews finish, or end */
};

struct master {
	struct crews crews;
	struct reload reload;
	struct replace replace;
	struct store store;
	struct desk desk;
	struct loop loop;
	struct loop_source signals;
	struct timer watch;
	struct timer beat;
	struct timer path;
	struct timer expired; /* of EXPIRING */
	enum master_state state;
	int signal_fd;	     /* owns; -1 */
	int status;	     /* what to exit with */
	bool ready;	     /* READY=1 was sent */
	bool beat_missed;    /* some slot was not served when it was time */
	uint64_t watched_ms; /* when we last looked at the crews */
	uint64_t awake_ms;   /* when this box, or we, last woke up */
};

/* --- heartbeat ------------------------------------------------------------ */

/* At once; the next one when it is time for it. */
static void
beat(struct master *m)
{
	struct crew *c = m->crews.current;

	if (!m->ready || !c)
		return;
	m->beat_missed = !duty_is_served(c, m->loop.now_ms);
	if (!m->beat_missed)
		pulse_beat(&c->pulse);
	timer_set(&m->loop.timers, &m->beat,
		  m->loop.now_ms + c->policy->gateway.alive_timeout_ms / 3);
}

static void
on_beat(void *owner)
{
	beat(owner);
}

/* Conntrack may come later than we did. */
static void
look_for_count(struct master *m)
{
	if (m->crews.count_fd < 0)
		crews_count(&m->crews, origdst_open_count());
}

static void
on_path(void *owner)
{
	struct master *m = owner;
	struct crew *c = m->crews.current;

	if (c && policy_spoofs(c->policy))
		atomic_store(&m->crews.shm->return_path,
			     pulse_return_path(&c->pulse));
	look_for_count(m);
	timer_set(&m->loop.timers, &m->path, m->loop.now_ms + RETURN_PATH_MS);
}

/* --- what outlives us ----------------------------------------------------- */

/* What the service manager keeps: while we run, all; then nothing. */
static void
keep_sockets(struct master *m)
{
	const struct crew *c = m->crews.current;

	if (m->state != MASTER_RUNNING)
		(void)store_sync(&m->store, NULL);
	else if (m->ready && c)
		(void)store_sync(&m->store, &c->listeners);
}

/* --- ending --------------------------------------------------------------- */

/* From now on nobody says READY=1: that is for before STOPPING=1. */
static void
stop_changes(struct master *m)
{
	replace_stop(&m->replace);
	reload_stop(&m->reload);
	crews_forgo(&m->crews, m->loop.now_ms);
}

static void
begin_leaving(struct master *m)
{
	m->state = MASTER_LEAVING;
	timer_clear(&m->loop.timers, &m->beat);
	timer_clear(&m->loop.timers, &m->expired);
	stop_changes(m);
}

static void
begin_ending(struct master *m)
{
	begin_leaving(m);
	crews_end(&m->crews, m->loop.now_ms);
}

static void
on_expired(void *owner)
{
	struct master *m = owner;

	begin_leaving(m);
	crews_drain(&m->crews, m->loop.now_ms);
}

static void
begin_expiring(struct master *m)
{
	struct crew *c = m->crews.current;

	stop_changes(m);
	notify_send("STOPPING=1");
	keep_sockets(m);
	log_notice("ending: no new flows are captured, flows may finish");
	timer_clear(&m->loop.timers, &m->beat);
	m->state = MASTER_EXPIRING;
	timer_set(&m->loop.timers, &m->expired,
		  m->loop.now_ms + (c ? duty_expiry_ms(c) : 0));
}

/* --- looking after the crews ---------------------------------------------- */

static void
look_after(struct master *m)
{
	enum crews_outcome outcome;
	bool beat_now;

	outcome = crews_mind(&m->crews, m->loop.now_ms, m->awake_ms);
	beat_now = m->beat_missed || outcome == CREWS_FOLLOWED;
	if (m->state != MASTER_RUNNING)
		return;
	/* before anybody is told that it was done */
	if (beat_now)
		beat(m);
	reload_outcome(&m->reload, outcome, m->loop.now_ms);
	replace_mind(&m->replace);
}

/* Children that a former proxyd had, and could not tell us of. */
static void
reap_strangers(struct master *m)
{
	siginfo_t info = {.si_pid = 0};
	pid_t tried = m->replace.tryout.pid;

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid && info.si_pid != tried &&
	       !crews_have(&m->crews, info.si_pid)) {
		log_info("process %d of the former proxyd ended",
			 (int)info.si_pid);
		(void)waitpid(info.si_pid, NULL, WNOHANG);
		info.si_pid = 0;
	}
}

static void
reap(struct master *m)
{
	struct crew_news news = crews_reap(&m->crews, m->loop.now_ms);

	replace_mind(&m->replace);
	reap_strangers(m);

	if (m->state == MASTER_LEAVING && news.failed)
		m->status = EXIT_FAILURE;
	if (news.refused) {
		m->status = EXIT_FAILURE;
		begin_ending(m);
	}
	/* the slots of who is gone wait for nobody */
	if (news.ended)
		look_after(m);
}

/* If we slept, so did the workers, and they must be given time to tick. */
static void
notice_sleep(struct master *m)
{
	if (m->loop.now_ms >= m->watched_ms + ASLEEP_MS)
		m->awake_ms = m->loop.now_ms;
	m->watched_ms = m->loop.now_ms;
}

static void
become_ready(struct master *m)
{
	m->ready = true;
	/* armed before anybody is told */
	beat(m);
	notify_send("READY=1");
	log_notice("ready");
}

static void
on_watch(void *owner)
{
	struct master *m = owner;

	timer_set(&m->loop.timers, &m->watch, m->loop.now_ms + WATCH_MS);
	notice_sleep(m);
	look_after(m);
	keep_sockets(m);
	if (!m->ready && m->state == MASTER_RUNNING && m->crews.current &&
	    duty_ticks(m->crews.current, m->loop.now_ms))
		become_ready(m);
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
		stop_changes(m);
		if (m->state == MASTER_RUNNING)
			notify_send("STOPPING=1");
		begin_ending(m);
		break;
	case SIGUSR1:
		crews_reopen(&m->crews);
		break;
	case SIGUSR2:
		if (m->state == MASTER_RUNNING && m->ready)
			replace_ask(&m->replace);
		else
			log_notice("not replaced, proxyd is %s",
				   m->ready ? "ending" : "starting");
		break;
	case SIGHUP:
		if (m->state == MASTER_RUNNING)
			reload_ask(&m->reload, NULL, m->loop.now_ms);
		else
			log_notice("not reloaded, proxyd is ending");
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
	static const int wanted[] = {SIGTERM, SIGINT,  SIGQUIT, SIGHUP,
				     SIGUSR1, SIGUSR2, SIGCHLD};
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

/* --- questions ------------------------------------------------------------ */

static void
view(void *owner, struct desk_view *ret_view)
{
	const struct master *m = owner;
	const struct crew *c = m->crews.current;

	ret_view->ends = m->state != MASTER_RUNNING;
	ret_view->alive = m->ready && c && !ret_view->ends &&
			  duty_is_served(c, m->loop.now_ms);
	ret_view->state = ret_view->ends  ? "ending"
			  : !m->ready	  ? "starting"
			  : m->crews.next ? "reloading"
					  : "serving";
}

static void
open_desk(struct master *m, const struct master_setup *setup)
{
	struct desk_setup desk = {
		.loop = &m->loop,
		.crews = &m->crews,
		.reload = &m->reload,
		.policy = setup->path,
		.view = view,
		.owner = m,
	};

	desk_open(&m->desk, &desk, setup->control);
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

/* A former proxyd's crew serves. Is ours to follow, or can it not be? */
static void
go_on(struct master *m, const char *why)
{
	const char *user = m->crews.current->policy->gateway.user;
	struct policy *next = m->crews.next ? m->crews.next->policy : NULL;

	m->ready = true;
	if (!next) {
		if (*why)
			log_error("%s", why);
		log_error("the former processes serve on; mend it, and send"
			  " SIGUSR2 again");
		notify_send("READY=1");
	} else if (strcmp(next->gateway.user, user)) {
		log_warn("still '%s': 'user' changes only by restart", user);
		/* a policy with the user that we are is none that changes it */
		next->gateway.user = arena_strdup(next->arena, user);
	}
}

/*
 * The first crew. Does a former proxyd's serve, then it goes on doing so
 * until this one is ready, and if it cannot be, too.
 */
static int
make_crews(struct master *m, const struct master_setup *setup)
{
	const struct crews_plan plan = {
		.policy = setup->policy,
		.n_workers = setup->policy ? crew_size(setup->policy) : 0,
		.handover = setup->handover,
		.sockets = setup->sockets,
		.now_ms = clock_now_ms(),
	};
	struct str why = {0};
	bool former;
	int r;

	r = store_assume(&m->store, setup->sockets);
	if (r == 0)
		r = crews_init(&m->crews, &plan, &why);
	former = r == 0 && m->crews.current->policy != setup->policy;
	if (former)
		go_on(m, str_text(&why));
	else if (why.len && r < 0)
		log_error("%s", str_text(&why));
	else if (why.len)
		log_notice("%s", str_text(&why));
	str_fini(&why);
	/* what a former crew has, it keeps */
	if (former)
		listeners_close(setup->sockets);
	else if (r == 0)
		inherited_close(setup->sockets, &m->crews.current->listeners);
	return r;
}

static int
master_init(struct master *m, const struct master_setup *setup)
{
	int r;

	m->signal_fd = -1;
	timer_init(&m->watch, on_watch, m);
	timer_init(&m->beat, on_beat, m);
	timer_init(&m->path, on_path, m);
	timer_init(&m->expired, on_expired, m);
	raise_limit();
	r = make_crews(m, setup);
	if (r < 0)
		return r;
	reload_init(&m->reload, &m->crews, setup->path, setup->workers);
	r = loop_init(&m->loop);
	if (r == 0)
		r = open_signals(m);
	replace_init(&m->replace, &m->crews, &m->loop, setup->argv);
	if (r < 0)
		log_error("cannot start: %s", strerror(-r));
	else
		open_desk(m, setup);
	return r;
}

/* Give up what is only the master's; the rest master_fini() gives back. */
static void
leave_master(struct master *m)
{
	replace_fini(&m->replace, true);
	loop_fini(&m->loop);
	desk_close(&m->desk);
	close(m->signal_fd);
	m->signal_fd = -1;
}

static void
master_fini(struct master *m)
{
	replace_fini(&m->replace, false);
	desk_withdraw(&m->desk);
	desk_close(&m->desk);
	reload_fini(&m->reload);
	crews_fini(&m->crews);
	store_fini(&m->store);
	loop_fini(&m->loop);
	if (m->signal_fd >= 0)
		close(m->signal_fd);
}

/* A reload is to be done in little more than it takes. */
static void
watch_closely(struct master *m)
{
	uint64_t soon_ms = m->loop.now_ms + WATCH_NEXT_MS;

	if (m->crews.next && m->watch.due_ms > soon_ms)
		timer_set(&m->loop.timers, &m->watch, soon_ms);
}

static void
watch(struct master *m)
{
	int r = 0;

	timer_set(&m->loop.timers, &m->watch, m->loop.now_ms);
	on_path(m);
	beat(m);
	while (r == 0 && !crews_are_over(&m->crews)) {
		if (crews_start(&m->crews, m->loop.now_ms)) {
			leave_master(m);
			m->status = crew_run(m->crews.current);
			return;
		}
		watch_closely(m);
		r = loop_turn(&m->loop);
		if (m->state == MASTER_RUNNING && replace_is_due(&m->replace))
			replace_now(&m->replace);
	}
	if (r < 0) {
		log_error("master: %s", strerror(-r));
		m->status = EXIT_FAILURE;
	}
}

int
master_run(const struct master_setup *setup)
{
	struct master *m;
	int status;

	m = calloc(1, sizeof(*m));
	if (!m) {
		policy_free(setup->policy);
		return EXIT_FAILURE;
	}
	if (master_init(m, setup) == 0) {
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
