/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * siphash.c - the rounds of siphash.h.
 *
 * Words are taken as they are in memory: the result is for this machine
 * only, and the same as the reference's where that is little-endian.
 */
#include "lib/siphash.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static uint64_t
rotate(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static void
turn(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static void
mix(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	turn(s);
	s->v0 ^= word;
}

uint64_t
siphash(const uint64_t *words, size_t n, const struct siphash_key *key)
{
	struct state s = {
		.v0 = UINT64_C(0x736f6d6570736575) ^ key->word[0],
		.v1 = UINT64_C(0x646f72616e646f6d) ^ key->word[1],
		.v2 = UINT64_C(0x6c7967656e657261) ^ key->word[0],
		.v3 = UINT64_C(0x7465646279746573) ^ key->word[1],
	};
	size_t i;

	for (i = 0; i < n; i++)
		mix(&s, words[i]);
	/* no bytes are left over; the last word has the length */
	mix(&s, (uint64_t)(n * 8) << 56);
	s.v2 ^= 0xff;
	for (i = 0; i < 3; i++)
		turn(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
