/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * places.c - the memory of places.h, and how two processes that enter one
 * name at once agree on its place.
 *
 * A place is a name and a word. The word of a count has a version beside it
 * that grows with each change, that of a time only moves on: so a word that
 * is still what it was when it was read belongs to the name that was read
 * after it.
 *
 * To enter a name, a process claims an idle place, writes the name there,
 * and looks at the other places of that name. Of two that do so at once, at
 * least one sees the other's: the one in the later place goes back, the one
 * in the earlier marks the later claim, whose owner then fails to publish
 * it. What was published cannot be marked.
 */
#include "proxyd/pool/places.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "proxyd/base/pages.h"

enum {
	LAYOUT = 1,	    /* another number when what is shared changes */
	WAYS = 8,	    /* places that follow each other */
	CHOICES = 2 * WAYS, /* of a name */
	SERVICES = 16384,   /* 4096 services at most, and half empty */
	CLIENTS_MIN = 2 * WAYS,
	MEND_TRIES = 1000,
	PAGE = 4096,
};

/* Of a claim, beside its owner's slot and the version of a count. */
#define CLAIMED (UINT64_C(1) << 63)
#define MARKED (UINT64_C(1) << 62)
#define VERSION_MASK (UINT64_C(0x3fffffff) << 32)
#define VERSION_ONE (UINT64_C(1) << 32)

struct place {
	_Atomic uint64_t name; /* 0: nobody's */
	_Atomic uint64_t word;
};

/* One process, in a cache line of its own. */
struct owner {
	_Atomic uint64_t intent; /* place and kind; 0: nothing is half done */
	char pad[56];
};

/* What is shared. Behind it: owners, places of each kind, shares. */
struct table {
	struct siphash_key seed;
	uint32_t slots;
	uint32_t n; /* places of a kind, SERVICES and then clients' */
	char pad[40];
};

struct places {
	struct pages pages; /* owns */
	uint32_t slots;
	uint32_t n;
	struct table *table; /* these borrow from the pages */
	struct owner *owners;
	struct place *kinds[PLACES_KINDS];
	_Atomic uint32_t *shares;
};

/* --- the memory ----------------------------------------------------------- */

static uint64_t
bytes(uint64_t n, uint64_t slots)
{
	return sizeof(struct table) + slots * sizeof(struct owner) +
	       PLACES_KINDS * n * sizeof(struct place) +
	       slots * n * sizeof(uint32_t);
}

/* Where everything is. */
static void
lay_out(struct places *ps, uint32_t n, uint32_t slots)
{
	size_t i;

	ps->n = n;
	ps->slots = slots;
	ps->table = ps->pages.at;
	ps->owners = (struct owner *)(ps->table + 1);
	ps->kinds[0] = (struct place *)(ps->owners + slots);
	for (i = 1; i < PLACES_KINDS; i++)
		ps->kinds[i] = ps->kinds[i - 1] + n;
	ps->shares = (_Atomic uint32_t *)(ps->kinds[PLACES_KINDS - 1] + n);
}

struct places *
places_new(uint32_t clients, uint32_t slots)
{
	uint32_t n = CLIENTS_MIN;
	struct places *ps;

	while (n < clients && n < PLACES_MAX)
		n *= 2;
	n += SERVICES;
	ps = calloc(1, sizeof(*ps));
	if (!ps)
		return NULL;
	if (pages_new(&ps->pages, "proxyd-limits", bytes(n, slots), LAYOUT) <
	    0) {
		free(ps);
		return NULL;
	}
	lay_out(ps, n, slots);
	ps->table->n = n;
	ps->table->slots = slots;
	if (getrandom(&ps->table->seed, sizeof(ps->table->seed), 0) !=
	    sizeof(ps->table->seed)) {
		places_free(ps);
		return NULL;
	}
	return ps;
}

static bool
is_table(const struct pages *pages, uint32_t slots)
{
	const struct table *t = pages->at;
	uint32_t clients;

	if (pages->size < sizeof(*t) || t->slots != slots ||
	    t->n < SERVICES + CLIENTS_MIN)
		return false;
	clients = t->n - SERVICES;
	return clients <= PLACES_MAX && !(clients & (clients - 1)) &&
	       bytes(t->n, slots) == pages->size;
}

int
places_adopt(int fd, uint32_t slots, struct places **ret_places)
{
	struct places *ps;
	int r;

	ps = calloc(1, sizeof(*ps));
	if (!ps)
		return -ENOMEM;
	r = pages_take(&ps->pages, fd, LAYOUT);
	if (r < 0) {
		free(ps);
		return r;
	}
	if (!is_table(&ps->pages, slots)) {
		pages_let_go(&ps->pages);
		free(ps);
		return -EPROTOTYPE;
	}
	lay_out(ps, ((struct table *)ps->pages.at)->n, slots);
	*ret_places = ps;
	return 0;
}

