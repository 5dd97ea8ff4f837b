/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/str.h"

#include <inttypes.h>
#include <stdio.h>

#include "tests/unit.h"

static void
an_empty_string_has_text(void)
{
	struct str s = {0};

	UNIT_STRINGS(str_text(&s), "");
	str_clear(&s);
	str_fini(&s);
}

static void
pieces_are_joined(void)
{
	struct str s = {0};

	str_add(&s, "ab");
	str_add_char(&s, 'c');
	str_addf(&s, "%d", 42);
	str_add_bytes(&s, "xyz", 2);
	UNIT_STRINGS(str_text(&s), "abc42xy");
	CU_ASSERT_EQUAL(s.len, 7);
	str_clear(&s);
	UNIT_STRINGS(str_text(&s), "");
	str_fini(&s);
}

static void
it_grows(void)
{
	struct str s = {0};
	int i;

	for (i = 0; i < 10000; i++)
		str_addf(&s, "%d,", i % 10);
	CU_ASSERT_EQUAL(s.len, 20000);
	CU_ASSERT_EQUAL(s.data[19998], '9');
	str_fini(&s);
}

static void
numbers_are_decimal(void)
{
	static const uint64_t numbers[] = {0,	9,	    10,	       99,
					   100, 4294967295, 4294967296};
	char want[32], got[STR_DECIMAL_LEN];
	struct str s = {0};
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(want, sizeof(want), "%" PRIu64, numbers[i]);
		CU_ASSERT_EQUAL(str_decimal(numbers[i], got), strlen(want));
		UNIT_STRINGS(got, want);
	}
	str_add_uint(&s, UINT64_MAX);
	str_add_uint(&s, 0);
	UNIT_STRINGS(str_text(&s), "184467440737095516150");
	str_fini(&s);
}

static const struct unit_test tests[] = {
	{"an_empty_string_has_text", an_empty_string_has_text},
	{"pieces_are_joined", pieces_are_joined},
	{"it_grows", it_grows},
	{"numbers_are_decimal", numbers_are_decimal},
};

UNIT_MAIN("str", tests)
