/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * places.h - numbers under names, in memory that all processes share.
 *
 * A table of fixed size for what limits count: who has how many connections,
 * and until when a rate is used up. Names are keyed hashes of 64 bits. Each
 * has sixteen places where it may stand, of which it takes the first that is
 * idle: a count of 0, or a time that has passed. What is in use is never put
 * out, whoever asks; who finds no place is told so. Services have a room of
 * their own, so that clients cannot fill theirs.
 *
 * There are no locks. A process that dies in the middle leaves at most what
 * places_settle() finds by its intent. Knows no policy and no client.
 */
#ifndef PROXYD_POOL_PLACES_H
#define PROXYD_POOL_PLACES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/siphash.h"

enum places_room {
	PLACES_SERVICES,
	PLACES_CLIENTS,
};

enum places_kind {
	PLACES_COUNT, /* how many now */
	PLACES_TIME,  /* a point in time, in ns */
	PLACES_KINDS,
};

struct places;

/* Which number, as whom. */
struct places_key {
	enum places_kind kind;
	enum places_room room;
	uint64_t name;	 /* not 0 */
	uint32_t slot;	 /* of this process */
	uint64_t now_ns; /* PLACES_TIME: those before it are idle */
};

/*
 * A table with room for at least `clients` names of either kind, at most
 * PLACES_MAX, and for `slots` processes. Shared with children forked later.
 * NULL if there is no memory.
 */
enum { PLACES_MAX = 1 << 21 };
struct places *places_new(uint32_t clients, uint32_t slots);

/*
 * The table behind a descriptor of places_fd(), in a program that was put in
 * place of this one: ours from then on. 0; -EPROTOTYPE: it is none, or was
 * made for another number of slots; other -errno. Then the descriptor stays
 * the caller's.
 */
int places_adopt(int fd, uint32_t slots, struct places **ret_places);

/* Its memory as a descriptor, close-on-exec; borrows from `ps`. */
int places_fd(const struct places *ps);

/* Gives it back here; other processes keep theirs. NULL is allowed. */
void places_free(struct places *ps);

/* The key of all hashes: random, one for the life of the table. */
const struct siphash_key *places_seed(const struct places *ps);

/* How many names of a kind clients may have at most. */
uint32_t places_room(const struct places *ps);

/*
 * Where the name stands: 0, its place and its word. -ENOENT: nowhere, which
 * is as good as a word that is idle.
 */
int places_find(const struct places *ps, const struct places_key *key,
		uint32_t *ret_at, uint64_t *ret_word);

/*
 * Change the word of a place from what places_find() saw; false: somebody
 * else has changed it, or the place has another name by now. A count takes a
 * `value`, a time has to move on.
 */
bool places_change(struct places *ps, const struct places_key *key, uint32_t at,
		   uint64_t word, uint64_t value);

/*
 * Give the name a place with that value. 0; -EAGAIN: somebody else did just
 * that, or took the place, look again; -ENOSPC: all its places are in use.
 */
int places_enter(struct places *ps, const struct places_key *key,
		 uint64_t value, uint32_t *ret_at);

/* The count in a word. */
static inline uint32_t
places_count(uint64_t word)
{
	return (uint32_t)word;
}

/* --- who holds how much of a count ---------------------------------------- */

/*
 * Between these two a process changes a count and its share of it: if it
 * dies there, places_settle() knows where to look.
 */
void places_begin(struct places *ps, uint32_t slot, enum places_kind kind,
		  uint32_t at);
void places_done(struct places *ps, uint32_t slot);

/* This process's share of the count, which only it changes. */
_Atomic uint32_t *places_share(struct places *ps, uint32_t slot, uint32_t at);

/* Take `n` off a count, but never below 0. */
void places_take_off(struct places *ps, uint32_t at, uint32_t n);

/*
 * The process of this slot is gone: give back what it held, and mend what it
 * may have left half done. Called by the master.
 */
void places_settle(struct places *ps, uint32_t slot, uint64_t now_ns);

#endif
