/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/diag.h"

#include <string.h>

#include "tests/unit.h"

static const char *
format(const struct diags *d, bool colour, struct str *out)
{
	str_clear(out);
	diags_format(d, colour, out);
	return str_text(out);
}

static void
a_mistake_is_shown_at_its_place(void)
{
	struct diags d;
	struct str out = {0};

	diags_init(&d);
	diag_add(&d, DIAG_ERROR, (struct place){"p.conf", 12, 16, 4},
		 "\tintercept tcp prot 80", "unknown keyword '%s'", "prot");
	UNIT_STRINGS(format(&d, false, &out),
		     "p.conf:12:16: error: unknown keyword 'prot'\n"
		     "\tintercept tcp prot 80\n"
		     "\t              ^~~~\n");
	CU_ASSERT_EQUAL(d.n_errors, 1);
	diags_fini(&d);
	str_fini(&out);
}

static void
places_may_be_missing_or_wrong(void)
{
	struct diags d;
	struct str out = {0};

	diags_init(&d);
	diag_add(&d, DIAG_ERROR, (struct place){0}, NULL, "no place");
	diag_add(&d, DIAG_WARNING, (struct place){"f", 0, 0, 0}, NULL, "file");
	diag_add(&d, DIAG_ERROR, (struct place){"f", 1, 99, 5}, "short", "far");
	diag_add(&d, DIAG_ERROR, (struct place){"f", 2, 5, 99}, "short",
		 "long");
	UNIT_STRINGS(format(&d, false, &out), "error: no place\n"
					      "f: warning: file\n"
					      "f:1:99: error: far\n"
					      "f:2:5: error: long\n"
					      "short\n"
					      "    ^\n");
	diags_fini(&d);
	str_fini(&out);
}

/* A line of 1000 bytes, of which those around the mark are shown. */
static void
long_lines_are_cut(void)
{
	struct diags d;
	struct str out = {0};
	char line[1001];
	const char *text, *caret;

	memset(line, 'a', 1000);
	line[1000] = '\0';
	memcpy(line + 500, "MARK", 4);
	diags_init(&d);
	diag_add(&d, DIAG_ERROR, (struct place){"f", 1, 501, 4}, line, "x");
	text = strchr(format(&d, false, &out), '\n') + 1;
	caret = strchr(text, '\n') + 1;
	CU_ASSERT_EQUAL(caret - text, 161);
	UNIT_STRINGS(strchr(caret, '^'), "^~~~\n");
	CU_ASSERT_EQUAL(strncmp(text + (strchr(caret, '^') - caret), "MARK", 4),
			0);
	diags_fini(&d);
	str_fini(&out);
}

static void
they_are_sorted_with_their_notes(void)
{
	struct diags d;
	struct str out = {0};

	diags_init(&d);
	diag_add(&d, DIAG_ERROR, (struct place){"b", 9, 1, 0}, NULL, "third");
	diag_add(&d, DIAG_NOTE, (struct place){"a", 1, 1, 0}, NULL,
		 "first was");
	diag_add(&d, DIAG_WARNING, (struct place){"a", 5, 1, 0}, NULL, "last");
	diag_add(&d, DIAG_ERROR, (struct place){"b", 2, 7, 0}, NULL, "second");
	diag_add(&d, DIAG_ERROR, (struct place){"b", 2, 3, 0}, NULL, "first");
	UNIT_STRINGS(format(&d, false, &out), "b:2:3: error: first\n"
					      "b:2:7: error: second\n"
					      "b:9:1: error: third\n"
					      "a:1:1: note: first was\n"
					      "a:5:1: warning: last\n");
	CU_ASSERT_EQUAL(d.n_errors, 3);
	CU_ASSERT_EQUAL(d.n_warnings, 1);
	diags_fini(&d);
	str_fini(&out);
}

static void
after_fifty_the_rest_is_counted(void)
{
	struct diags d;
	struct str out = {0};
	const char *text;
	uint32_t i;

	diags_init(&d);
	for (i = 1; i <= 1000; i++)
		diag_add(&d, DIAG_ERROR, (struct place){"f", i, 1, 0}, NULL,
			 "e%u", i);
	text = format(&d, false, &out);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "f:50:1: error: e50\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "e51\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n\xe2\x80\xa6 and 950 more\n"));
	diags_fini(&d);
	str_fini(&out);
}

static void
colour_is_for_terminals(void)
{
	struct diags d;
	struct str out = {0};

	diags_init(&d);
	diag_add(&d, DIAG_ERROR, (struct place){0}, NULL, "x");
	CU_ASSERT_PTR_NULL(strchr(format(&d, false, &out), '\033'));
	CU_ASSERT_PTR_NOT_NULL(strchr(format(&d, true, &out), '\033'));
	diags_fini(&d);
	str_fini(&out);
}

static const struct unit_test tests[] = {
	{"a_mistake_is_shown_at_its_place", a_mistake_is_shown_at_its_place},
	{"places_may_be_missing_or_wrong", places_may_be_missing_or_wrong},
	{"long_lines_are_cut", long_lines_are_cut},
	{"they_are_sorted_with_their_notes", they_are_sorted_with_their_notes},
	{"after_fifty_the_rest_is_counted", after_fifty_the_rest_is_counted},
	{"colour_is_for_terminals", colour_is_for_terminals},
};

UNIT_MAIN("diag", tests)
