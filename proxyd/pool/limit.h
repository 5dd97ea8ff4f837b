/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limit.h - may this client have one more?
 *
 * The limits of a service, counted over all workers: connections and flows
 * that live, and new ones in time. A client is an IPv4 address or an IPv6
 * /64. One that is refused is not counted.
 *
 * A rate is a bucket of as many tokens as come in a second: `N/s` allows N at
 * once, and then one each N-th of a second.
 *
 * A client for whom there is no place in the table is refused: one that
 * cannot be counted could have as many as it likes. The table is four times
 * as large as the flows that there can be, so that only a flood of new
 * clients gets there, and those that have a place do not notice. It is
 * counted.
 */
#ifndef PROXYD_POOL_LIMIT_H
#define PROXYD_POOL_LIMIT_H

#include <stdint.h>

#include "policy/policy.h"

#include "proxyd/base/shm.h"
#include "proxyd/pool/places.h"

enum limit_verdict {
	LIMIT_PASS,
	LIMIT_TEST, /* passes, because the limit is only a `test` */
	LIMIT_REFUSE,
};

/* What a flow holds of connection limits. Zeroed: nothing. */
struct limit_hold {
	uint32_t at[2]; /* a place and 1; 0: none */
};

/* The table, as one process uses it. */
struct limit {
	struct places *places;	   /* borrows */
	struct shm_counts *counts; /* borrows: of this process */
	uint32_t slot;		   /* of this process */
};

/*
 * A new flow of `client` to `s`: count it with all limits of the service, or
 * say that it is beyond one. *ret_hold is given back when the flow ends;
 * it is set in all cases. Makes no system call.
 */
enum limit_verdict limit_take(struct limit *l, const struct policy_service *s,
			      const struct addr *client, uint64_t now_ms,
			      struct limit_hold *ret_hold);

/*
 * A flow that another process began and goes on here: count it with the
 * limits of connections, beyond them too if need be. The other one gives
 * back what it held.
 */
void limit_resume(struct limit *l, const struct policy_service *s,
		  const struct addr *client, struct limit_hold *ret_hold);

/* The flow has ended. Once more does no harm. */
void limit_give(struct limit *l, struct limit_hold *hold);

/* Places that so many flows at a time need, for places_new(). */
uint32_t limit_places(uint64_t flows);

#endif
