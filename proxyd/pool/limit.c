/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limit.c - the limits of limit.h, one after the other.
 *
 * A flow is first held against all of them and only then counted, so that
 * one that is refused by the last has not used up the others. Between the
 * two another process may be quicker; then a rate has counted one too many.
 */
#include "proxyd/pool/limit.h"

#include <errno.h>
#include <string.h>

#include "lib/siphash.h"

enum {
	TRIES = 1000, /* others win at most so often before we give up */
	PLACES_A_FLOW = 4,
	PLACES_MIN = 16384,
	CLIENT_V4_BYTES = 4,
	CLIENT_V6_BYTES = 8, /* a /64 */
};

#define NS_A_SECOND UINT64_C(1000000000)
#define NS_A_MS UINT64_C(1000000)

/* One limit and one client, while it is looked at. */
struct asking {
	struct places *places;
	const struct policy_limit *limit;
	struct places_key key;
};

/* --- names ---------------------------------------------------------------- */

/* What is hashed: its words are all that is in there. */
union who {
	struct {
		char service[NAME_MAX_LEN + 1];
		uint8_t kind;
		uint8_t per_client;
		uint8_t family;
		uint8_t zero[5];
		uint8_t client[16];
	} is;
	uint64_t words[(NAME_MAX_LEN + 1) / 8 + 3];
};

static uint64_t
name_of(const struct limit *l, const struct policy_service *s,
	const struct policy_limit *limit, const struct addr *client)
{
	union who who = {0};
	uint64_t name;

	_Static_assert(sizeof(who.is) == sizeof(who.words), "no gaps");
	memcpy(who.is.service, s->name, strlen(s->name));
	who.is.kind = (uint8_t)limit->kind;
	who.is.per_client = limit->per_client;
	if (limit->per_client) {
		who.is.family = client->family;
		memcpy(who.is.client, client->bytes,
		       client->family == AF_INET6 ? CLIENT_V6_BYTES
						  : CLIENT_V4_BYTES);
	}
	name = siphash(who.words, sizeof(who.words) / sizeof(who.words[0]),
		       places_seed(l->places));
	return name ? name : 1;
}

static struct asking
asking_of(const struct limit *l, const struct policy_service *s,
	  const struct policy_limit *limit, const struct addr *client,
	  uint64_t now_ms)
{
	return (struct asking){
		.places = l->places,
		.limit = limit,
		.key =
			{
				.kind = limit->kind == LIMIT_RATE
						? PLACES_TIME
						: PLACES_COUNT,
				.room = limit->per_client ? PLACES_CLIENTS
							  : PLACES_SERVICES,
				.name = name_of(l, s, limit, client),
				.slot = l->slot,
				.now_ns = now_ms * NS_A_MS,
			},
	};
}

/* --- one limit ------------------------------------------------------------ */

/*
 * What the word becomes with one more; false: that would be beyond the
 * limit. Of a rate the word is the time at which its bucket is full again.
 */
static bool
one_more(const struct asking *a, uint64_t word, uint64_t *ret_value)
{
	uint64_t now = a->key.now_ns, n = a->limit->count, cost;

	if (a->key.kind == PLACES_COUNT) {
		*ret_value = places_count(word) + UINT64_C(1);
		return *ret_value <= n;
	}
	cost = (NS_A_SECOND + n - 1) / n;
	*ret_value = (word > now ? word : now) + cost;
	return *ret_value <= now + n * cost;
}

static bool
is_beyond(const struct asking *a)
{
	uint64_t word, value;
	uint32_t at;

	return places_find(a->places, &a->key, &at, &word) == 0 &&
	       !one_more(a, word, &value);
}

/* 0 and the place; -EAGAIN: somebody was quicker; -EBUSY, -ENOSPC. */
static int
try_to_count(const struct asking *a, uint32_t *ret_at)
{
	uint64_t word = 0, value;

	if (places_find(a->places, &a->key, ret_at, &word) < 0) {
		one_more(a, 0, &value);
		return places_enter(a->places, &a->key, value, ret_at);
	}
	if (!one_more(a, word, &value))
		return -EBUSY;
	places_begin(a->places, a->key.slot, a->key.kind, *ret_at);
	return places_change(a->places, &a->key, *ret_at, word, value)
		       ? 0
		       : -EAGAIN;
}

