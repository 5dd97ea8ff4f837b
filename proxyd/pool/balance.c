/* SPDX-License-Identifier: GPL-2.0-or-later */
/* balance.c - turns of balance.h. */
#include "proxyd/pool/balance.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

int
balance_init(struct balance *b, const struct policy *p)
{
	b->policy = p;
	b->turn = calloc(p->n_pools, sizeof(*b->turn));
	return b->turn ? 0 : -ENOMEM;
}

void
balance_fini(struct balance *b)
{
	free(b->turn);
	b->turn = NULL;
}

static bool
usable(const struct policy_node *node, unsigned int families)
{
	if (node->original)
		return true;
	if (node->endpoint.addr.family == AF_INET6)
		return families & FAMILY_IPV6;
	return families & FAMILY_IPV4;
}

const struct policy_node *
balance_next(struct balance *b, const struct policy_pool *pool,
	     unsigned int families)
{
	size_t i, n, at = (size_t)(pool - b->policy->pools);
	uint32_t *turn;

	assert(at < b->policy->n_pools);
	turn = &b->turn[at];
	for (i = 0; i < pool->n_nodes; i++) {
		n = (*turn + i) % pool->n_nodes;
		if (!usable(&pool->nodes[n], families))
			continue;
		*turn = (uint32_t)((n + 1) % pool->n_nodes);
		return &pool->nodes[n];
	}
	return NULL;
}
