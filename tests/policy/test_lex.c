/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/lex.h"

#include "lib/arena.h"
#include "tests/policy/texts.h"
#include "tests/unit.h"

/* All tokens of a text, one word each; mistakes follow behind "!". */
static void
dump(const char *text, size_t len, struct str *out)
{
	struct diags diags;
	struct arena *arena = arena_new();
	struct sources sources = {
		.keep = arena, .scratch = arena, .diags = &diags};
	struct lexer lexer;
	struct token t;
	size_t i;

	diags_init(&diags);
	str_clear(out);
	lex_init(&lexer, &sources, source_add(&sources, "x", text, len));
	do {
		lex_next(&lexer, &t);
		str_addf(out, "%s%u:%u", out->len ? " " : "", t.place.line,
			 t.place.col);
		switch (t.kind) {
		case TOKEN_EOF:
			break;
		case TOKEN_END:
			str_add(out, ";");
			break;
		case TOKEN_WORD:
			str_addf(out, t.quoted ? "<%s>" : "(%s)", t.text);
			str_add(out, t.bad ? "?" : "");
			break;
		case TOKEN_COMMA:
			str_add(out, ",");
			break;
		case TOKEN_OPEN:
			str_add(out, "{");
			break;
		case TOKEN_CLOSE:
			str_add(out, "}");
			break;
		}
	} while (t.kind != TOKEN_EOF);
	for (i = 0; i < diags.n; i++)
		str_addf(out, " !%u:%u %s", diags.list[i].place.line,
			 diags.list[i].place.col, diags.list[i].text);
	diags_fini(&diags);
	arena_free(arena);
}

struct lex_case {
	const char *text, *tokens;
};

static const struct lex_case cases[] = {
	/* text           tokens: LINE:COL and what it is */
	{"", "1:1"},
	{" \t ", "1:4"},
	{"a", "1:1(a) 1:2"},
	{"a b", "1:1(a) 1:3(b) 1:4"},
	{"a\nb\n", "1:1(a) 1:2; 2:1(b) 2:2; 3:1"},
	{"a;b}c{d,e",
	 "1:1(a) 1:2; 1:3(b) 1:4} 1:5(c) 1:6{ 1:7(d) 1:8, 1:9(e) 1:10"},
	/* comments start where a token may, not inside of a word */
	{"# a\nb#c # d\n#", "1:4; 2:1(b#c) 2:8; 3:2"},
	{"# \xc3\xa9 \x01 { \"\n", "1:11; 2:1"},
	{"a #,\nb", "1:1(a) 1:5; 2:1(b) 2:2"},
	{"a # \\\nb", "1:1(a) 1:6; 2:1(b) 2:2"},
	/* a line goes on after `,` and `\` */
	{"a,\nb", "1:1(a) 1:2, 2:1(b) 2:2"},
	{"a, # x\n\n  # y\n b\n", "1:1(a) 1:2, 4:2(b) 4:3; 5:1"},
	{"a,\r\nb", "1:1(a) 1:2, 2:1(b) 2:2"},
	{"a \\\nb", "1:1(a) 2:1(b) 2:2"},
	{"a\\\nb", "1:1(a) 2:1(b) 2:2"},
	{"a \\\r\n b", "1:1(a) 2:2(b) 2:3"},
	{"a \\\n\nb", "1:1(a) 2:1; 3:1(b) 3:2"},
	{"a \\ \nb", "1:1(a) 1:3(\\) 1:5; 2:1(b) 2:2"},
	{"a\\b \\c", "1:1(a\\b) 1:5(\\c) 1:7"},
	{"\\", "1:1(\\) 1:2"},
	{"a,;b", "1:1(a) 1:2, 1:3; 1:4(b) 1:5"},
	/* quotes */
	{"\"a b\"", "1:1<a b> 1:6"},
	{"\"\"", "1:1<> 1:3"},
	{"\"a\"b\"c\"", "1:1<a> 1:4(b) 1:5<c> 1:8"},
	{"b\"c\"", "1:1(b) 1:2<c> 1:5"},
	{"\"\\\"\\\\\\n\\t\"", "1:1<\"\\\n\t> 1:11"},
	{"\"\\a\\.\\$\\\"", "1:1<\\a\\.\\$\">? 1:10 !1:1 the quoted text is "
			    "not closed in its line"},
	{"\"\\a\\.\"", "1:1<\\a\\.> 1:7"},
	{"\"#{},;\"", "1:1<#{},;> 1:8"},
	{"\"\xc3\xa9\x01\t\"", "1:1<\xc3\xa9\x01\t> 1:7"},
	{"\"a\nb", "1:1<a>? 1:3; 2:1(b) 2:2 !1:1 the quoted text is not "
		   "closed in its line"},
	{"\"a\r\nb", "1:1<a>? 1:3; 2:1(b) 2:2 !1:1 the quoted text is not "
		     "closed in its line"},
	{"\"a\\\nb", "1:1<a\\>? 1:4; 2:1(b) 2:2 !1:1 the quoted text is not "
		     "closed in its line"},
	{"\"", "1:1<>? 1:2 !1:1 the quoted text is not closed in its line"},
	{"\"\\", "1:1<\\>? 1:3 !1:1 the quoted text is not closed in its "
		 "line"},
	/* lines */
	{"a\r\nb\r\n", "1:1(a) 1:2; 2:1(b) 2:2; 3:1"},
	{"a\rb", "1:1(a\rb)? 1:4 !1:2 control character 0x0d"},
	{"a\n\r", "1:1(a) 1:2; 2:1(\r)? 2:2 !2:1 control character 0x0d"},
	/* bytes that may not stand: once a line */
	{"\xc3\xa9t\xc3\xa9 b\n\xff",
	 "1:1(\xc3\xa9t\xc3\xa9)? 1:7(b) 1:8; 2:1(\xff)? 2:2 !1:1 byte 0xc3 "
	 "is not ASCII: put such text in quotes !2:1 byte 0xff is not ASCII: "
	 "put such text in quotes"},
	{"\x7f", "1:1(\x7f)? 1:2 !1:1 control character 0x7f"},
	{"\xef\xbb\xbf"
	 "a",
	 "1:4(a) 1:5 !1:1 the file begins with a byte order mark: save it "
	 "without"},
};

