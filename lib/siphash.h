/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * siphash.h - hashes of what strangers choose.
 *
 * Who does not know the key cannot find inputs that collide: for tables of
 * clients. Source: SipHash, Aumasson and Bernstein, 2012; here with one and
 * three rounds, as Linux has for tables.
 */
#ifndef LIB_SIPHASH_H
#define LIB_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* Made of random bytes. */
struct siphash_key {
	uint64_t word[2];
};

/* SipHash-1-3 of `n` words. */
uint64_t siphash(const uint64_t *words, size_t n,
		 const struct siphash_key *key);

#endif
