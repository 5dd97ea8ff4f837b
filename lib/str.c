/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/str.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

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

void
str_reserve(struct str *s, size_t more)
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

size_t
str_decimal(uint64_t n, char buf[STR_DECIMAL_LEN])
{
	char digits[STR_DECIMAL_LEN];
	size_t i = sizeof(digits), len;

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	len = sizeof(digits) - i;
	memcpy(buf, digits + i, len);
	buf[len] = '\0';
	return len;
}

void
str_add_uint(struct str *s, uint64_t n)
{
	char digits[STR_DECIMAL_LEN] = "";

	str_add_bytes(s, digits, str_decimal(n, digits));
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
	str_reserve(s, (size_t)len);
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
