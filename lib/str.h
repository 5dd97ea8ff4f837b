/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * str.h - a string that grows, for text that is being put together.
 *
 * Always NUL-terminated once something was added. Running out of memory ends
 * the program (see arena.h). Not for the bytes of flows; the record of each
 * is made with it, so that adding what has room costs little.
 */
#ifndef LIB_STR_H
#define LIB_STR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* Room for `more` bytes and the NUL behind what is there. */
void str_reserve(struct str *s, size_t more);

static inline void
str_add_bytes(struct str *s, const void *data, size_t len)
{
	if (s->cap - s->len <= len)
		str_reserve(s, len);
	if (len)
		memcpy(s->data + s->len, data, len);
	s->len += len;
	s->data[s->len] = '\0';
}

static inline void
str_add(struct str *s, const char *text)
{
	str_add_bytes(s, text, strlen(text));
}

static inline void
str_add_char(struct str *s, char c)
{
	str_add_bytes(s, &c, 1);
}

enum { STR_DECIMAL_LEN = sizeof("18446744073709551615") };

/* Write `n` in decimal, and a NUL; returns how many digits. */
size_t str_decimal(uint64_t n, char buf[STR_DECIMAL_LEN]);

void str_add_uint(struct str *s, uint64_t n);
void str_addf(struct str *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void str_vaddf(struct str *s, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

#endif
