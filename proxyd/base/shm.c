/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shm.c - the pages of shm.h. They have no name that would need cleaning up. */
#include "proxyd/base/shm.h"

#include <string.h>
#include <unistd.h>

#include "lib/hash.h"

#include "proxyd/base/pages.h"

_Static_assert(sizeof(struct shm_counts) % sizeof(_Atomic uint64_t) == 0,
	       "nothing but counters");

static size_t
shm_size(uint32_t n_slots)
{
	return sizeof(struct shm) + n_slots * sizeof(struct shm_worker);
}

/* Another version may count other things, or in another order. */
static uint64_t
layout(void)
{
	const uint64_t parts[] = {
		sizeof(struct shm),
		sizeof(struct shm_worker),
		offsetof(struct shm_worker, counts),
		offsetof(struct shm_worker, flows),
		offsetof(struct shm_worker, taken),
		reason_digest(),
		http_bad_digest(),
	};

	return hash64(parts, sizeof(parts), 0);
}

struct shm *
shm_new(uint32_t n_slots)
{
	struct pages pages = {0};
	struct shm *shm;

	if (pages_new(&pages, "proxyd-shm", shm_size(n_slots), layout()) < 0)
		return NULL;
	shm = pages.at;
	shm->n_slots = n_slots;
	shm->fd = pages.fd;
	return shm;
}

struct shm *
shm_find(int fd, uint32_t n_slots)
{
	struct pages pages = {0};
	struct shm *shm;

	if (pages_take(&pages, fd, layout()) < 0) {
		close(fd);
		return NULL;
	}
	shm = pages.at;
	if (shm->n_slots >= n_slots && pages.size == shm_size(shm->n_slots)) {
		shm->fd = fd;
		return shm;
	}
	pages_free(&pages);
	return NULL;
}

void
shm_free(struct shm *shm)
{
	struct pages pages;

	if (!shm)
		return;
	pages = (struct pages){shm, shm_size(shm->n_slots), shm->fd};
	pages_free(&pages);
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

uint32_t
shm_index(const struct shm *shm, const struct shm_worker *w)
{
	return (uint32_t)(w - shm->slots);
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
