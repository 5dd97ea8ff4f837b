/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bad.c - every row of the table of refusals. */
#include <string.h>

#include "proxyd/http/bad.h"

#include "tests/unit.h"

static void
test_rows(void)
{
	enum http_bad b, other;

	UNIT_STRINGS(http_bad_word(HTTP_BAD_NONE), "-");
	CU_ASSERT_EQUAL(http_bad_status(HTTP_BAD_NONE), 0);
	for (b = HTTP_BAD_NONE + 1; b < HTTP_BAD_COUNT; b++) {
		const char *word = http_bad_word(b);
		int status = http_bad_status(b);

		UNIT_CHECK(
			*word && strspn(word, "abcdefghijklmnopqrstuvwxyz-") ==
					 strlen(word),
			"'%s' is no word", word);
		UNIT_CHECK(*http_bad_meaning(b), "'%s' means nothing", word);
		UNIT_CHECK(status == 400 || status == 414 || status == 431,
			   "'%s' is answered with %d", word, status);
		for (other = HTTP_BAD_NONE; other < b; other++)
			UNIT_CHECK(strcmp(word, http_bad_word(other)),
				   "'%s' stands twice", word);
	}
}

static const struct unit_test tests[] = {
	{"rows", test_rows},
};

UNIT_MAIN("bad", tests)
