/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crew.h - one generation: a policy, and the processes that live by it.
 *
 * A tracker and workers, with what they inherit: the listeners as this policy
 * sees them, the logs, the tally. None of it changes while the crew lives; a
 * reload makes another crew, and this one drains. What is kept here is one
 * crew's: which of its processes run, and which serves which slot. When to
 * begin, to drain and to end is for others to say.
 *
 *	STARTING   its workers run but accept nothing
 *	SERVING    each slot is served; who dies is replaced
 *	DRAINING   the workers finish their flows; who dies is gone
 *	ENDING     all were told to end
 *	OVER       no process is left
 */
#ifndef PROXYD_CREW_H
#define PROXYD_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/clock.h"
#include "lib/str.h"

#include "policy/policy.h"

#include "proxyd/base/shm.h"
#include "proxyd/base/tally.h"
#include "proxyd/child.h"
#include "proxyd/ctl/access.h"
#include "proxyd/http/error_page.h"
#include "proxyd/net/listener.h"
#include "proxyd/pool/places.h"
#include "proxyd/pulse.h"
#include "proxyd/rota.h"
#include "proxyd/worker.h"

enum crew_state {
	CREW_STARTING,
	CREW_SERVING,
	CREW_DRAINING,
	CREW_ENDING,
	CREW_OVER,
};

struct crew_worker {
	struct child child;
	struct shm_worker *own; /* borrows from the shm; NULL: does not run */
	int talk[2]; /* owns: the tracker's end and the worker's; -1 */
};

struct crew {
	TAILQ_ENTRY(crew) link;
	uint32_t generation;
	char since[CLOCK_STAMP_LEN]; /* when its policy was read */
	enum crew_state state;
	struct policy *policy; /* owns */
	struct shm *shm;       /* borrows */
	struct places *places; /* borrows: what limits count */
	int count_fd;	       /* borrows: of origdst_open_count(); or -errno */
	struct tally *tally;   /* owns */
	struct listeners listeners;
	struct access access;
	struct error_pages error_pages;
	struct pulse pulse;
	struct rota rota;
	struct child tracker;
	struct crew_worker *workers; /* owns */
	uint32_t n_workers;
	bool blind; /* of another program: nobody can read their ticks */
	/* who this process is, once forked: see crew_start() */
	uint32_t self; /* of the workers; n_workers: the tracker */
	int self_fd;   /* owns: its end of the talk with the master; -1 */
	bool self_serves;
	/* draining */
	bool followed;	  /* by another: the alive sets are that one's */
	bool cut;	  /* its slots are needed */
	uint64_t shut_ms; /* when the listeners are left to nobody */
	uint64_t kill_ms; /* when patience ends; also when ENDING */
};

/* What a crew is made of. */
struct crew_plan {
	struct policy *policy; /* the crew's, if it comes to be */
	uint32_t generation;
	uint32_t n_workers;
	uint32_t n_slots;      /* at least; more if a former one has more */
	struct shm *shm;       /* borrows */
	struct places *places; /* borrows */
	int count_fd;	       /* borrows: of origdst_open_count(); or -errno */
	/* see struct listener_plan */
	bool only_former;
	const struct listeners *const *former;
	size_t n_former;
	uint32_t patience_ms;
};

/* How many workers the policy wants: `auto` is one for each processor that we
 * may run on. */
uint32_t crew_size(const struct policy *p);

/*
 * Open all that it needs; no process yet. NULL, with the reason in `why`: it
 * cannot be. `why` may have something to say in any case.
 */
struct crew *crew_new(const struct crew_plan *plan, struct str *why);

/* Its processes are gone, or this is another process. NULL is allowed. */
void crew_free(struct crew *c);

/*
 * Start one process that is missing, if it is time. 0: nothing is missing;
 * 1: one was started, and there may be more. -1: this is the new process,
 * and crew_run() is its life.
 */
int crew_start(struct crew *c, uint64_t now_ms);

/*
 * The life of the process that crew_start() made. Gives up what is the
 * master's in this crew; other crews are freed already. Returns its exit
 * status.
 */
int crew_run(struct crew *c);

/* What crew_reap() saw. */
struct crew_news {
	bool ended;   /* some process did */
	bool failed;  /* with an error, or killed */
	bool refused; /* with 77: it could not give up its rights */
};

/* See which of its processes have ended; say so in the log. */
struct crew_news crew_reap(struct crew *c, uint64_t now_ms);

/* A tracker shall end; if not `quiet`, it empties the alive sets first. */
void crew_let_tracker_go(struct child *tracker, bool quiet);

/* SIGKILL to all of them. */
void crew_kill(struct crew *c);

/*
 * Tell one worker, with `n_fds` descriptors that stay ours. `alone` goes with
 * a drain only.
 */
void crew_tell(struct crew *c, uint32_t worker,
	       const struct worker_order *order, const int *fds, size_t n_fds);

/* Give them the log files, which were opened anew; and conntrack's count. */
void crew_pass_files(struct crew *c);
void crew_pass_count(struct crew *c, int fd);

/* Tell all workers something that needs no more than its kind. */
void crew_tell_all(struct crew *c, enum worker_order_kind kind);

#endif