static void
test_tokens(void)
{
	struct str out = {0};
	struct guarded g;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		g = texts_guard(cases[i].text, strlen(cases[i].text));
		dump(g.text, strlen(cases[i].text), &out);
		texts_unguard(&g);
		UNIT_STRINGS(str_text(&out), cases[i].tokens);
	}
	str_fini(&out);
}

static void
test_nul(void)
{
	struct str out = {0};

	dump("a\0b", 3, &out);
	UNIT_STRINGS(str_text(&out),
		     "1:1(a)? 1:4 !1:2 a NUL byte: this is not a text file");
	dump("\"a\0b\"", 5, &out);
	UNIT_STRINGS(str_text(&out),
		     "1:1<a>? 1:6 !1:3 a NUL byte: this is not a text file");
	dump("# a\0b\n#\0\0", 9, &out);
	UNIT_STRINGS(str_text(&out),
		     "1:6; 2:4 !1:4 a NUL byte: this is not a text file !2:2 "
		     "a NUL byte: this is not a text file");
	str_fini(&out);
}

/* Every beginning of a text that has everything, before a guard page. */
static void
test_truncated(void)
{
	static const char text[] = "\xef\xbb\xbf"
				   "a, \\\r\n\"b\\\"\\n\\t\\\\\\x\" #c\r\n{}"
				   ";\\\nd\xc3\xa9\r\r\n";
	struct str out = {0};
	struct guarded g;
	size_t len;

	for (len = 0; len < sizeof(text); len++) {
		g = texts_guard(text, len);
		dump(g.text, len, &out);
		CU_ASSERT(out.len > 0);
		texts_unguard(&g);
	}
	str_fini(&out);
}

/* Every byte alone, in a word, in quotes and in a comment. */
static void
test_every_byte(void)
{
	static const char *const frames[] = {"", "a", "\"", "#", "a\\", "\"\\"};
	struct str out = {0}, text = {0};
	struct guarded g;
	size_t i;
	int c;

	for (c = 0; c < 256; c++) {
		for (i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
			str_clear(&text);
			str_add(&text, frames[i]);
			str_add_char(&text, (char)c);
			g = texts_guard(str_text(&text), text.len);
			dump(g.text, text.len, &out);
			texts_unguard(&g);
			CU_ASSERT(out.len > 0);
			/* NUL is wrong everywhere */
			CU_ASSERT(c || strstr(str_text(&out), "NUL"));
		}
	}
	str_fini(&out);
	str_fini(&text);
}

static const struct unit_test tests[] = {
	{"tokens", test_tokens},
	{"nul", test_nul},
	{"truncated", test_truncated},
	{"every_byte", test_every_byte},
};

UNIT_MAIN("lex", tests)
