/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stray.c - see stray.h. */
#include "proxyd/http/stray.h"

#include <stddef.h>

enum http_bad
stray(const char *p, const char *end, enum http_bad otherwise)
{
	if (p == end)
		return HTTP_BAD_NONE;
	switch (*p) {
	case '\0':
		return HTTP_BAD_NUL;
	case '\n':
		return HTTP_BAD_BARE_LF;
	case '\r':
		if (p + 1 == end)
			return HTTP_BAD_NONE;
		return p[1] == '\n' ? otherwise : HTTP_BAD_BARE_CR;
	default:
		return otherwise;
	}
}

const char *
stray_crlf(const char *p, const char *end, enum http_bad otherwise,
	   enum http_bad *ret_bad)
{
	if (end - p >= 2 && p[0] == '\r' && p[1] == '\n')
		return p + 2;
	*ret_bad = stray(p, end, otherwise);
	return NULL;
}
