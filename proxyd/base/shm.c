/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shm.c - maps the page of shm.h. Anonymous: it needs no name to clean up. */
#include "proxyd/base/shm.h"

#include <stddef.h>
#include <sys/mman.h>

struct shm *
shm_new(void)
{
	void *p;

	p = mmap(NULL, sizeof(struct shm), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	return p;
}

void
shm_free(struct shm *shm)
{
	if (shm)
		munmap(shm, sizeof(*shm));
}

uint64_t
shm_ended(const struct shm_worker *w)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < REASON_COUNT; i++)
		sum += atomic_load_explicit(&w->ended[i], memory_order_relaxed);
	return sum;
}
