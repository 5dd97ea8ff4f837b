/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/hash.h"

#include "tests/unit.h"

/* Capture ports and digests depend on it: it must never change. */
static void
it_is_xxh64(void)
{
	CU_ASSERT_EQUAL(hash64("", 0, 0), 0xef46db3751d8e999);
	CU_ASSERT_EQUAL(hash64("abc", 3, 0), 0x44bc2cf5ad770999);
	CU_ASSERT_NOT_EQUAL(hash64("abc", 3, 1), hash64("abc", 3, 0));
}

static const struct unit_test tests[] = {{"it_is_xxh64", it_is_xxh64}};

UNIT_MAIN("hash", tests)
