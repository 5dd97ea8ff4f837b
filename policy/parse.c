/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/parse.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/names.h"
#include "policy/keywords_tbl.h"
#include "policy/lex.h"

enum {
	WORDS_MAX = LIST_MAX + 64, /* in one statement */
	CANDIDATES_MAX = 128,
};

struct parser {
	struct sources *sources;     /* borrows */
	const struct reader *reader; /* borrows */
	struct tree *tree;	     /* borrows */
	struct symbols defines;
	struct lexer lexer;
	struct token token; /* the next one */
	struct word *words; /* of the statement being read */
	size_t n;
	size_t cap;
};

static void parse_statements(struct parser *p, const char *block,
			     const struct place *open, struct statements *out);

static void
advance(struct parser *p)
{
	lex_next(&p->lexer, &p->token);
}

/* The token is `{`: go behind its `}`. */
static void
skip_block(struct parser *p)
{
	struct place open = p->token.place;
	size_t depth = 0;

	for (;; advance(p)) {
		if (p->token.kind == TOKEN_EOF) {
			report(p->sources, DIAG_ERROR, open,
			       "'{' is not closed in this file");
			return;
		}
		depth += p->token.kind == TOKEN_OPEN;
		if (p->token.kind == TOKEN_CLOSE && !--depth)
			break;
	}
	advance(p);
}

/* Go to the end of a statement that nobody will look at. */
static void
skip_statement(struct parser *p)
{
	for (;; advance(p)) {
		switch (p->token.kind) {
		case TOKEN_OPEN:
			skip_block(p);
			return;
		case TOKEN_END:
		case TOKEN_EOF:
		case TOKEN_CLOSE:
			return;
		case TOKEN_WORD:
		case TOKEN_COMMA:
			break;
		}
	}
}

/* --- words ---------------------------------------------------------------- */

static struct word
take_word(const struct parser *p)
{
	const struct token *t = &p->token;
	struct word w = {t->text, t->place, t->quoted, false, t->bad, NULL};

	if (!t->quoted && t->text[0] == '$')
		w.define = symbols_find(&p->defines, t->text + 1);
	return w;
}

static void
push_word(struct parser *p, struct word word)
{
	struct word *moved;

	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 64;
		moved = arena_calloc(p->sources->scratch, p->cap, sizeof(word));
		if (p->n)
			memcpy(moved, p->words, p->n * sizeof(word));
		p->words = moved;
	}
	p->words[p->n++] = word;
}

/* Returns false if there is a mistake; it was reported. */
static bool
read_words(struct parser *p)
{
	struct place comma = {0};
	bool ok = true;

	for (p->n = 0;; advance(p)) {
		if (p->token.kind == TOKEN_WORD && p->n < WORDS_MAX) {
			ok &= !p->token.bad;
			push_word(p, take_word(p));
		} else if (p->token.kind == TOKEN_WORD) {
			if (p->n++ == WORDS_MAX)
				report(p->sources, DIAG_ERROR, p->token.place,
				       "a statement has at most %d words",
				       WORDS_MAX);
			p->n = WORDS_MAX + 1;
			ok = false;
		} else if (p->token.kind != TOKEN_COMMA) {
			break;
		} else if (p->n && p->n <= WORDS_MAX &&
			   !p->words[p->n - 1].comma) {
			p->words[p->n - 1].comma = true;
			comma = p->token.place;
		} else if (p->n <= WORDS_MAX) {
			if (ok)
				report(p->sources, DIAG_ERROR, p->token.place,
				       "a value is missing before ','");
			ok = false;
		}
	}
	if (p->n > WORDS_MAX)
		p->n = WORDS_MAX;
	if (ok && p->n && p->words[p->n - 1].comma) {
		report(p->sources, DIAG_ERROR, comma,
		       "a value is missing after ','");
		return false;
	}
	return ok;
}

/* --- define --------------------------------------------------------------- */

static const char *
define_nearest(const struct tree *tree, const char *name)
{
	const char *names[CANDIDATES_MAX];
	size_t i;

	for (i = 0; i < tree->n_defines && i < CANDIDATES_MAX; i++)
		names[i] = tree->defines[i]->name;
	return name_nearest(name, names, i);
}

void
report_undefined(struct sources *s, const struct tree *tree,
		 const struct word *word)
{
	const char *nearest = NULL;
	char buf[SHOWN_LEN];

	if (!report_is_full(s))
		nearest = define_nearest(tree, word->text + 1);
	if (nearest && !strcmp(nearest, word->text + 1))
		report(s, DIAG_ERROR, word->place,
		       "list '%s' is defined only below",
		       shown(word->text, buf));
	else if (nearest)
		report(s, DIAG_ERROR, word->place,
		       "list '%s' is not defined, did you mean '$%s'?",
		       shown(word->text, buf), nearest);
	else
		report(s, DIAG_ERROR, word->place,
		       "list '%s' is not defined above",
		       shown(word->text, buf));
}

