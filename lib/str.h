/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * str.h - a string that grows, for text that is being put together.
 *
 * Always NUL-terminated once something was added. Running out of memory ends
 * the program (see arena.h). Not for the data path.
 */
#ifndef LIB_STR_H
#define LIB_STR_H

#include <stdarg.h>
#include <stddef.h>

struct str {
	char *data; /* owns; NULL while empty */
	size_t len;
	size_t cap;
};

/* A zeroed struct str is an empty string. Frees and empties it. */
void str_fini(struct str *s);

/* Empty it but keep its memory. */
void str_clear(struct str *s);

/* The text, "" when empty. Valid until the next change. */
const char *str_text(const struct str *s);

void str_add(struct str *s, const char *text);
void str_add_bytes(struct str *s, const void *data, size_t len);
void str_add_char(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void str_vaddf(struct str *s, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

#endif
