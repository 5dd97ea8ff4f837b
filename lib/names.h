/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.h - words that people type: are they names, and which one was meant?
 */
#ifndef LIB_NAMES_H
#define LIB_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum { NAME_MAX_LEN = 31 };

/* [a-z][a-z0-9_-]*, at most NAME_MAX_LEN bytes. */
bool name_valid(const char *name);

/*
 * The one of `n` candidates nearest to `word`, if near enough to be what was
 * meant (Damerau-Levenshtein, at most a third of the letters), else NULL.
 * Borrows from `candidates`.
 */
const char *name_nearest(const char *word, const char *const *candidates,
			 size_t n);

#endif
