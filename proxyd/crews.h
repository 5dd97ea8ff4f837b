/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crews.h - all generations: who serves, who is to follow, who drains.
 *
 * A crew that follows has to be ready, all its workers ticking, before the
 * one that serves is told to drain. If it does not get that far, nothing has
 * changed: it accepted nothing. What policy it lives by is not decided here.
 */
#ifndef PROXYD_CREWS_H
#define PROXYD_CREWS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/str.h"

#include "policy/policy.h"

#include "proxyd/base/shm.h"
#include "proxyd/crew.h"
#include "proxyd/handover.h"

TAILQ_HEAD(crew_list, crew);

struct crews {
	struct crew_list list; /* owns; the latest first */
	struct crew *current;  /* of the list: serves; NULL: ends, or ended */
	struct crew *next;     /* of the list: is to follow; NULL: none */
	struct shm *shm;       /* owns */
	struct places *places; /* owns: what limits count */
	int count_fd;	       /* owns: of origdst_open_count(); or -errno */
	uint32_t generation;   /* of the latest */
	uint64_t next_until_ms;
	bool next_failed; /* one of its processes ended */
};

/* What became of the crew that was to follow. */
enum crews_outcome {
	CREWS_SAME,	/* nothing new */
	CREWS_FOLLOWED, /* it serves */
	CREWS_FAILED,	/* it is on its way out; the other one still serves */
};

/* With what proxyd begins. */
struct crews_plan {
	/* the crew's, whatever becomes of it; NULL: none to be had */
	struct policy *policy;
	uint32_t n_workers; /* 0: as many as the former proxyd had */
	/* borrows: what a former proxyd left; no crews: there was none */
	const struct handover *handover;
	struct listeners *sockets; /* borrows: those that are there already */
	uint64_t now_ms;
};

/*
 * Make the first crew. Where there are crews of a former proxyd, it is to
 * follow them: what comes of it crews_mind() will say, and if it cannot even
 * be made, they serve on, and `why` says so. Else it will serve at once. 0;
 * -errno and the reason in `why`, which may have something to say in any
 * case.
 */
int crews_init(struct crews *cs, const struct crews_plan *plan,
	       struct str *why);

/*
 * Describe all of them for a program that takes our place. 0 or -errno;
 * crews_forget() gives back what was opened for that, in any case.
 */
int crews_describe(const struct crews *cs, struct handover *h);
void crews_forget(struct handover *h);

/* All processes are gone, or this is one of them. A zeroed one is fine. */
void crews_fini(struct crews *cs);

/*
 * Make a crew that is to follow, of as many workers as the one that serves;
 * crews_mind() will say what became of it.
 * The policy is the crew's from now on, whatever is returned. 0; -EBUSY: one
 * is to follow already; -errno and the reason in `why`, likewise.
 */
int crews_follow(struct crews *cs, struct policy *p, uint64_t now_ms,
		 struct str *why);

/*
 * Start the processes that are missing. True: this is one of them; it keeps
 * only its own crew, cs->current, and crew_run() is its life.
 */
bool crews_start(struct crews *cs, uint64_t now_ms);

/* Is this process one of theirs? */
bool crews_have(const struct crews *cs, pid_t pid);

/* See who has ended. */
struct crew_news crews_reap(struct crews *cs, uint64_t now_ms);

/* Look after all of them, several times a second; see duty_mind(). */
enum crews_outcome crews_mind(struct crews *cs, uint64_t now_ms,
			      uint64_t awake_ms);

/* All of them shall finish; who was to follow ends. */
void crews_drain(struct crews *cs, uint64_t now_ms);

/* All of them shall end now. */
void crews_end(struct crews *cs, uint64_t now_ms);

/* Who was to follow shall not. Never mind if there is none. */
void crews_forgo(struct crews *cs, uint64_t now_ms);

/* What origdst_open_count() gave; a descriptor is ours from now on. */
void crews_count(struct crews *cs, int fd);

/* Open the log files anew, all of them. */
void crews_reopen(struct crews *cs);

/* Is no process left, and none to be started? */
bool crews_are_over(const struct crews *cs);

#endif
