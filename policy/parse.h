/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parse.h - tokens become a tree of statements.
 *
 * Knows which keyword opens which block, replaces includes and definitions,
 * and skips the blocks of reserved and unknown words. Looks at no other
 * argument, and opens no file: load.c gives it a function that does.
 */
#ifndef POLICY_PARSE_H
#define POLICY_PARSE_H

#include <stddef.h>

#include "policy/ast.h"
#include "policy/source.h"

/* How files are read. */
struct reader {
	/*
	 * Add the sources that `pattern` in source `from` names, sorted, to
	 * `sources` and return their number: they are its last. Mistakes are
	 * reported at the pattern and give 0.
	 */
	size_t (*include)(void *context, struct sources *sources,
			  const struct word *pattern,
			  const struct source *from);
	void *context; /* borrows */
};

/* Parse `source` and all that it includes. The tree lives in the scratch
 * memory; mistakes are reported and what has them is marked or left out. */
void parse_policy(struct sources *sources, const struct source *source,
		  const struct reader *reader, struct tree *ret_tree);

/* Report that `word`, a bare $NAME, names no list; says which was meant. */
void report_undefined(struct sources *s, const struct tree *tree,
		      const struct word *word);

/* The words of a default in a row of the keyword table. */
void parse_words(struct sources *sources, const char *text,
		 struct word **ret_words, size_t *ret_n);

#endif
