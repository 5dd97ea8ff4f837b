/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reuse.h - connections to servers, and those that wait for another request.
 *
 * A link is one connection to a server. While a request is on it, somebody
 * owns it; between two requests it may be kept here, and is given only to
 * who asks with the same key: the same node, the same address that the server
 * sees, the same PROXY header. So a request of one client never travels on a
 * connection that a server takes for another's. What a server closes while
 * it is idle is forgotten at once. Knows no request and no flow.
 */
#ifndef PROXYD_HTTP_REUSE_H
#define PROXYD_HTTP_REUSE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/inet.h"
#include "lib/siphash.h"

#include "policy/policy.h"

#include "proxyd/base/loop.h"
#include "proxyd/net/upstream.h"
#include "proxyd/stream/side.h"

enum {
	LINK_MAGIC = 0x4c494e4b, /* "LINK" */
	REUSE_BUCKETS = 1024,
};

/* What two requests must agree on to share a connection. */
struct link_key {
	const struct policy_pool *pool; /* borrows from the policy */
	const struct policy_node *node; /* likewise: one of the pool's */
	struct upstream upstream;
	/* what a PROXY header says; AF_UNSPEC: there is none */
	struct endpoint client;
	struct endpoint destination;
};

LIST_HEAD(link_bucket, link);
TAILQ_HEAD(link_queue, link);

struct link {
	uint32_t magic;
	bool idle;
	struct link_bucket *bucket; /* borrows: that of its key */
	LIST_ENTRY(link) in_bucket;
	TAILQ_ENTRY(link) in_node; /* the longest idle first */
	TAILQ_ENTRY(link) in_all;  /* likewise */
	struct reuse_store *reuse; /* borrows */
	struct link_key key;
	struct side side;
	struct loop_source source;
	struct timer timer;
	/* the owner's; it may close the link */
	void (*ready)(void *owner);
	void *owner;	      /* borrows */
	uint64_t idle_ms;     /* since when */
	struct endpoint name; /* the owner's: our end; AF_UNSPEC: not asked */
};

/* The idle ones of a node. */
struct reuse_node {
	struct link_queue idle;
	uint32_t n;
};

struct reuse_store {
	struct loop *loop;	     /* borrows */
	const struct policy *policy; /* borrows */
	struct reuse_node *nodes;    /* owns: of all pools, one after another */
	size_t *first;		     /* owns: of each pool */
	struct link_bucket buckets[REUSE_BUCKETS];
	struct link_queue all;
	struct siphash_key secret;
};

/* 0 or -errno. Fini closes what is idle; a zeroed one is fine. */
int reuse_init(struct reuse_store *r, struct loop *loop,
	       const struct policy *p);
void reuse_fini(struct reuse_store *r);

/*
 * An idle link of this key, now the caller's, which must say so by
 * link_own(); that which was used last. NULL: there is none that has been
 * idle for less than `fresh_ms`.
 */
struct link *reuse_take(struct reuse_store *r, const struct link_key *key,
			uint64_t fresh_ms);

/*
 * Begin to connect; the link is the caller's. When the socket is ready for
 * the first time, the connection stands, or the side has an error. 0 or
 * -errno as of upstream_connect().
 */
int link_open(struct reuse_store *r, const struct link_key *key,
	      void (*ready)(void *owner), void *owner, struct link **ret_link);

/* From now on these are called when something happens at its socket. */
void link_own(struct link *l, void (*ready)(void *owner), void *owner);

/*
 * The request is over and all of the answer was read: keep the link for
 * another, as far as its pool allows, else close it. Nothing of the relay's is
 * held by its side any more.
 */
void reuse_put(struct link *l);

/* Close it, in the ordinary way or with a reset. */
void link_close(struct link *l, bool reset);

/* Close the one that is idle for longest. False: there is none. */
bool reuse_shed(struct reuse_store *r);

/* Can no other client's connection have a use for it? */
bool link_is_private(const struct link *l);

bool link_key_equal(const struct link_key *a, const struct link_key *b);

#endif
