/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lex.h - a text as tokens.
 *
 * Quotes, escapes, comments and continued lines end here; no word has a
 * meaning yet. Bytes that may not stand in a policy are reported once a line
 * and skipped. One token at a time, so a text costs no memory but its words.
 */
#ifndef POLICY_LEX_H
#define POLICY_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/source.h"

enum token_kind {
	TOKEN_EOF,
	TOKEN_END, /* of a statement: newline or `;` */
	TOKEN_WORD,
	TOKEN_COMMA,
	TOKEN_OPEN,
	TOKEN_CLOSE,
};

struct token {
	enum token_kind kind;
	bool quoted;
	bool bad;	  /* a word with a mistake that was reported */
	const char *text; /* TOKEN_WORD; borrows from the scratch memory */
	struct place place;
};

struct lexer {
	struct sources *sources;     /* borrows */
	const struct source *source; /* borrows */
	size_t pos;
	size_t line_start;
	uint32_t line;
	uint32_t bad_line; /* last one with a bad byte reported */
	bool goes_on;	   /* after a comma newlines mean nothing */
};

void lex_init(struct lexer *l, struct sources *sources,
	      const struct source *source);

/* The next token; at the end of the text TOKEN_EOF, again and again. */
void lex_next(struct lexer *l, struct token *ret_token);

#endif
