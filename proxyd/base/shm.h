/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * shm.h - what master and worker tell each other without a message.
 *
 * One page that both map. Each member has one writer; there are no locks.
 * A worker's slot outlives the worker: its successor goes on counting.
 */
#ifndef PROXYD_BASE_SHM_H
#define PROXYD_BASE_SHM_H

#include <stdatomic.h>
#include <stdint.h>

#include "proxyd/base/reason.h"

struct shm_worker {
	/* written by the worker */
	_Atomic uint64_t tick_ms; /* when its loop last came round; 0: never */
	_Atomic uint64_t accepted;
	_Atomic uint64_t ended[REASON_COUNT];
	_Atomic uint32_t flows; /* now */
};

struct shm {
	/* written by the master: FAMILY_* bits */
	_Atomic uint32_t return_path;
	struct shm_worker worker;
};

/* Zeroed, shared with children forked later. NULL if there is no memory. */
struct shm *shm_new(void);

/* Unmaps it here; other processes keep theirs. NULL is allowed. */
void shm_free(struct shm *shm);

/* Add one to a counter that only this process writes. */
static inline void
shm_count(_Atomic uint64_t *counter)
{
	uint64_t n;

	n = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, n + 1, memory_order_relaxed);
}

/* All flows that ended, for whatever reason. */
uint64_t shm_ended(const struct shm_worker *w);

#endif
