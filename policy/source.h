/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source.h - the texts a policy is made of, and mistakes in them.
 *
 * One struct sources lives while a policy is loaded: it knows every file,
 * the memory that stays with the policy, the memory that goes when loading
 * is over, and where mistakes are reported. It opens no file.
 */
#ifndef POLICY_SOURCE_H
#define POLICY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/diag.h"

struct arena;

enum {
	SOURCE_BYTES_MAX = 8 << 20, /* of all files together */
	SOURCE_FILES_MAX = 4096,
	SOURCE_DEPTH_MAX = 16, /* files that include files */
	LIST_MAX = 65536,      /* elements of one list, $NAMEs replaced */
	LISTS_MAX = 1 << 20,   /* elements of all lists */
};

/* One file, or one text in memory. */
struct source {
	const char *name;  /* borrows from `keep` */
	const char *shown; /* the same, borrows from the diags */
	const char *text;  /* borrows from the reader; need not end in NUL */
	size_t len;
	const struct source *parent; /* who includes it; NULL: nobody */
	unsigned int depth;	     /* 0: the policy itself */
	dev_t dev; /* which file it is, both 0 for text in memory */
	ino_t ino;
};

struct sources {
	struct arena *keep;    /* borrows: lives as long as the policy */
	struct arena *scratch; /* borrows: lives while it is loaded */
	struct diags *diags;   /* borrows from the caller */
	struct source **list;  /* borrows from scratch */
	size_t n;
	size_t bytes;	 /* of all texts */
	size_t elements; /* of all lists so far */
	size_t errors;	 /* reported so far, also those only counted */
};

/* A new source of that name and text; never NULL. `text` is borrowed. */
struct source *source_add(struct sources *s, const char *name, const char *text,
			  size_t len);

/* Length of the directory of a file's name, with its slash; 0: none. */
size_t source_directory(const char *name);

/* Report a mistake at `place`; its line is shown if it can be. */
void report(struct sources *s, enum diag_level level, struct place place,
	    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* So many mistakes that more are only counted: spare no-one's time. */
bool report_is_full(const struct sources *s);

enum { SHOWN_LEN = 128 };

/* A word of the user's as it can be shown in a message: printable and not
 * too long. Returns `buf`. */
const char *shown(const char *text, char buf[SHOWN_LEN]);

#endif
