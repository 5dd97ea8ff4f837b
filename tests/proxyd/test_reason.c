/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_reason.c - every row of the table, and the manual's list of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/base/reason.h"

#include "tests/unit.h"

static void
test_rows(void)
{
	enum reason r, other;

	UNIT_STRINGS(reason_word(REASON_NONE), "-");
	CU_ASSERT(!reason_resets(REASON_NONE));
	for (r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		const char *word = reason_word(r);

		UNIT_CHECK(
			*word && strspn(word, "abcdefghijklmnopqrstuvwxyz-") ==
					 strlen(word),
			"'%s' is no word", word);
		UNIT_CHECK(*reason_meaning(r), "'%s' means nothing", word);
		for (other = REASON_NONE; other < r; other++)
			UNIT_CHECK(strcmp(word, reason_word(other)),
				   "'%s' stands twice", word);
	}
}

/* Only ends that both sides know of, or that nobody would mind. */
static void
test_resets(void)
{
	CU_ASSERT(!reason_resets(REASON_CLIENT_CLOSED));
	CU_ASSERT(!reason_resets(REASON_SERVER_CLOSED));
	CU_ASSERT(!reason_resets(REASON_IDLE_TIMEOUT));
	CU_ASSERT(reason_resets(REASON_CLIENT_RESET));
	CU_ASSERT(reason_resets(REASON_SERVER_RESET));
	CU_ASSERT(reason_resets(REASON_REFUSED));
	CU_ASSERT(reason_resets(REASON_NO_RETURN_PATH));
	CU_ASSERT(reason_resets(REASON_DRAIN_TIMEOUT));
}

/* The manual names each, as the tag of a list's item. */
static void
test_manual(void)
{
	char *page = NULL, item[64];
	size_t size = 0;
	enum reason r;
	FILE *f;

	f = fopen("man/proxyd.8", "re");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	CU_ASSERT_FATAL(getdelim(&page, &size, '\0', f) > 0);
	fclose(f);
	for (r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		snprintf(item, sizeof(item), "\n.It Cm %s\n", reason_word(r));
		UNIT_CHECK(strstr(page, item) != NULL,
			   "man/proxyd.8 has no '%s'", reason_word(r));
	}
	free(page);
}

static const struct unit_test tests[] = {
	{"rows", test_rows},
	{"resets", test_resets},
	{"manual", test_manual},
};

UNIT_MAIN("reason", tests)
