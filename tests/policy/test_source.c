/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/source.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/str.h"
#include "tests/policy/texts.h"
#include "tests/unit.h"

/* One mistake at LINE:COL of the text, as it is shown. */
static void
report_at(const char *text, size_t len, uint32_t line, uint32_t col,
	  uint32_t mark, struct str *out)
{
	struct arena *arena = arena_new();
	struct guarded g = texts_guard(text, len);
	struct diags diags;
	struct sources s = {.keep = arena, .scratch = arena, .diags = &diags};
	struct source *source;
	struct place place = {.line = line, .col = col, .len = mark};

	diags_init(&diags);
	source = source_add(&s, "file", g.text, len);
	place.file = source->name;
	report(&s, DIAG_ERROR, place, "wrong: %d", 5);
	CU_ASSERT_EQUAL(s.errors, 1);
	CU_ASSERT_EQUAL(s.bytes, len);
	arena_free(arena);
	texts_unguard(&g);
	/* the messages live on without policy and text */
	str_clear(out);
	diags_format(&diags, false, out);
	diags_fini(&diags);
}

static void
test_lines(void)
{
	static const char text[] = "one\n\n\tthree x\r\nfo\x01ur\xc3\xa9";
	struct str out = {0};

	report_at(text, strlen(text), 1, 1, 3, &out);
	UNIT_STRINGS(str_text(&out), "file:1:1: error: wrong: 5\none\n^~~\n");
	report_at(text, strlen(text), 2, 1, 1, &out);
	UNIT_STRINGS(str_text(&out), "file:2:1: error: wrong: 5\n\n^\n");
	/* tabs stay, a carriage return goes */
	report_at(text, strlen(text), 3, 2, 5, &out);
	UNIT_STRINGS(str_text(&out),
		     "file:3:2: error: wrong: 5\n\tthree x\n\t^~~~~\n");
	/* what would disturb a terminal does not reach it */
	report_at(text, strlen(text), 4, 3, 1, &out);
	UNIT_STRINGS(str_text(&out),
		     "file:4:3: error: wrong: 5\nfo?ur\xc3\xa9\n  ^\n");
	/* a mark of no length has no caret line, nor has a line too far */
	report_at(text, strlen(text), 1, 1, 0, &out);
	UNIT_STRINGS(str_text(&out), "file:1:1: error: wrong: 5\n");
	report_at(text, strlen(text), 9, 1, 1, &out);
	UNIT_STRINGS(str_text(&out), "file:9:1: error: wrong: 5\n");
	report_at("", 0, 1, 1, 1, &out);
	UNIT_STRINGS(str_text(&out), "file:1:1: error: wrong: 5\n\n^\n");
	str_fini(&out);
}

static void
test_long_line(void)
{
	char *text = texts_fill(65537, "x");
	struct str out = {0};

	report_at(text, 65536, 1, 1, 1, &out);
	CU_ASSERT(strstr(str_text(&out), "\nxxxxx") != NULL);
	report_at(text, 65537, 1, 1, 1, &out);
	UNIT_STRINGS(str_text(&out), "file:1:1: error: wrong: 5\n");
	str_fini(&out);
	free(text);
}

/* All are counted, and the first 200 kept. */
static void
test_many(void)
{
	struct arena *arena = arena_new();
	struct diags diags;
	struct sources s = {.keep = arena, .scratch = arena, .diags = &diags};
	struct place place = {0};
	size_t i;

	diags_init(&diags);
	for (i = 0; i < 1000; i++) {
		CU_ASSERT_EQUAL(report_is_full(&s), i >= 200);
		report(&s, i % 2 ? DIAG_ERROR : DIAG_WARNING, place, "x");
	}
	CU_ASSERT_EQUAL(s.errors, 500);
	CU_ASSERT_EQUAL(diags.n_errors, 500);
	CU_ASSERT_EQUAL(diags.n_warnings, 500);
	CU_ASSERT_EQUAL(diags.n, 200);
	diags_fini(&diags);
	arena_free(arena);
}

static void
test_shown(void)
{
	char *text = texts_fill(SHOWN_LEN + 1, "y"), buf[SHOWN_LEN];

	UNIT_STRINGS(shown("", buf), "");
	UNIT_STRINGS(shown("a b\n\x1b[31m\x7f", buf), "a b??[31m?");
	text[SHOWN_LEN] = '\0';
	CU_ASSERT_EQUAL(strlen(shown(text, buf)), SHOWN_LEN - 1);
	UNIT_STRINGS(buf + SHOWN_LEN - 5, "y...");
	free(text);
}

static const struct unit_test tests[] = {
	{"lines", test_lines},
	{"long_line", test_long_line},
	{"many", test_many},
	{"shown", test_shown},
};

UNIT_MAIN("source", tests)
