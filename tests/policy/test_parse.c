/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/parse.h"

#include "lib/arena.h"
#include "policy/keywords_tbl.h"
#include "tests/policy/texts.h"
#include "tests/unit.h"

/* Files that exist only here. */
struct fake {
	const char *path, *text;
};

static const struct fake files[] = {
	{"inside", "inside eth1"},
	{"list", "eth3, eth4"},
	{"two-1", "use a\n"},
	{"two-2", "listen tcp 1; define inner 1"},
	{"open", "service x {\n"},
	{"close", "}\n"},
	{"nested", "service y { include inside }\n"},
	{"empty", ""},
};

static size_t
fake_include(void *context, struct sources *sources, const struct word *pattern,
	     const struct source *from)
{
	size_t i, n = 0, len = strlen(pattern->text);

	(void)context;
	(void)from;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (strncmp(files[i].path, pattern->text, len) != 0)
			continue;
		source_add(sources, files[i].path, files[i].text,
			   strlen(files[i].text));
		n++;
	}
	return n;
}

static void
dump_word(const struct word *w, struct str *out)
{
	size_t i;

	str_addf(out, " %s%s%s", w->quoted ? "\"" : "", w->text,
		 w->quoted ? "\"" : "");
	if (w->define) {
		str_add(out, "=(");
		for (i = 0; i < w->define->n; i++)
			str_addf(out, "%s%s", i ? " " : "",
				 w->define->words[i]->text);
		str_add(out, ")");
	}
	str_add(out, w->comma ? "," : "");
}

static void
dump(const struct statements *list, struct str *out)
{
	size_t i, j;

	for (i = 0; i < list->n; i++) {
		const struct statement *st = &list->list[i];

		str_addf(out, "%s%s%s", i ? " | " : "", st->key.text,
			 st->bad ? "!" : "");
		for (j = 0; j < st->n; j++)
			dump_word(&st->words[j], out);
		if (!st->has_block)
			continue;
		str_add(out, " {");
		dump(&st->block, out);
		str_add(out, "}");
	}
}

static void
parse(const char *text, struct str *out)
{
	static const struct reader reader = {fake_include, NULL};
	struct diags diags;
	struct arena *arena = arena_new();
	struct sources sources = {
		.keep = arena, .scratch = arena, .diags = &diags};
	struct guarded g = texts_guard(text, strlen(text));
	struct tree tree;
	size_t i;

	diags_init(&diags);
	str_clear(out);
	parse_policy(&sources,
		     source_add(&sources, "main", g.text, strlen(text)),
		     &reader, &tree);
	dump(&tree.top, out);
	for (i = 0; i < diags.n; i++)
		str_addf(out, " ! %s:%u:%u %s", diags.list[i].place.file,
			 diags.list[i].place.line, diags.list[i].place.col,
			 diags.list[i].text);
	diags_fini(&diags);
	arena_free(arena);
	texts_unguard(&g);
}

struct parse_case {
	const char *text, *tree;
};

static const struct parse_case cases[] = {
	{"", ""},
	{";;\n;", ""},
	{"gateway {}", "gateway {}"},
	{"gateway { inside a, \"b c\" ; table 5 }",
	 "gateway {inside a, \"b c\" | table 5}"},
	{"gateway{inside a}pool p{node x y}service s{}",
	 "gateway {inside a} | pool p {node x y} | service s {}"},
	{"service web {\n match path /a {\n  deny\n }\n use x }",
	 "service web {match path /a {deny} | use x}"},
	/* blocks */
	{"gateway", "gateway"},
	{"gateway {", "gateway {} ! main:1:9 '{' is not closed in this file"},
	{"}", " ! main:1:1 '}' closes nothing in this file"},
	{"gateway\n\n{ table 5 }",
	 "gateway {table 5} ! main:3:1 '{' must stand on the line of "
	 "'gateway'"},
	{"gateway { table 5 { a { } } } pool p {}",
	 "gateway {table! 5} | pool p {} ! main:1:19 'table' has no block"},
	{"foo { a { b } c; d } gateway {}",
	 "gateway {} ! main:1:1 unknown keyword 'foo'"},
	{"foo { a { b }",
	 " ! main:1:1 unknown keyword 'foo' ! main:1:5 '{' is not closed in "
	 "this file"},
	{"{ a } gateway {}",
	 "gateway {} ! main:1:1 '{' without a keyword before it"},
	{"tls { include nothing; } gateway {}",
	 "gateway {} ! main:1:1 'tls' is not supported by this version"},
	/* commas */
	{"gateway { inside a,\n b,\n\n c\n }", "gateway {inside a, b, c}"},
	{"gateway { inside a,, b }",
	 "gateway {inside! a, b} ! main:1:20 a value is missing before ','"},
	{"gateway { inside a, }",
	 "gateway {inside! a,} ! main:1:19 a value is missing after ','"},
	{"gateway { , }",
	 "gateway {} ! main:1:11 a keyword is expected before ','"},
	/* define */
	{"define a 1, \"2\"\ndefine b $a, 3\ngateway { inside $b, $a, \"$a\", "
	 "$c }",
	 "gateway {inside $b=(1 2 3), $a=(1 2), \"$a\", $c}"},
	{"gateway { define a 1; inside $a } pool p { node $a }",
	 "gateway {inside $a=(1)} | pool p {node $a=(1)}"},
	{"gateway { inside $a; define a 1 }", "gateway {inside $a}"},
	{"define a $a", " ! main:1:10 list '$a' is not defined above"},
	/* include: in its place, also inside of a block */
	{"gateway { table 5; include inside; zone 5 }",
	 "gateway {table 5 | inside eth1 | zone 5}"},
	{"service s { include two-; mode tcp; except port $inner }",
	 "service s {use a | listen tcp 1 | mode tcp | except port "
	 "$inner=(1)}"},
	{"include empty\ngateway {}", "gateway {}"},
	{"include none", ""},
	{"gateway { include list }",
	 "gateway {} ! list:1:1 unknown keyword 'eth3'"},
	/* braces balance in each file */
	{"include open\n}",
	 "service x {} ! open:1:11 '{' is not closed in this file ! main:2:1 "
	 "'}' closes nothing in this file"},
	{"gateway { include close; table 5 }",
	 "gateway {table 5} ! close:1:1 '}' closes nothing in this file"},
	{"include nested",
	 "service y {} ! inside:1:1 'inside' does not stand here, it belongs "
	 "in a 'gateway' block"},
};

