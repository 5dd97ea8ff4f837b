/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * balance.h - which node of a pool is next?
 *
 * Round robin over the nodes that may be used. Each worker has its own
 * turn. Knows nothing of flows, and opens no socket.
 */
#ifndef PROXYD_POOL_BALANCE_H
#define PROXYD_POOL_BALANCE_H

#include <stdint.h>

#include "policy/policy.h"

struct balance {
	const struct policy *policy; /* borrows */
	uint32_t *turn; /* owns: of each pool, the node that is next */
};

/* 0 or -ENOMEM. Fini of a zeroed one is safe. */
int balance_init(struct balance *b, const struct policy *p);
void balance_fini(struct balance *b);

/*
 * The next node of `pool` whose address is of one of `families` (FAMILY_*
 * bits); `node original` is of any. NULL: none. Borrows from the policy.
 */
const struct policy_node *balance_next(struct balance *b,
				       const struct policy_pool *pool,
				       unsigned int families);

#endif
