/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/names.h"

#include "tests/unit.h"

static void
names_have_rules(void)
{
	CU_ASSERT(name_valid("web"));
	CU_ASSERT(name_valid("w"));
	CU_ASSERT(name_valid("a-b_c9"));
	CU_ASSERT(name_valid("abcdefghijklmnopqrstuvwxyz01234"));
	CU_ASSERT_FALSE(name_valid("abcdefghijklmnopqrstuvwxyz012345"));
	CU_ASSERT_FALSE(name_valid(""));
	CU_ASSERT_FALSE(name_valid("Web"));
	CU_ASSERT_FALSE(name_valid("9web"));
	CU_ASSERT_FALSE(name_valid("-web"));
	CU_ASSERT_FALSE(name_valid("we.b"));
}

static void
the_nearest_word_is_suggested(void)
{
	static const char *const words[] = {"port", "from", "to", "intercept",
					    "via"};
	static const struct {
		const char *typed, *meant;
	} rows[] = {
		{"prot", "port"},
		{"form", "from"},
		{"intercpet", "intercept"},
		{"interceptt", "intercept"},
		{"vai", "via"},
		{"xyz", NULL},
		{"", NULL},
		{"po", NULL},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = name_nearest(rows[i].typed, words, 5);

		if (rows[i].meant)
			UNIT_STRINGS(got, rows[i].meant);
		else
			UNIT_CHECK(!got, "'%s' became '%s'", rows[i].typed,
				   got);
	}
}

static void
long_words_are_not_compared(void)
{
	static const char *const words[] = {"port"};
	char word[200];
	size_t i;

	for (i = 0; i < sizeof(word) - 1; i++)
		word[i] = 'p';
	word[i] = '\0';
	CU_ASSERT_PTR_NULL(name_nearest(word, words, 1));
}

static const struct unit_test tests[] = {
	{"names_have_rules", names_have_rules},
	{"the_nearest_word_is_suggested", the_nearest_word_is_suggested},
	{"long_words_are_not_compared", long_words_are_not_compared},
};

UNIT_MAIN("names", tests)