static void
test_trees(void)
{
	struct str out = {0};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		parse(cases[i].text, &out);
		UNIT_STRINGS(str_text(&out), cases[i].tree);
	}
	str_fini(&out);
}

/* Deep nesting costs no stack: only blocks of the language are entered. */
static void
test_deep(void)
{
	enum { DEPTH = 200000 };
	struct str text = {0}, out = {0};
	size_t i;

	str_add(&text, "gateway ");
	for (i = 0; i < DEPTH; i++)
		str_add(&text, "{");
	parse(str_text(&text), &out);
	CU_ASSERT(strstr(str_text(&out), "is not closed") != NULL);
	str_clear(&text);
	for (i = 0; i < DEPTH / 10; i++)
		str_add(&text, "service a { match path b { service c { ");
	parse(str_text(&text), &out);
	CU_ASSERT(strstr(str_text(&out), "is not closed") != NULL);
	str_fini(&text);
	str_fini(&out);
}

/* Lists that double with each definition stay bounded. */
static void
test_doubling(void)
{
	struct str text = {0}, out = {0};
	bool good;
	int i;

	str_add(&text, "define a0 10.0.0.0/8, 10.0.0.0/8\n");
	for (i = 0; i < 40; i++)
		str_addf(&text, "define a%d $a%d, $a%d\n", i + 1, i, i);
	str_add(&text, "gateway { except from $a40 }\n");
	texts_messages(str_text(&text), &out, &good);
	CU_ASSERT(!good);
	CU_ASSERT(strstr(str_text(&out),
			 "a list has at most 65536 elements"
			 ", all lists together 1048576") != NULL);
	str_fini(&text);
	str_fini(&out);
}

/* A list as long as it may be, and one longer. */
static void
test_longest_list(void)
{
	struct str text = {0}, out = {0};
	bool good;
	int i, n;

	for (n = LIST_MAX; n <= LIST_MAX + 1; n++) {
		str_clear(&text);
		str_add(&text, "gateway { except port 1");
		for (i = 1; i < n; i++)
			str_add(&text, ",2");
		str_add(&text, " }");
		texts_messages(str_text(&text), &out, &good);
		CU_ASSERT_EQUAL(good, n == LIST_MAX);
	}
	CU_ASSERT(strstr(str_text(&out), "at most 65536 elements") != NULL);
	str_fini(&text);
	str_fini(&out);
}

static void
test_words(void)
{
	struct arena *arena = arena_new();
	struct sources sources = {.keep = arena, .scratch = arena};
	struct word *words;
	size_t n;

	parse_words(&sources, "0x1000 0x2000 mask 0x3000", &words, &n);
	CU_ASSERT_EQUAL(n, 4);
	UNIT_STRINGS(words[0].text, "0x1000");
	UNIT_STRINGS(words[3].text, "0x3000");
	parse_words(&sources, "ipv4, ipv6", &words, &n);
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT(words[0].comma && !words[1].comma);
	arena_free(arena);
}

static const struct unit_test tests[] = {
	{"trees", test_trees},	     {"deep", test_deep},
	{"doubling", test_doubling}, {"longest_list", test_longest_list},
	{"words", test_words},
};

UNIT_MAIN("parse", tests)
