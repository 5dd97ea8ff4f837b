/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rota.h - which worker serves which slot?
 *
 * Each worker serves the slot of its own number, as long as its loop ticks.
 * The slot of one that does not, or is not there, another serves until it is
 * back. Values in, values out: the moves are carried out elsewhere.
 */
#ifndef PROXYD_ROTA_H
#define PROXYD_ROTA_H

#include <stdbool.h>
#include <stdint.h>

enum { ROTA_NOBODY = UINT32_MAX };

/* How a worker is. */
enum rota_health {
	ROTA_GONE,  /* there is none */
	ROTA_FRESH, /* just started, has not ticked yet */
	ROTA_TICKS,
	ROTA_HANGS,
};

struct rota {
	uint32_t n_slots;
	uint32_t *server; /* owns: of each slot; ROTA_NOBODY */
};

struct rota_move {
	uint32_t slot;
	uint32_t from; /* ROTA_NOBODY: nobody served it */
	uint32_t to;
};

/* Nobody serves anything. 0 or -ENOMEM. Fini of a zeroed one is safe. */
int rota_init(struct rota *r, uint32_t n_slots);
void rota_fini(struct rota *r);

/* `worker` is gone: what it served is nobody's. */
void rota_forget(struct rota *r, uint32_t worker);

/*
 * `worker` is about to be started: shall it serve its own slot from the
 * start? Yes if nobody does, and that is noted.
 */
bool rota_begin(struct rota *r, uint32_t worker);

/*
 * The next slot that should move, given how the `n` workers are; that it
 * moved is noted. False: all is as it should be, or cannot be better.
 */
bool rota_next(struct rota *r, const enum rota_health *workers, uint32_t n,
	       struct rota_move *ret_move);

/* Is every slot served by a worker that ticks? */
bool rota_is_served(const struct rota *r, const enum rota_health *workers,
		    uint32_t n);

#endif
