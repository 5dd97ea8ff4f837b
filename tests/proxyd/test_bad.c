/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bad.c - every row of the table of refusals. */
#include <stdio.h>
#include <stdlib.h>
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

/* The manual has a row for each, with its status. */
static void
test_manual(void)
{
	char *page = NULL, row[80];
	size_t size = 0;
	enum http_bad b;
	FILE *f;

	f = fopen("man/proxyd.8", "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_FATAL(getdelim(&page, &size, '\0', f) > 0);
	fclose(f);
	for (b = HTTP_BAD_NONE + 1; b < HTTP_BAD_COUNT; b++) {
		snprintf(row, sizeof(row), "\n.It Cm %s Ta %d Ta",
			 http_bad_word(b), http_bad_status(b));
		UNIT_CHECK(strstr(page, row) != NULL,
			   "man/proxyd.8 has no row '%s'", http_bad_word(b));
	}
	free(page);
}

static const struct unit_test tests[] = {
	{"rows", test_rows},
	{"manual", test_manual},
};

UNIT_MAIN("bad", tests)
