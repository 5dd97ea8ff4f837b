/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diag.h - mistakes of the administrator's, each with its place.
 *
 * lib and policy never print: they add to a struct diags, and the program
 * that can tell the user prints them all, in the order of their places:
 *
 *	policy.conf:12:19: error: unknown keyword 'prot', did you mean 'port'?
 *	    intercept tcp prot 80
 *	                  ^~~~
 */
#ifndef LIB_DIAG_H
#define LIB_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/str.h"

struct arena;

/* A place in a text. file NULL: none. Columns count bytes from 1. */
struct place {
	const char *file; /* borrows from the policy's arena */
	uint32_t line;
	uint32_t col;
	uint32_t len; /* bytes marked by the caret line; 0: no caret line */
};

enum diag_level {
	DIAG_ERROR,
	DIAG_WARNING,
	DIAG_NOTE, /* belongs to the one before it */
};

struct diag {
	struct place place;
	enum diag_level level;
	const char *text;   /* owns (arena): message without place */
	const char *source; /* owns (arena): the source line, or NULL */
};

enum { DIAG_SHOWN_MAX = 50 };

struct diags {
	struct arena *arena; /* owns */
	struct diag *list;
	size_t n;	 /* at most 4 * DIAG_SHOWN_MAX are kept */
	size_t n_errors; /* all, also those not kept */
	size_t n_warnings;
};

void diags_init(struct diags *d);
void diags_fini(struct diags *d);

/* `source` is the text of the line, without newline, or NULL; it and `text`
 * are copied; place.file must outlive `d`. */
void diag_add(struct diags *d, enum diag_level level, struct place place,
	      const char *source, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Copy the names of files: from now on `d` outlives who owns them. */
void diags_keep_names(struct diags *d);

/*
 * Write all of them to `out`, sorted by file in order of first appearance,
 * then line and column (notes stay behind what they belong to), at most
 * DIAG_SHOWN_MAX and then "... and N more".
 */
void diags_format(const struct diags *d, bool colour, struct str *out);

#endif
