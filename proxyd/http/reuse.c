/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reuse.c - a table of what is idle, behind reuse.h.
 *
 * A link's timer is set when it becomes idle and is not moved by what happens
 * then: when it fires too early it is set for the rest, and while somebody
 * owns the link it means nothing.
 */
#include "proxyd/http/reuse.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* --- the table ------------------------------------------------------------ */

bool
link_key_equal(const struct link_key *a, const struct link_key *b)
{
	return a->pool == b->pool && a->node == b->node &&
	       a->upstream.mark == b->upstream.mark &&
	       endpoint_equal(&a->upstream.target, &b->upstream.target) &&
	       endpoint_equal(&a->upstream.source, &b->upstream.source) &&
	       endpoint_equal(&a->client, &b->client) &&
	       endpoint_equal(&a->destination, &b->destination);
}

bool
link_is_private(const struct link *l)
{
	return l->key.upstream.source.port || l->key.client.addr.family;
}

/* How many words it takes: none if it is not there. */
static size_t
put(uint64_t *words, const struct endpoint *e)
{
	uint32_t v4;

	switch (e->addr.family) {
	case AF_INET:
		memcpy(&v4, e->addr.bytes, sizeof(v4));
		words[0] = (uint64_t)v4 << 32 | e->port;
		return 1;
	case AF_INET6:
		memcpy(words, e->addr.bytes, sizeof(e->addr.bytes));
		words[2] = e->port;
		return 3;
	}
	return 0;
}

/* What differs most: clients choose it, so that it needs a secret. */
static struct link_bucket *
bucket_of(struct reuse_store *r, const struct link_key *key)
{
	uint64_t words[10];
	size_t n;

	words[0] = (uintptr_t)key->node;
	n = 1 + put(words + 1, &key->upstream.target);
	n += put(words + n, &key->upstream.source);
	n += put(words + n, &key->client);
	return &r->buckets[siphash(words, n, &r->secret) % REUSE_BUCKETS];
}

static struct reuse_node *
node_of(struct reuse_store *r, const struct link_key *key)
{
	size_t pool = (size_t)(key->pool - r->policy->pools);

	assert(pool < r->policy->n_pools);
	return &r->nodes[r->first[pool] +
			 (size_t)(key->node - key->pool->nodes)];
}

int
reuse_init(struct reuse_store *r, struct loop *loop, const struct policy *p)
{
	size_t i, n = 0;

	memset(r, 0, sizeof(*r));
	r->loop = loop;
	r->policy = p;
	TAILQ_INIT(&r->all);
	if (getrandom(&r->secret, sizeof(r->secret), 0) < 0)
		return -errno;
	r->first = calloc(p->n_pools, sizeof(*r->first));
	if (!r->first)
		return -ENOMEM;
	for (i = 0; i < p->n_pools; i++) {
		r->first[i] = n;
		n += p->pools[i].n_nodes;
	}
	r->nodes = calloc(n, sizeof(*r->nodes));
	if (!r->nodes) {
		free(r->first);
		r->first = NULL;
		return -ENOMEM;
	}
	for (i = 0; i < n; i++)
		TAILQ_INIT(&r->nodes[i].idle);
	return 0;
}

void
reuse_fini(struct reuse_store *r)
{
	if (!r->loop)
		return;
	while (reuse_shed(r))
		;
	free(r->nodes);
	free(r->first);
	r->nodes = NULL;
	r->first = NULL;
}

/* --- one link ------------------------------------------------------------- */

static void
wake(struct link *l)
{
	struct reuse_node *node = node_of(l->reuse, &l->key);

	LIST_REMOVE(l, in_bucket);
	TAILQ_REMOVE(&node->idle, l, in_node);
	TAILQ_REMOVE(&l->reuse->all, l, in_all);
	node->n--;
	l->idle = false;
}

void
link_close(struct link *l, bool reset)
{
	assert(l->magic == LINK_MAGIC);
	if (l->idle)
		wake(l);
	timer_clear(&l->reuse->loop->timers, &l->timer);
	loop_forget(l->reuse->loop, &l->source);
	side_close(&l->side, reset);
	l->magic = 0;
	free(l);
}

/* Idle, it has nothing to say: whatever the server does ends it. */
static void
on_link(void *owner, uint32_t events)
{
	struct link *l = owner;

	assert(l->magic == LINK_MAGIC);
	side_event(&l->side, events);
	if (!l->idle)
		l->ready(l->owner);
	else if (l->side.readable || l->side.error)
		link_close(l, false);
}

static void
on_timer(void *owner)
{
	struct link *l = owner;
	uint64_t due_ms = l->idle_ms + l->key.pool->reuse_idle_ms;

	if (!l->idle)
		return;
	if (l->reuse->loop->now_ms >= due_ms)
		link_close(l, false);
	else
		timer_set(&l->reuse->loop->timers, &l->timer, due_ms);
}

void
link_own(struct link *l, void (*ready)(void *owner), void *owner)
{
	assert(!l->idle);
	l->ready = ready;
	l->owner = owner;
}

int
link_open(struct reuse_store *r, const struct link_key *key,
	  void (*ready)(void *owner), void *owner, struct link **ret_link)
{
	struct link *l;
	int fd, ret;

	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	ret = upstream_connect(&key->upstream, &fd);
	if (ret < 0) {
		free(l);
		return ret;
	}
	l->magic = LINK_MAGIC;
	l->reuse = r;
	l->key = *key;
	l->bucket = bucket_of(r, key);
	timer_init(&l->timer, on_timer, l);
	side_init(&l->side);
	l->side.fd = fd;
	link_own(l, ready, owner);
	ret = loop_add(r->loop, &l->source, fd, SIDE_EVENTS, on_link, l);
	if (ret < 0) {
		link_close(l, false);
		return ret;
	}
	*ret_link = l;
	return 0;
}

/* --- keeping -------------------------------------------------------------- */

struct link *
reuse_take(struct reuse_store *r, const struct link_key *key, uint64_t fresh_ms)
{
	struct link *l;

	LIST_FOREACH(l, bucket_of(r, key), in_bucket)
	if (link_key_equal(&l->key, key))
		break;
	if (!l || r->loop->now_ms - l->idle_ms > fresh_ms)
		return NULL;
	wake(l);
	return l;
}

void
reuse_put(struct link *l)
{
	const struct policy_pool *pool = l->key.pool;
	struct reuse_store *r = l->reuse;
	struct reuse_node *node = node_of(r, &l->key);

	/* what it has to say now is no answer to anything */
	if (pool->reuse == REUSE_NEVER || !pool->reuse_max || l->side.eof ||
	    l->side.error || !side_is_quiet(&l->side)) {
		link_close(l, false);
		return;
	}
	/* whoever asks next is served best by those in use */
	if (node->n == pool->reuse_max)
		link_close(TAILQ_FIRST(&node->idle), false);
	l->idle = true;
	l->ready = NULL;
	l->owner = NULL;
	l->idle_ms = r->loop->now_ms;
	LIST_INSERT_HEAD(l->bucket, l, in_bucket);
	TAILQ_INSERT_TAIL(&node->idle, l, in_node);
	TAILQ_INSERT_TAIL(&r->all, l, in_all);
	node->n++;
	if (!l->timer.set)
		timer_set(&r->loop->timers, &l->timer,
			  l->idle_ms + pool->reuse_idle_ms);
}

bool
reuse_shed(struct reuse_store *r)
{
	struct link *l = TAILQ_FIRST(&r->all);

	if (!l)
		return false;
	link_close(l, false);
	return true;
}