/* Does the list of `d` still have room for `n` more? */
static bool
has_room(struct parser *p, const struct define *d, const struct word *at,
	 size_t n)
{
	p->sources->elements += n;
	if (d->n + n <= LIST_MAX && p->sources->elements <= LISTS_MAX)
		return true;
	report(p->sources, DIAG_ERROR, at->place,
	       "a list has at most %d elements, all lists together %d",
	       LIST_MAX, LISTS_MAX);
	return false;
}

static void
push_element(struct parser *p, struct define *d, struct word *word)
{
	d->words = arena_push(p->sources->scratch, d->words, d->n,
			      sizeof(*d->words));
	d->words[d->n++] = word;
}

/* The elements of a definition; the words were copied to `words`. */
static void
fill_define(struct parser *p, struct define *d, struct word *words, size_t n)
{
	size_t i, j;

	for (i = 0; i < n; i++) {
		const struct define *other = words[i].define;

		if (!has_room(p, d, &words[i], other ? other->n : 1))
			return;
		if (other)
			for (j = 0; j < other->n; j++)
				push_element(p, d, other->words[j]);
		else if (!words[i].quoted && words[i].text[0] == '$')
			report_undefined(p->sources, p->tree, &words[i]);
		else
			push_element(p, d, &words[i]);
	}
}

/* Are the words behind the name one list? Else reports. */
static bool
is_definition(struct parser *p, struct place key)
{
	const struct word *w = p->words;
	char buf[SHOWN_LEN];
	size_t i;

	if (p->n < 2 || w[0].comma) {
		report(p->sources, DIAG_ERROR, key,
		       "'define' needs a name and a list");
		return false;
	}
	if (w[0].quoted || !name_valid(w[0].text)) {
		report(p->sources, DIAG_ERROR, w[0].place,
		       "'%s' is not a name: [a-z][a-z0-9_-]*, at most %d bytes",
		       shown(w[0].text, buf), NAME_MAX_LEN);
		return false;
	}
	for (i = 1; i + 1 < p->n; i++) {
		if (w[i].comma)
			continue;
		report(p->sources, DIAG_ERROR, w[i + 1].place,
		       "elements of a list have commas between them%s",
		       strcmp(w[1].text, "=") ? "" : ", and there is no '='");
		return false;
	}
	return true;
}

static void
do_define(struct parser *p, struct place key)
{
	struct arena *scratch = p->sources->scratch;
	const struct define *first;
	struct define *d;
	struct word *words;

	if (!is_definition(p, key))
		return;
	words = arena_memdup(scratch, p->words, p->n * sizeof(*words));
	first = symbols_find(&p->defines, words[0].text);
	if (first) {
		report(p->sources, DIAG_ERROR, words[0].place,
		       "list '%s' is defined twice", words[0].text);
		report(p->sources, DIAG_NOTE, first->place,
		       "the first definition");
		return;
	}
	d = arena_alloc(scratch, sizeof(*d));
	d->name = words[0].text;
	d->place = words[0].place;
	fill_define(p, d, words + 1, p->n - 1);
	symbols_add(scratch, &p->defines, d->name, d);
	p->tree->defines =
		arena_push(scratch, p->tree->defines, p->tree->n_defines,
			   sizeof(*p->tree->defines));
	p->tree->defines[p->tree->n_defines++] = d;
}

/* --- include -------------------------------------------------------------- */

static void
parse_source(struct parser *p, const struct source *source, const char *block,
	     struct statements *out)
{
	struct lexer lexer = p->lexer;
	struct token token = p->token;

	lex_init(&p->lexer, p->sources, source);
	advance(p);
	parse_statements(p, block, NULL, out);
	p->lexer = lexer;
	p->token = token;
}

static void
do_include(struct parser *p, struct place key, const char *block,
	   struct statements *out)
{
	size_t i, first, n;

	if (p->n != 1) {
		report(p->sources, DIAG_ERROR, key,
		       "'include' needs one path; quote it if it has spaces");
		return;
	}
	n = p->reader->include(p->reader->context, p->sources, &p->words[0],
			       p->lexer.source);
	first = p->sources->n - n;
	for (i = 0; i < n; i++)
		parse_source(p, p->sources->list[first + i], block, out);
}

/* --- statements ----------------------------------------------------------- */

static const char *
keyword_nearest(const char *block, const char *word)
{
	const char *candidates[CANDIDATES_MAX];
	const struct keyword *row;
	size_t i, rows, n = 0;

	row = keywords(&rows);
	for (i = 0; i < rows && n < CANDIDATES_MAX; i++)
		if (keyword_find(block, row[i].word, NULL) &&
		    !(row[i].flags & KEYWORD_RESERVED))
			candidates[n++] = row[i].word;
	return name_nearest(word, candidates, n);
}

