/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy.conf(5) and the keyword table say the same, and the policies that
 * the page shows are right.
 */
#include "lib/clock.h"
#include "policy/keywords_tbl.h"
#include "tests/policy/texts.h"
#include "tests/unit.h"

enum { EXAMPLES = 10 };

static void
read_page(struct str *page)
{
	texts_read("man/policy.conf.5", page);
}

/* --- examples ---------------------------------------------------------------
 */

/* Source of the page as what a reader sees: here only `\e` and `\&`. */
static void
add_line(const char *line, size_t len, struct str *out)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (line[i] == '\\' && i + 1 < len && line[i + 1] == '&')
			i++;
		else if (line[i] == '\\' && i + 1 < len && line[i + 1] == 'e')
			i += 1, str_add_char(out, '\\');
		else
			str_add_char(out, line[i]);
	}
	str_add_char(out, '\n');
}

static void
check_example(const struct str *text)
{
	struct str messages = {0};
	struct policy *p;

	p = texts_load("/nonexistent/policy.conf", str_text(text), text->len,
		       &messages);
	/* the patterns of its includes find nothing, which is fine */
	UNIT_CHECK(p && !messages.len, "%s", str_text(&messages));
	policy_free(p);
	str_fini(&messages);
}

/* Every literal block is a policy. */
static size_t
check_examples(const char *page)
{
	struct str text = {0};
	const char *line, *end;
	bool inside = false;
	size_t n = 0;

	for (line = page; *line; line = end + 1) {
		end = strchrnul(line, '\n');
		if (!strncmp(line, ".Bd -literal", 12)) {
			inside = true;
			str_clear(&text);
		} else if (inside && !strncmp(line, ".Ed", 3)) {
			inside = false;
			check_example(&text);
			n++;
		} else if (inside) {
			add_line(line, (size_t)(end - line), &text);
		}
		if (!*end)
			break;
	}
	str_fini(&text);
	return n;
}

static void
test_examples(void)
{
	struct str page = {0};

	read_page(&page);
	CU_ASSERT_EQUAL(check_examples(str_text(&page)), EXAMPLES);
	str_fini(&page);
}

/* --- statements -------------------------------------------------------------
 */

/* From `from` to the next line that begins with `until`. */
static void
cut(const char *page, const char *from, const char *until, struct str *out)
{
	const char *start = strstr(page, from), *end;

	str_clear(out);
	if (!start)
		return;
	end = strstr(start + strlen(from), until);
	str_add_bytes(out, start, end ? (size_t)(end - start) : strlen(start));
}

static const char *
section_of(const char *block)
{
	static const char *const sections[][2] = {
		{"gateway", "\n.Sh GATEWAY\n"},
		{"service", "\n.Sh SERVICES\n"},
		{"pool", "\n.Sh POOLS\n"},
	};
	size_t i;

	for (i = 0; i < 3; i++)
		if (!strcmp(sections[i][0], block))
			return sections[i][1];
	return NULL;
}

/* The entry that explains the statement: its ".It" up to the next one. */
static void
find_item(const char *page, const struct keyword *row, struct str *ret_item)
{
	char name[KEYWORD_NAME_LEN], head[2 * KEYWORD_NAME_LEN];
	struct str section = {0};

	keyword_name(row, name);
	cut(page, section_of(row->block), "\n.Sh ", &section);
	snprintf(head, sizeof(head), "\n.It Ic %s%s", name,
		 row->args->type == TYPE_END ? "\n" : " ");
	cut(str_text(&section), head, "\n.It ", ret_item);
	snprintf(head, sizeof(head), "\n.Ic %s Cm tcp Ns", name);
	if (!ret_item->len)
		cut(str_text(&section), head, "\n.It ", ret_item);
	str_fini(&section);
}

static void
check_limits(const struct keyword *row, const struct arg *arg, const char *item)
{
	char low[CLOCK_DURATION_LEN], high[CLOCK_DURATION_LEN], text[64];

	if (arg->word || !arg->max)
		return;
	if (arg->type == TYPE_DURATION)
		snprintf(text, sizeof(text), "%s to %s",
			 clock_duration(arg->min, low),
			 clock_duration(arg->max, high));
	else if (arg->type == TYPE_NUMBER)
		snprintf(text, sizeof(text), "%u to %u", arg->min, arg->max);
	else if (arg->type == TYPE_SIZE)
		snprintf(text, sizeof(text), "%s to %s",
			 size_format(arg->min, low),
			 size_format(arg->max, high));
	else
		return;
	UNIT_CHECK(strstr(item, text) != NULL, "%s: limits '%s'", row->word,
		   text);
}

