/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rota.c - one slot after the other, for rota.h. */
#include "proxyd/rota.h"

#include <errno.h>
#include <stdlib.h>

int
rota_init(struct rota *r, uint32_t n_slots)
{
	uint32_t i;

	r->n_slots = n_slots;
	r->server = calloc(n_slots, sizeof(*r->server));
	if (!r->server)
		return -ENOMEM;
	for (i = 0; i < n_slots; i++)
		r->server[i] = ROTA_NOBODY;
	return 0;
}

void
rota_fini(struct rota *r)
{
	free(r->server);
	r->server = NULL;
	r->n_slots = 0;
}

void
rota_forget(struct rota *r, uint32_t worker)
{
	uint32_t i;

	for (i = 0; i < r->n_slots; i++)
		if (r->server[i] == worker)
			r->server[i] = ROTA_NOBODY;
}

bool
rota_begin(struct rota *r, uint32_t worker)
{
	if (worker >= r->n_slots || r->server[worker] != ROTA_NOBODY)
		return false;
	r->server[worker] = worker;
	return true;
}

static enum rota_health
health_of(const enum rota_health *workers, uint32_t n, uint32_t worker)
{
	return worker < n ? workers[worker] : ROTA_GONE;
}

/* Who should serve it: its own, who does, or the next one that can. */
static uint32_t
choose(const struct rota *r, const enum rota_health *workers, uint32_t n,
       uint32_t slot)
{
	uint32_t now = r->server[slot], i, other;

	if (health_of(workers, n, slot) == ROTA_TICKS)
		return slot;
	switch (health_of(workers, n, now)) {
	case ROTA_TICKS:
	case ROTA_FRESH:
		return now;
	case ROTA_GONE:
	case ROTA_HANGS:
		break;
	}
	for (i = 1; i <= n; i++) {
		other = (slot + i) % n;
		if (workers[other] == ROTA_TICKS)
			return other;
	}
	return now;
}

bool
rota_next(struct rota *r, const enum rota_health *workers, uint32_t n,
	  struct rota_move *ret_move)
{
	uint32_t slot, to;

	for (slot = 0; slot < r->n_slots; slot++) {
		to = choose(r, workers, n, slot);
		if (to == r->server[slot])
			continue;
		*ret_move = (struct rota_move){slot, r->server[slot], to};
		r->server[slot] = to;
		return true;
	}
	return false;
}

bool
rota_is_served(const struct rota *r, const enum rota_health *workers,
	       uint32_t n)
{
	uint32_t slot;

	for (slot = 0; slot < r->n_slots; slot++)
		if (health_of(workers, n, r->server[slot]) != ROTA_TICKS)
			return false;
	return true;
}
