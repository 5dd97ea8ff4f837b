/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shm.c - maps the pages of shm.h. Anonymous: they need no name to clean up. */
#include "proxyd/base/shm.h"

#include <string.h>
#include <sys/mman.h>

_Static_assert(sizeof(struct shm_counts) % sizeof(_Atomic uint64_t) == 0,
	       "nothing but counters");

static size_t
shm_size(uint32_t n_slots)
{
	return sizeof(struct shm) + n_slots * sizeof(struct shm_worker);
}

struct shm *
shm_new(uint32_t n_slots)
{
	struct shm *shm;
	void *p;

	p = mmap(NULL, shm_size(n_slots), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	shm = p;
	shm->n_slots = n_slots;
	return shm;
}

void
shm_free(struct shm *shm)
{
	if (shm)
		munmap(shm, shm_size(shm->n_slots));
}

uint32_t
shm_vacant(const struct shm *shm)
{
	uint32_t i, n = 0;

	for (i = 0; i < shm->n_slots; i++)
		n += !shm->slots[i].taken;
	return n;
}

struct shm_worker *
shm_take(struct shm *shm, uint32_t generation, uint32_t index)
{
	struct shm_worker *w;
	uint32_t i;

	for (i = 0; i < shm->n_slots; i++) {
		w = &shm->slots[i];
		if (w->taken)
			continue;
		w->taken = 1;
		w->generation = generation;
		w->index = index;
		return w;
	}
	return NULL;
}

void
shm_give(struct shm *shm, struct shm_worker *w)
{
	_Atomic uint64_t *from = (_Atomic uint64_t *)&w->counts;
	_Atomic uint64_t *to = (_Atomic uint64_t *)&shm->past;
	size_t i;

	for (i = 0; i < sizeof(w->counts) / sizeof(*from); i++)
		atomic_store_explicit(&to[i], to[i] + from[i],
				      memory_order_relaxed);
	memset(w, 0, sizeof(*w));
}

uint64_t
shm_ended(const struct shm_counts *c)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < REASON_COUNT; i++)
		sum += atomic_load_explicit(&c->ended[i], memory_order_relaxed);
	return sum;
}
