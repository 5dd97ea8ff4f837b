/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ast.h - a policy as a tree of statements, before any value has a meaning.
 *
 * Includes are replaced by what they name, $NAMEs know their definitions,
 * keywords are known to stand where they may. Everything here lives in the
 * scratch memory of struct sources.
 */
#ifndef POLICY_AST_H
#define POLICY_AST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/diag.h"

struct arena;
struct keyword;

struct word {
	const char *text; /* quotes and escapes are gone */
	struct place place;
	bool quoted;
	bool comma;		     /* a comma follows: the list goes on */
	bool bad;		     /* a mistake in this word was reported */
	const struct define *define; /* of a bare $NAME; NULL: none */
};

/* `define`: the list, with the $NAMEs in it replaced. */
struct define {
	const char *name;
	struct place place;
	struct word **words; /* those of the text, so that a mistake in one
				is reported once */
	size_t n;
};

struct statements {
	struct statement *list;
	size_t n;
};

struct statement {
	const struct keyword *row; /* first row of the keyword */
	struct word key;
	struct word *words; /* the arguments */
	size_t n;
	bool bad; /* a mistake in its form was reported */
	bool has_block;
	struct statements block;
};

struct tree {
	struct statements top;
	struct define **defines;
	size_t n_defines;
};

/* Names and what they stand for; finding one takes constant time. */
struct symbols {
	struct symbol *slots; /* borrows from the arena */
	size_t n;
	size_t cap; /* power of two, or 0 */
};

/* What was put under this name, or NULL. */
void *symbols_find(const struct symbols *s, const char *name);

/* Put `value`, not NULL, under a name that is not there yet. Borrows both. */
void symbols_add(struct arena *a, struct symbols *s, const char *name,
		 void *value);

#endif
