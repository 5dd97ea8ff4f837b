/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pairs.c - a hash table with chains, behind pairs.h. */
#include "proxyd/flow/pairs.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS_MIN = 64, BUCKETS_MAX = 1 << 20 };

int
pairs_init(struct pairs *t, enum pairs_by by, size_t n,
	   const struct siphash_key *key)
{
	size_t size = BUCKETS_MIN;

	memset(t, 0, sizeof(*t));
	while (size < n && size < BUCKETS_MAX)
		size *= 2;
	t->buckets = calloc(size, sizeof(*t->buckets));
	if (!t->buckets)
		return -ENOMEM;
	t->mask = size - 1;
	t->key = *key;
	t->by = by;
	return 0;
}

void
pairs_fini(struct pairs *t)
{
	free(t->buckets);
	t->buckets = NULL;
}

/* Three words an endpoint. */
static void
put(uint64_t *words, const struct endpoint *e)
{
	memcpy(words, e->addr.bytes, sizeof(e->addr.bytes));
	words[2] = (uint64_t)e->addr.family << 16 | e->port;
}

static struct pair_list *
bucket(const struct pairs *t, const struct endpoint *a,
       const struct endpoint *b)
{
	uint64_t words[6];

	put(words, a);
	if (t->by == PAIRS_BY_BOTH)
		put(words + 3, b);
	return &t->buckets[siphash(words, t->by == PAIRS_BY_BOTH ? 6 : 3,
				   &t->key) &
			   t->mask];
}

void
pairs_add(struct pairs *t, struct pair *p)
{
	assert(!p->listed);
	LIST_INSERT_HEAD(bucket(t, &p->a, &p->b), p, link);
	p->listed = true;
}

void
pairs_remove(struct pair *p)
{
	if (p->listed)
		LIST_REMOVE(p, link);
	p->listed = false;
}

void *
pairs_find(const struct pairs *t, const struct endpoint *a,
	   const struct endpoint *b)
{
	const struct pair_list *list = bucket(t, a, b);
	const struct pair *p;

	for (p = LIST_FIRST(list); p; p = LIST_NEXT(p, link)) {
		if (endpoint_equal(&p->a, a) && endpoint_equal(&p->b, b))
			return p->owner;
	}
	return NULL;
}

bool
pairs_has_first(const struct pairs *t, const struct endpoint *a)
{
	const struct pair_list *list = bucket(t, a, a);
	const struct pair *p;

	assert(t->by == PAIRS_BY_FIRST);
	for (p = LIST_FIRST(list); p; p = LIST_NEXT(p, link)) {
		if (endpoint_equal(&p->a, a))
			return true;
	}
	return false;
}
