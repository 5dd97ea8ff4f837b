/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/str.h"

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

static const struct unit_test tests[] = {
	{"an_empty_string_has_text", an_empty_string_has_text},
	{"pieces_are_joined", pieces_are_joined},
	{"it_grows", it_grows},
};

UNIT_MAIN("str", tests)
