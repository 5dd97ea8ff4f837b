/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/lex.h"

#include <stdio.h>
#include <string.h>

#include "lib/arena.h"

static const char bom[] = "\xef\xbb\xbf";

void
lex_init(struct lexer *l, struct sources *sources, const struct source *source)
{
	static const size_t len = sizeof(bom) - 1;
	struct place place = {source->name, 1, 1, 0};

	*l = (struct lexer){.sources = sources, .source = source, .line = 1};
	if (source->len < len || memcmp(source->text, bom, len) != 0)
		return;
	report(sources, DIAG_ERROR, place,
	       "the file begins with a byte order mark: save it without");
	l->pos = len;
}

/* The byte `ahead` of the position, or -1 at the end of the text. */
static int
peek(const struct lexer *l, size_t ahead)
{
	size_t pos = l->pos + ahead;

	return pos < l->source->len ? (unsigned char)l->source->text[pos] : -1;
}

static struct place
place_of(const struct lexer *l, size_t start, size_t end)
{
	return (struct place){
		.file = l->source->name,
		.line = l->line,
		.col = (uint32_t)(start - l->line_start + 1),
		.len = (uint32_t)(end - start),
	};
}

static void
new_line(struct lexer *l)
{
	l->line++;
	l->line_start = l->pos;
}

/* Does a newline begin `ahead` of the position? Returns its length, or 0. */
static size_t
newline_at(const struct lexer *l, size_t ahead)
{
	if (peek(l, ahead) == '\n')
		return 1;
	return peek(l, ahead) == '\r' && peek(l, ahead + 1) == '\n' ? 2 : 0;
}

/* A `\` that ends its line: returns the length up to the next one, or 0. */
static size_t
continuation_at(const struct lexer *l)
{
	size_t n;

	if (peek(l, 0) != '\\')
		return 0;
	n = newline_at(l, 1);
	return n ? n + 1 : 0;
}

static bool
is_bare(int c)
{
	return c > 0x20 && c < 0x7f && !strchr(",;{}\"", c);
}

static bool
is_bad(int c)
{
	return c >= 0 && (c >= 0x7f || (c < 0x20 && c != '\t' && c != '\n'));
}

static void
bad_byte(struct lexer *l)
{
	int c = peek(l, 0);
	struct place place = place_of(l, l->pos, l->pos + 1);

	if (l->bad_line == l->line)
		return;
	l->bad_line = l->line;
	if (c == 0)
		report(l->sources, DIAG_ERROR, place,
		       "a NUL byte: this is not a text file");
	else if (c >= 0x80)
		report(l->sources, DIAG_ERROR, place,
		       "byte 0x%02x is not ASCII: put such text in quotes", c);
	else
		report(l->sources, DIAG_ERROR, place,
		       "control character 0x%02x", c);
}

/* Comments may hold anything but NUL. */
static void
skip_comment(struct lexer *l)
{
	while (peek(l, 0) >= 0 && peek(l, 0) != '\n') {
		if (peek(l, 0) == 0)
			bad_byte(l);
		l->pos++;
	}
}

/* What stands between tokens, newlines only where they mean nothing. */
static void
skip_blanks(struct lexer *l)
{
	size_t n;

	for (;;) {
		n = continuation_at(l);
		if (n || (l->goes_on && (n = newline_at(l, 0)))) {
			l->pos += n;
			new_line(l);
		} else if (peek(l, 0) == ' ' || peek(l, 0) == '\t') {
			l->pos++;
		} else if (peek(l, 0) == '#') {
			skip_comment(l);
		} else {
			return;
		}
	}
}

/* A byte that may stand nowhere belongs to the word that it disturbs. */
static void
lex_bare(struct lexer *l, struct token *t)
{
	size_t start = l->pos;
	int c;

	for (;;) {
		c = peek(l, 0);
		if (newline_at(l, 0) || continuation_at(l))
			break;
		if (is_bad(c)) {
			bad_byte(l);
			t->bad = true;
		} else if (!is_bare(c)) {
			break;
		}
		l->pos++;
	}
	t->text = arena_strndup(l->sources->scratch, l->source->text + start,
				l->pos - start);
	t->place = place_of(l, start, l->pos);
}

/* The byte that the escape at the position stands for, or -1: none. */
static int
escape_at(const struct lexer *l)
{
	if (peek(l, 0) != '\\')
		return -1;
	switch (peek(l, 1)) {
	case '"':
	case '\\':
		return peek(l, 1);
	case 'n':
		return '\n';
	case 't':
		return '\t';
	default:
		return -1;
	}
}

/* The bytes between quotes, the closing one not included. */
static size_t
quoted_length(const struct lexer *l)
{
	size_t n = 0;

	while (peek(l, n) >= 0 && peek(l, n) != '"' && !newline_at(l, n))
		n += peek(l, n) == '\\' && peek(l, n + 1) >= 0 &&
				     !newline_at(l, n + 1)
			     ? 2
			     : 1;
	return n;
}

static void
lex_quoted(struct lexer *l, struct token *t)
{
	size_t start = l->pos, end, n = 0;
	char *text;
	int c;

	l->pos++;
	end = l->pos + quoted_length(l);
	text = arena_alloc(l->sources->scratch, end - l->pos + 1);
	while (l->pos < end) {
		c = escape_at(l);
		if (peek(l, 0) == 0) {
			bad_byte(l);
			t->bad = true;
		}
		text[n++] = c >= 0 ? (char)c : (char)peek(l, 0);
		l->pos += c >= 0 ? 2 : 1;
	}
	t->quoted = true;
	t->text = text;
	if (peek(l, 0) == '"') {
		l->pos++;
	} else {
		report(l->sources, DIAG_ERROR, place_of(l, start, start + 1),
		       "the quoted text is not closed in its line");
		t->bad = true;
	}
	t->place = place_of(l, start, l->pos);
}

static void
lex_mark(struct lexer *l, struct token *t, enum token_kind kind, size_t len)
{
	t->kind = kind;
	t->place = place_of(l, l->pos, l->pos + len);
	l->pos += len;
}

void
lex_next(struct lexer *l, struct token *ret_token)
{
	struct token t = {.kind = TOKEN_WORD};

	skip_blanks(l);
	if (peek(l, 0) < 0) {
		lex_mark(l, &t, TOKEN_EOF, 0);
	} else if (newline_at(l, 0)) {
		lex_mark(l, &t, TOKEN_END, newline_at(l, 0));
		new_line(l);
	} else {
		switch (peek(l, 0)) {
		case ';':
			lex_mark(l, &t, TOKEN_END, 1);
			break;
		case ',':
			lex_mark(l, &t, TOKEN_COMMA, 1);
			break;
		case '{':
			lex_mark(l, &t, TOKEN_OPEN, 1);
			break;
		case '}':
			lex_mark(l, &t, TOKEN_CLOSE, 1);
			break;
		case '"':
			lex_quoted(l, &t);
			break;
		default:
			lex_bare(l, &t);
		}
	}
	l->goes_on = t.kind == TOKEN_COMMA;
	*ret_token = t;
}
