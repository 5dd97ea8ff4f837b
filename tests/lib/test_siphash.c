/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_siphash.c - against another implementation, and by its key. */
#include "lib/siphash.h"

#include <endian.h>

#include "tests/unit.h"

/* Key and input are the bytes 0, 1, 2... as in the paper. */
static void
test_known(void)
{
	/* of inputs of 0, 8, 16 and 24 bytes */
	static const uint64_t want[] = {
		UINT64_C(0xabac0158050fc4dc),
		UINT64_C(0x369095118d299a8e),
		UINT64_C(0xcc4fdd1a7d908b66),
		UINT64_C(0xf464aeb267349c8c),
	};
	const struct siphash_key key = {{
		htole64(UINT64_C(0x0706050403020100)),
		htole64(UINT64_C(0x0f0e0d0c0b0a0908)),
	}};
	uint64_t words[3];
	size_t n, i;

	for (i = 0; i < 3; i++)
		words[i] = UINT64_C(0x0706050403020100) +
			   i * UINT64_C(0x0808080808080808);
	for (n = 0; n <= 3; n++)
		CU_ASSERT_EQUAL(siphash(words, n, &key), want[n]);
}

static void
test_key(void)
{
	const struct siphash_key a = {{1, 2}}, b = {{1, 3}};
	uint64_t word = 42;

	CU_ASSERT_NOT_EQUAL(siphash(&word, 1, &a), siphash(&word, 1, &b));
}

static const struct unit_test tests[] = {
	{"known", test_known},
	{"key", test_key},
};

UNIT_MAIN("siphash", tests)
