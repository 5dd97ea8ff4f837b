/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * value.h - words of a statement become values of the model.
 *
 * One reader for each type of the keyword table. What a value means together
 * with others is not known here.
 */
#ifndef POLICY_VALUE_H
#define POLICY_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/ast.h"
#include "policy/keywords_tbl.h"
#include "policy/source.h"

/* Where in the arguments of a statement the reader is. */
struct cursor {
	struct sources *sources;   /* borrows */
	const struct tree *tree;   /* borrows */
	const struct keyword *row; /* its options end a value */
	struct place key;	   /* of the statement */
	struct word *words;	   /* borrows from the statement */
	size_t n;
	size_t pos;
	bool quiet; /* do not say what this version does not support */
};

/* The next word, or NULL at the end. */
struct word *cursor_word(const struct cursor *c);

/* Is the next word, bare, the keyword of an option, or `not` before one? */
bool cursor_at_option(const struct cursor *c);

/*
 * Read a value of arg's type to `dst`, the member of the model; with NULL
 * only its form is checked. Returns 0, or -EINVAL with a mistake reported
 * and `dst` untouched; in both cases the cursor is behind the value.
 */
int value_read(struct cursor *c, const struct arg *arg, void *dst);

/* Bytes that a value of this type takes in the model; 0: it has no place. */
size_t value_size(enum type type);

/* Is it written as a list? */
bool value_is_list(enum type type);

#endif
