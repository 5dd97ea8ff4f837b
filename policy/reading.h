/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reading.h - one value while it is read, and mistakes in it.
 *
 * What the readers of scalar.h and network.h are given by value.c, and how
 * they answer. A reader returns 0, or -EINVAL when it reported a mistake.
 */
#ifndef POLICY_READING_H
#define POLICY_READING_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/ast.h"
#include "policy/keywords_tbl.h"
#include "policy/source.h"

struct reading {
	struct sources *sources; /* borrows */
	const struct arg *arg;	 /* borrows from the keyword table */
	struct word *word;	 /* of a list: its first one */
	struct word **list;	 /* elements of a list, $NAMEs replaced */
	size_t n;
	void *dst;  /* member of the model; NULL: check the form only */
	bool quiet; /* do not say what this version does not support */
};

/* Report what is wrong with `w`, once for each word. Returns -EINVAL. */
int reading_mistake(const struct reading *r, struct word *w, const char *fmt,
		    ...) __attribute__((format(printf, 3, 4)));

/* Report that the word is none of `choices`. Returns -EINVAL. */
int reading_choice_mistake(const struct reading *r,
			   const struct choice *choices);

/* The choice that the word names if it is bare, or NULL. */
const struct choice *reading_choice(const struct reading *r,
				    const struct choice *choices);

/* Put the value, `size` bytes, or a copy of the word where it belongs.
 * Return 0. */
int reading_store(const struct reading *r, const void *value, size_t size);
int reading_store_text(const struct reading *r);

#endif