/* Add to the share of the place; only this process writes there. */
static void
add_to_share(struct places *ps, uint32_t slot, uint32_t at, uint32_t n)
{
	_Atomic uint32_t *share = places_share(ps, slot, at);

	atomic_store_explicit(
		share, atomic_load_explicit(share, memory_order_relaxed) + n,
		memory_order_release);
}

/* Count one; *ret_at is its place and 1, 0 for a rate. */
static int
count_one(const struct asking *a, uint32_t *ret_at)
{
	uint32_t at = 0;
	int i, r = -EAGAIN;

	*ret_at = 0;
	for (i = 0; i < TRIES && r == -EAGAIN; i++)
		r = try_to_count(a, &at);
	if (r == 0 && a->key.kind == PLACES_COUNT) {
		add_to_share(a->places, a->key.slot, at, 1);
		*ret_at = at + 1;
	}
	places_done(a->places, a->key.slot);
	return r == -EAGAIN ? -ENOSPC : r;
}

/* --- all limits of a service ---------------------------------------------- */

static bool
is_beyond_any(const struct limit *l, const struct policy_service *s,
	      const struct addr *client, uint64_t now_ms)
{
	struct asking a;
	size_t i;

	for (i = 0; i < s->n_limits; i++) {
		if (s->limits[i].test)
			continue;
		a = asking_of(l, s, &s->limits[i], client, now_ms);
		if (is_beyond(&a))
			return true;
	}
	return false;
}

static enum limit_verdict
take_all(struct limit *l, const struct policy_service *s,
	 const struct addr *client, uint64_t now_ms,
	 struct limit_hold *ret_hold)
{
	enum limit_verdict verdict = LIMIT_PASS;
	const struct policy_limit *limit;
	struct asking a;
	uint32_t at;
	size_t i;
	int r;

	for (i = 0; i < s->n_limits; i++) {
		limit = &s->limits[i];
		a = asking_of(l, s, limit, client, now_ms);
		r = count_one(&a, &at);
		if (at)
			ret_hold->at[limit->per_client] = at;
		if (r == -ENOSPC)
			shm_count(&l->counts->unplaced);
		if (r < 0 && !limit->test)
			return LIMIT_REFUSE;
		if (r == -EBUSY)
			verdict = LIMIT_TEST;
	}
	return verdict;
}

enum limit_verdict
limit_take(struct limit *l, const struct policy_service *s,
	   const struct addr *client, uint64_t now_ms,
	   struct limit_hold *ret_hold)
{
	enum limit_verdict verdict = LIMIT_REFUSE;

	*ret_hold = (struct limit_hold){0};
	if (!s->n_limits)
		return LIMIT_PASS;
	if (s->n_limits == 1 || !is_beyond_any(l, s, client, now_ms))
		verdict = take_all(l, s, client, now_ms, ret_hold);
	if (verdict == LIMIT_REFUSE) {
		limit_give(l, ret_hold);
		shm_count(&l->counts->limited);
	} else if (verdict == LIMIT_TEST) {
		shm_count(&l->counts->tested);
	}
	return verdict;
}

void
limit_resume(struct limit *l, const struct policy_service *s,
	     const struct addr *client, struct limit_hold *ret_hold)
{
	struct policy_limit limit;
	struct asking a;
	size_t i;

	*ret_hold = (struct limit_hold){0};
	for (i = 0; i < s->n_limits; i++) {
		limit = s->limits[i];
		if (limit.kind != LIMIT_CONNECTIONS)
			continue;
		limit.count = UINT32_MAX;
		a = asking_of(l, s, &limit, client, 0);
		if (count_one(&a, &ret_hold->at[limit.per_client]) < 0)
			shm_count(&l->counts->unplaced);
	}
}

void
limit_give(struct limit *l, struct limit_hold *hold)
{
	uint32_t at;
	size_t i;

	for (i = 0; i < sizeof(hold->at) / sizeof(hold->at[0]); i++) {
		if (!hold->at[i])
			continue;
		at = hold->at[i] - 1;
		hold->at[i] = 0;
		/* the share first: who dies here leaves too much, not too
		 * little */
		places_begin(l->places, l->slot, PLACES_COUNT, at);
		add_to_share(l->places, l->slot, at, UINT32_MAX);
		places_take_off(l->places, at, 1);
		places_done(l->places, l->slot);
	}
}

uint32_t
limit_places(uint64_t flows)
{
	uint64_t wanted = PLACES_A_FLOW * flows;

	if (wanted < PLACES_MIN)
		return PLACES_MIN;
	return wanted < PLACES_MAX ? (uint32_t)wanted : PLACES_MAX;
}