static void
report_unknown(struct parser *p, const char *block, const struct word *key)
{
	const char *other, *nearest;
	char buf[SHOWN_LEN];

	if (report_is_full(p->sources)) {
		report(p->sources, DIAG_ERROR, key->place, "%s", "");
		return;
	}
	other = keyword_elsewhere(block, key->text);
	nearest = keyword_nearest(block, key->text);
	if (other)
		report(p->sources, DIAG_ERROR, key->place,
		       "'%s' does not stand here, it belongs %s%s%s", key->text,
		       *other ? "in a '" : "outside of all blocks", other,
		       *other ? "' block" : "");
	else if (nearest)
		report(p->sources, DIAG_ERROR, key->place,
		       "unknown keyword '%s', did you mean '%s'?",
		       shown(key->text, buf), nearest);
	else
		report(p->sources, DIAG_ERROR, key->place,
		       "unknown keyword '%s'", shown(key->text, buf));
}

/* The row of a keyword that is worth reading on for; else it is reported. */
static const struct keyword *
find_row(struct parser *p, const char *block, const struct word *key)
{
	const struct keyword *row;
	char buf[SHOWN_LEN];

	if (key->bad)
		return NULL;
	if (key->quoted) {
		report(p->sources, DIAG_ERROR, key->place,
		       "a keyword is expected, and quoted text is none");
		return NULL;
	}
	row = keyword_find(block, key->text, NULL);
	if (!row) {
		report_unknown(p, block, key);
		return NULL;
	}
	if (row->flags & KEYWORD_RESERVED) {
		report(p->sources, DIAG_ERROR, key->place,
		       "'%s' is not supported by this version",
		       shown(key->text, buf));
		return NULL;
	}
	return row;
}

/* The token is `{`: read the block of `st`, or report that it has none. */
static void
parse_block(struct parser *p, struct statement *st)
{
	struct place open = p->token.place;

	if (!(st->row->flags & KEYWORD_BLOCK)) {
		report(p->sources, DIAG_ERROR, open, "'%s' has no block",
		       st->key.text);
		st->bad = true;
		skip_block(p);
		return;
	}
	st->has_block = true;
	advance(p);
	parse_statements(p, st->row->word, &open, &st->block);
}

static void
parse_statement(struct parser *p, const char *block, struct statements *out)
{
	struct arena *scratch = p->sources->scratch;
	struct statement st = {.key = take_word(p)};

	st.row = find_row(p, block, &st.key);
	if (!st.row) {
		skip_statement(p);
		return;
	}
	advance(p);
	st.bad = !read_words(p);
	if (st.row->flags & KEYWORD_PARSER) {
		if (p->token.kind == TOKEN_OPEN)
			parse_block(p, &st);
		if (st.bad)
			return;
		if (!strcmp(st.row->word, "define"))
			do_define(p, st.key.place);
		else
			do_include(p, st.key.place, block, out);
		return;
	}
	st.words = arena_memdup(scratch, p->words, p->n * sizeof(*p->words));
	st.n = p->n;
	if (p->token.kind == TOKEN_OPEN)
		parse_block(p, &st);
	out->list = arena_push(scratch, out->list, out->n, sizeof(st));
	out->list[out->n++] = st;
}

/* A `{` where a statement should begin: often it slipped from its line. */
static void
parse_slipped_block(struct parser *p, struct statements *out)
{
	struct statement *last = out->n ? &out->list[out->n - 1] : NULL;

	if (last && last->row->flags & KEYWORD_BLOCK && !last->has_block) {
		report(p->sources, DIAG_ERROR, p->token.place,
		       "'{' must stand on the line of '%s'", last->key.text);
		parse_block(p, last);
		return;
	}
	report(p->sources, DIAG_ERROR, p->token.place,
	       "'{' without a keyword before it");
	skip_block(p);
}

/*
 * Up to the end of the file, or with `open`, the place of a `{`, to its `}`.
 */
static void
parse_statements(struct parser *p, const char *block, const struct place *open,
		 struct statements *out)
{
	for (;;) {
		switch (p->token.kind) {
		case TOKEN_EOF:
			if (open)
				report(p->sources, DIAG_ERROR, *open,
				       "'{' is not closed in this file");
			return;
		case TOKEN_CLOSE:
			if (!open)
				report(p->sources, DIAG_ERROR, p->token.place,
				       "'}' closes nothing in this file");
			advance(p);
			if (open)
				return;
			break;
		case TOKEN_END:
			advance(p);
			break;
		case TOKEN_OPEN:
			parse_slipped_block(p, out);
			break;
		case TOKEN_COMMA:
			report(p->sources, DIAG_ERROR, p->token.place,
			       "a keyword is expected before ','");
			skip_statement(p);
			break;
		case TOKEN_WORD:
			parse_statement(p, block, out);
			break;
		}
	}
}

void
parse_policy(struct sources *sources, const struct source *source,
	     const struct reader *reader, struct tree *ret_tree)
{
	struct parser p = {
		.sources = sources,
		.reader = reader,
		.tree = ret_tree,
	};

	*ret_tree = (struct tree){0};
	parse_source(&p, source, "", &ret_tree->top);
}

void
parse_words(struct sources *sources, const char *text, struct word **ret_words,
	    size_t *ret_n)
{
	struct source source = {.name = "", .text = text, .len = strlen(text)};
	struct parser p = {.sources = sources};

	lex_init(&p.lexer, sources, &source);
	advance(&p);
	read_words(&p);
	*ret_words = p.words;
	*ret_n = p.n;
}
