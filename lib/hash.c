/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/hash.h"

#include <xxhash.h>

uint64_t
hash64(const void *data, size_t len, uint64_t seed)
{
	return XXH64(data, len, seed);
}