static void
check_arg(const struct keyword *row, const struct arg *arg, const char *item)
{
	const struct choice *choice;

	check_limits(row, arg, item);
	if (arg->flags & ARG_UNSUPPORTED)
		return;
	if (arg->word)
		UNIT_CHECK(strstr(item, arg->word) != NULL, "%s: '%s'",
			   row->word, arg->word);
	if (arg->def)
		UNIT_CHECK(strstr(item, arg->def) != NULL, "%s: default '%s'",
			   row->word, arg->def);
	for (choice = arg->choices; choice && choice->word; choice++)
		UNIT_CHECK(choice->unsupported || strstr(item, choice->word),
			   "%s: '%s'", row->word, choice->word);
}

static void
check_item(const struct keyword *row, const char *item)
{
	const struct arg *arg;
	char text[128];

	if (row->def) {
		snprintf(text, sizeof(text), "Default:\n.Ql %s", row->def);
		UNIT_CHECK(strstr(item, text) != NULL, "%s: no '%s'", row->word,
			   text);
	}
	if (row->args->inherit)
		UNIT_CHECK(strstr(item, "Default: the gateway's") != NULL,
			   "%s: whose default?", row->word);
	for (arg = row->args; arg->type != TYPE_END; arg++)
		check_arg(row, arg, item);
}

/* A statement that works has its entry, with options, limits and default. */
static void
test_supported(void)
{
	struct str page = {0}, item = {0};
	const struct keyword *rows;
	size_t i, n, found = 0;

	read_page(&page);
	rows = keywords(&n);
	for (i = 0; i < n; i++) {
		if (rows[i].flags & (KEYWORD_UNSUPPORTED | KEYWORD_RESERVED |
				     KEYWORD_PARSER) ||
		    !section_of(rows[i].block))
			continue;
		/* `balance round-robin` has its second word as argument */
		find_item(str_text(&page), &rows[i], &item);
		if (!item.len && !strcmp(rows[i].word, "balance"))
			cut(str_text(&page), "\n.It Ic balance Cm round-robin",
			    "\n.It ", &item);
		UNIT_CHECK(item.len > 0, "%s: no entry in '%s'", rows[i].word,
			   rows[i].block);
		check_item(&rows[i], str_text(&item));
		found++;
	}
	CU_ASSERT(found >= 30);
	str_fini(&page);
	str_fini(&item);
}

/* Is `word` one of the words of the text? */
static bool
has_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	const char *p;

	for (p = strstr(text, word); p; p = strstr(p + 1, word))
		if ((p[-1] == ' ' || p[-1] == '\n') &&
		    (p[len] == ' ' || p[len] == '\n'))
			return true;
	return false;
}

/* What does not work is named as such, and what works is not. */
static void
test_unsupported(void)
{
	struct str page = {0}, section = {0};
	char name[KEYWORD_NAME_LEN];
	const struct keyword *rows;
	size_t i, n;
	bool later;

	read_page(&page);
	cut(str_text(&page), "\n.Sh NOT IN THIS VERSION\n", "\n.Sh ", &section);
	CU_ASSERT(section.len > 0);
	rows = keywords(&n);
	for (i = 0; i < n; i++) {
		later = rows[i].flags &
			(KEYWORD_UNSUPPORTED | KEYWORD_RESERVED);
		if (!strcmp(rows[i].block, "match") ||
		    (!later && (!rows[i].sub || !*rows[i].block)))
			continue;
		keyword_name(&rows[i], name);
		UNIT_CHECK(has_word(str_text(&section), name) == later,
			   "'%s' %s named there", name,
			   later ? "is not" : "is");
	}
	str_fini(&page);
	str_fini(&section);
}

/* The checks above find a page wrong that is. */
static void
test_can_fail(void)
{
	static const char page[] = ".Bd -literal\nx\n.Ed\n.Bd -literal\n.Ed\n";
	struct str item = {0};
	struct str wrong = {0}, messages = {0};
	bool good;

	CU_ASSERT(!has_word(" timeout head , x", "timeout he"));
	CU_ASSERT(has_word(" timeout head , x", "timeout head"));
	cut(page, ".Bd", ".Ed", &item);
	UNIT_STRINGS(str_text(&item), ".Bd -literal\nx\n");
	add_line("x\\e\\&y", 6, &wrong);
	UNIT_STRINGS(str_text(&wrong), "x\\y\n");
	texts_messages(str_text(&wrong), &messages, &good);
	CU_ASSERT(!good);
	str_fini(&item);
	str_fini(&wrong);
	str_fini(&messages);
}

static const struct unit_test tests[] = {
	{"examples", test_examples},
	{"supported", test_supported},
	{"unsupported", test_unsupported},
	{"can_fail", test_can_fail},
};

UNIT_MAIN("manual", tests)