int
places_fd(const struct places *ps)
{
	return ps->pages.fd;
}

void
places_free(struct places *ps)
{
	if (!ps)
		return;
	pages_free(&ps->pages);
	free(ps);
}

const struct siphash_key *
places_seed(const struct places *ps)
{
	return &ps->table->seed;
}

uint32_t
places_room(const struct places *ps)
{
	return ps->n - SERVICES;
}

/* --- words ---------------------------------------------------------------- */

static bool
is_idle(const struct places_key *key, uint64_t word)
{
	if (word & CLAIMED)
		return false;
	return key->kind == PLACES_COUNT ? !places_count(word)
					 : word <= key->now_ns;
}

static uint64_t
next_version(uint64_t word)
{
	return (word + VERSION_ONE) & VERSION_MASK;
}

/* What follows `word` when the value is this. */
static uint64_t
with_value(enum places_kind kind, uint64_t word, uint64_t value)
{
	return kind == PLACES_COUNT ? next_version(word) | value : value;
}

static uint64_t
claim_of(const struct places_key *key, uint64_t word)
{
	uint64_t version = key->kind == PLACES_COUNT ? word & VERSION_MASK : 0;

	return CLAIMED | version | key->slot;
}

/* --- looking -------------------------------------------------------------- */

/* The i-th of a name's places, in the one order that everybody goes by. */
static uint32_t
choice(const struct places *ps, const struct places_key *key, uint32_t i)
{
	bool services = key->room == PLACES_SERVICES;
	uint32_t rows = (services ? SERVICES : places_room(ps)) / WAYS;
	uint32_t first = (uint32_t)key->name & (rows - 1);
	uint32_t second = (uint32_t)(key->name >> 32) & (rows - 1);

	if (first == second)
		second ^= 1;
	return (services ? 0 : SERVICES) + (i < WAYS ? first : second) * WAYS +
	       i % WAYS;
}

int
places_find(const struct places *ps, const struct places_key *key,
	    uint32_t *ret_at, uint64_t *ret_word)
{
	struct place *places = ps->kinds[key->kind];
	uint32_t i, at;
	uint64_t word;

	for (i = 0; i < CHOICES; i++) {
		at = choice(ps, key, i);
		/* in this order: the name is then the word's */
		word = atomic_load(&places[at].word);
		if (word & CLAIMED ||
		    atomic_load(&places[at].name) != key->name)
			continue;
		*ret_at = at;
		*ret_word = word;
		return 0;
	}
	return -ENOENT;
}

bool
places_change(struct places *ps, const struct places_key *key, uint32_t at,
	      uint64_t word, uint64_t value)
{
	struct place *p = &ps->kinds[key->kind][at];

	assert(key->kind == PLACES_COUNT || value > word);
	return atomic_compare_exchange_strong(
		&p->word, &word, with_value(key->kind, word, value));
}

/* --- entering ------------------------------------------------------------- */

/* An idle place; CHOICES if there is none. */
static uint32_t
idle_choice(const struct places *ps, const struct places_key *key,
	    uint64_t *ret_word)
{
	uint32_t i;

	for (i = 0; i < CHOICES; i++) {
		*ret_word = atomic_load(
			&ps->kinds[key->kind][choice(ps, key, i)].word);
		if (is_idle(key, *ret_word))
			break;
	}
	return i;
}

/* May the claim at choice `mine` stand? */
static bool
prevails(struct places *ps, const struct places_key *key, uint32_t mine)
{
	struct place *p;
	uint64_t word;
	uint32_t i;

	for (i = 0; i < CHOICES; i++) {
		if (i == mine)
			continue;
		p = &ps->kinds[key->kind][choice(ps, key, i)];
		word = atomic_load(&p->word);
		if (atomic_load(&p->name) != key->name)
			continue;
		if (!(word & CLAIMED) || i < mine ||
		    !atomic_compare_exchange_strong(&p->word, &word,
						    word | MARKED))
			return false;
	}
	return true;
}

/* Nobody's again, with a word that it never had. */
static void
give_up(struct place *p, enum places_kind kind, uint64_t word)
{
	atomic_store(&p->name, 0);
	atomic_store(&p->word, with_value(kind, word,
					  kind == PLACES_COUNT ? 0 : word + 1));
}

