/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pairs.h - whose are these two endpoints?
 *
 * A table of pairs, each a member of whoever has it. Strangers choose the
 * endpoints, so they are hashed with a key of the table's own. Makes no
 * system call, allocates only at the beginning.
 */
#ifndef PROXYD_FLOW_PAIRS_H
#define PROXYD_FLOW_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/inet.h"
#include "lib/siphash.h"

/* Zeroed: in no table. */
struct pair {
	LIST_ENTRY(pair) link;
	struct endpoint a;
	struct endpoint b;
	void *owner; /* borrows */
	bool listed;
};

LIST_HEAD(pair_list, pair);

enum pairs_by {
	PAIRS_BY_BOTH,
	PAIRS_BY_FIRST, /* so that all of one `a` can be found */
};

struct pairs {
	struct pair_list *buckets; /* owns */
	size_t mask;
	struct siphash_key key;
	enum pairs_by by;
};

/* For about `n` pairs; more only make it slower. 0 or -ENOMEM. */
int pairs_init(struct pairs *t, enum pairs_by by, size_t n,
	       const struct siphash_key *key);
/* Pairs stay their owners'. A zeroed one is fine. */
void pairs_fini(struct pairs *t);

/* `p` is filled in, but for `listed`. The same pair may be there already. */
void pairs_add(struct pairs *t, struct pair *p);

/* Never mind if it is in no table. */
void pairs_remove(struct pair *p);

/* The owner of this pair, or NULL. */
void *pairs_find(const struct pairs *t, const struct endpoint *a,
		 const struct endpoint *b);

/* Is there one with this `a`? Only of a table by the first. */
bool pairs_has_first(const struct pairs *t, const struct endpoint *a);

#endif
