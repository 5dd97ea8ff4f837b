/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/str.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STR_FIRST_CAP = 64 };

void
str_fini(struct str *s)
{
	free(s->data);
	*s = (struct str){0};
}

void
str_clear(struct str *s)
{
	s->len = 0;
	if (s->data)
		s->data[0] = '\0';
}

const char *
str_text(const struct str *s)
{
	return s->data ? s->data : "";
}

/* Room for `more` bytes and the NUL behind what is there. */
static void
reserve(struct str *s, size_t more)
{
	size_t cap = s->cap ? s->cap : STR_FIRST_CAP;

	assert(more < SIZE_MAX / 4 && s->len < SIZE_MAX / 4);
	while (cap < s->len + more + 1)
		cap *= 2;
	if (cap == s->cap)
		return;
	s->data = realloc(s->data, cap);
	if (!s->data) {
		fputs("out of memory\n", stderr);
		abort();
	}
	s->cap = cap;
}

void
str_add_bytes(struct str *s, const void *data, size_t len)
{
	reserve(s, len);
	if (len)
		memcpy(s->data + s->len, data, len);
	s->len += len;
	s->data[s->len] = '\0';
}

void
str_add(struct str *s, const char *text)
{
	str_add_bytes(s, text, strlen(text));
}

void
str_add_char(struct str *s, char c)
{
	str_add_bytes(s, &c, 1);
}

void
str_vaddf(struct str *s, const char *fmt, va_list ap)
{
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	assert(len >= 0);
	reserve(s, (size_t)len);
	vsnprintf(s->data + s->len, (size_t)len + 1, fmt, ap);
	s->len += (size_t)len;
}

void
str_addf(struct str *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(s, fmt, ap);
	va_end(ap);
}
