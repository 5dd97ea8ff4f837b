/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fields.c - see fields.h. */
#include "proxyd/http/fields.h"

#include "proxyd/http/known.h"
#include "proxyd/http/scan.h"
#include "proxyd/http/stray.h"

static inline bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What stands behind a name must be its colon. */
static const char *
no_colon(const char *name, const char *p, const char *end,
	 enum http_bad *ret_bad)
{
	enum http_bad bad = HTTP_BAD_FIELD_NAME;

	if (p < end && blank(*p))
		bad = p == name ? HTTP_BAD_OBS_FOLD
				: HTTP_BAD_SPACE_BEFORE_COLON;
	*ret_bad = stray(p, end, bad);
	return NULL;
}

const char *
fields_line(const char *buf, const char *p, const char *end,
	    struct http_field *ret_field, enum http_bad *ret_bad)
{
	const char *name = p, *value, *next;

	p = scan_over(SCAN_TOKEN, name, end);
	if (p == name || p == end || *p != ':')
		return no_colon(name, p, end, ret_bad);
	ret_field->name.at = (uint32_t)(name - buf);
	ret_field->name.len = (uint32_t)(p - name);
	ret_field->id = (uint8_t)known_find(name, ret_field->name.len);
	for (value = p + 1; value < end && blank(*value); value++)
		;
	p = scan_over(SCAN_VALUE, value, end);
	next = stray_crlf(p, end, HTTP_BAD_FIELD_VALUE, ret_bad);
	if (!next)
		return NULL;
	while (p > value && blank(p[-1]))
		p--;
	ret_field->value.at = (uint32_t)(value - buf);
	ret_field->value.len = (uint32_t)(p - value);
	return next;
}