int
places_enter(struct places *ps, const struct places_key *key, uint64_t value,
	     uint32_t *ret_at)
{
	uint64_t word, was, claim;
	uint32_t mine, at;
	struct place *p;

	mine = idle_choice(ps, key, &word);
	if (mine == CHOICES)
		return -ENOSPC;
	at = choice(ps, key, mine);
	p = &ps->kinds[key->kind][at];
	was = word;
	claim = claim_of(key, word);
	places_begin(ps, key->slot, key->kind, at);
	if (!atomic_compare_exchange_strong(&p->word, &was, claim))
		return -EAGAIN;
	atomic_store(&p->name, key->name);
	was = claim;
	if (!prevails(ps, key, mine) ||
	    !atomic_compare_exchange_strong(
		    &p->word, &was, with_value(key->kind, word, value))) {
		give_up(p, key->kind, word);
		return -EAGAIN;
	}
	*ret_at = at;
	return 0;
}

/* --- shares --------------------------------------------------------------- */

static uint64_t
intent_of(enum places_kind kind, uint32_t at)
{
	return (uint64_t)at * PLACES_KINDS + kind + 1;
}

void
places_begin(struct places *ps, uint32_t slot, enum places_kind kind,
	     uint32_t at)
{
	atomic_store_explicit(&ps->owners[slot].intent, intent_of(kind, at),
			      memory_order_release);
}

void
places_done(struct places *ps, uint32_t slot)
{
	atomic_store_explicit(&ps->owners[slot].intent, 0,
			      memory_order_release);
}

_Atomic uint32_t *
places_share(struct places *ps, uint32_t slot, uint32_t at)
{
	return &ps->shares[(size_t)slot * ps->n + at];
}

void
places_take_off(struct places *ps, uint32_t at, uint32_t n)
{
	struct place *p = &ps->kinds[PLACES_COUNT][at];
	uint64_t word = atomic_load(&p->word);
	uint32_t count;

	do {
		count = places_count(word);
		/* a place that is in use is nobody's to claim */
		if (word & CLAIMED || !count)
			return;
	} while (!atomic_compare_exchange_weak(
		&p->word, &word,
		with_value(PLACES_COUNT, word, count > n ? count - n : 0)));
}

/* Is a living process in the middle of changing this count? */
static bool
is_being_changed(struct places *ps, uint32_t at)
{
	uint64_t intent = intent_of(PLACES_COUNT, at);
	uint32_t i;

	for (i = 0; i < ps->slots; i++)
		if (atomic_load(&ps->owners[i].intent) == intent)
			return true;
	return false;
}

/*
 * Make the count what all hold together. Both were read while nobody was at
 * it, if the word then is still the same.
 */
static bool
mend(struct places *ps, uint32_t at)
{
	struct place *p = &ps->kinds[PLACES_COUNT][at];
	uint64_t word = atomic_load(&p->word);
	uint32_t i, sum = 0;

	if (word & CLAIMED)
		return true;
	if (is_being_changed(ps, at))
		return false;
	for (i = 0; i < ps->slots; i++)
		sum += atomic_load(places_share(ps, i, at));
	if (sum == places_count(word))
		return atomic_load(&p->word) == word;
	return atomic_compare_exchange_strong(
		&p->word, &word, with_value(PLACES_COUNT, word, sum));
}

/* A claim of the dead stands in the way of its name. */
static void
clear_claim(struct places *ps, uint32_t slot, enum places_kind kind,
	    uint32_t at, uint64_t now_ns)
{
	struct place *p = &ps->kinds[kind][at];
	uint64_t word = atomic_load(&p->word);

	if (word & CLAIMED && (uint32_t)word == slot)
		give_up(p, kind, kind == PLACES_COUNT ? word : now_ns);
}

/* The slot's pages, which are zero now, and those that were only looked at. */
static void
release_shares(struct places *ps, uint32_t slot)
{
	uintptr_t from = (uintptr_t)places_share(ps, slot, 0);
	uintptr_t to = from + ps->n * sizeof(uint32_t);

	from = (from + PAGE - 1) / PAGE * PAGE;
	to = to / PAGE * PAGE;
	if (from < to)
		(void)madvise((void *)from, to - from, MADV_REMOVE);
}

void
places_settle(struct places *ps, uint32_t slot, uint64_t now_ns)
{
	uint64_t intent = atomic_exchange(&ps->owners[slot].intent, 0);
	enum places_kind kind;
	uint32_t at, n;
	int i;

	for (at = 0; at < ps->n; at++) {
		n = atomic_exchange(places_share(ps, slot, at), 0);
		if (n)
			places_take_off(ps, at, n);
	}
	release_shares(ps, slot);
	if (!intent)
		return;
	kind = (enum places_kind)((intent - 1) % PLACES_KINDS);
	at = (uint32_t)((intent - 1) / PLACES_KINDS);
	clear_claim(ps, slot, kind, at, now_ns);
	for (i = 0; i < MEND_TRIES && kind == PLACES_COUNT; i++) {
		if (mend(ps, at))
			break;
		sched_yield();
	}
}
