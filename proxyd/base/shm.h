/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shm.h - what master and workers tell each other without a message.
 *
 * Pages that all of them map. Each member has one writer; there are no
 * locks. A worker process has a slot of its own while it lives. When it has
 * ended, the master adds what it counted to the totals and empties the slot:
 * so what is a state of the dead vanishes, and a counter never goes back.
 */
#ifndef PROXYD_BASE_SHM_H
#define PROXYD_BASE_SHM_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/base/reason.h"
#include "proxyd/http/bad.h"

/* Only counters, each an _Atomic uint64_t: shm_give() adds all there are. */
struct shm_counts {
	_Atomic uint64_t accepted;
	_Atomic uint64_t ended[REASON_COUNT];
	_Atomic uint64_t limited;  /* flows refused by a limit of the policy */
	_Atomic uint64_t tested;   /* that one with `test` would have refused */
	_Atomic uint64_t unplaced; /* not counted: no place, see limit.h */
	_Atomic uint64_t paused;   /* times that accepting paused */
	_Atomic uint64_t shed;	   /* datagrams of new flows: no room */
	_Atomic uint64_t requests; /* of HTTP, with a head that was whole */
	_Atomic uint64_t not_http; /* connections whose first bytes were not */
	_Atomic uint64_t bad[HTTP_BAD_COUNT]; /* messages that were refused */
};

/* The slot of one worker process, in cache lines of its own. */
struct shm_worker {
	/* written by the worker */
	/* when its loop last came round; 0: never */
	alignas(64) _Atomic uint64_t tick_ms;
	struct shm_counts counts;
	_Atomic uint32_t flows; /* now */
	/* written by the master */
	uint32_t taken;	     /* is it anybody's? */
	uint32_t generation; /* of which crew */
	uint32_t index;	     /* which of its workers */
};

struct shm {
	/* written by the master */
	_Atomic uint32_t return_path; /* FAMILY_* bits */
	uint32_t n_slots;
	int fd; /* of these pages, in each process that has them */
	struct shm_counts past; /* of workers that have ended */
	struct shm_worker slots[];
};

/* Zeroed, shared with children forked later. NULL if there is no memory. */
struct shm *shm_new(uint32_t n_slots);

/*
 * That of a former proxyd, by a descriptor that is ours from then on. NULL:
 * it is of another layout, or has fewer slots; then it is closed.
 */
struct shm *shm_find(int fd, uint32_t n_slots);

/* Unmaps it here; other processes keep theirs. NULL is allowed. */
void shm_free(struct shm *shm);

/* How many slots are nobody's? */
uint32_t shm_vacant(const struct shm *shm);

/*
 * A slot for the worker `index` of crew `generation`, which is about to be
 * started. NULL: none is free. By the master.
 */
struct shm_worker *shm_take(struct shm *shm, uint32_t generation,
			    uint32_t index);

/* Which of the slots is it? From 0 on. */
uint32_t shm_index(const struct shm *shm, const struct shm_worker *w);

/* That worker has ended, or was not started after all. By the master. */
void shm_give(struct shm *shm, struct shm_worker *w);

/* Add one to a counter that only this process writes. */
static inline void
shm_count(_Atomic uint64_t *counter)
{
	uint64_t n;

	n = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, n + 1, memory_order_relaxed);
}

/* One less: what it counted is another's now. */
static inline void
shm_uncount(_Atomic uint64_t *counter)
{
	uint64_t n;

	n = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, n - 1, memory_order_relaxed);
}

/* All flows that ended, for whatever reason. */
uint64_t shm_ended(const struct shm_counts *c);

#endif
