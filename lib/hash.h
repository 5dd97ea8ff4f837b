/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash.h - the one door to xxHash.
 *
 * Not a defence against an attacker who chooses the input: it names things
 * of the administrator's (policies, rules, services), not of clients.
 */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH64 of `len` bytes with `seed`: the same on every machine. */
uint64_t hash64(const void *data, size_t len, uint64_t seed);

#endif
