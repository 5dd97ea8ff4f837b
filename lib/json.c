/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/json.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>

void
json_init(struct json *j, struct str *out, bool indent)
{
	*j = (struct json){.out = out, .indent = indent};
}

static void
new_line(struct json *j)
{
	unsigned int i;

	if (!j->indent)
		return;
	str_add_char(j->out, '\n');
	for (i = 0; i < j->depth; i++)
		str_add(j->out, "  ");
}

/*
 * The length of the UTF-8 sequence at `s`, 0 if it is none: no overlong
 * forms, surrogates or code points above U+10FFFF (RFC 3629 section 4).
 */
static size_t
utf8_len(const unsigned char *s)
{
	size_t i, n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void
write_string(struct json *j, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	size_t n;

	str_add_char(j->out, '"');
	for (; *s; s += n) {
		n = utf8_len(s);
		if (!n) {
			n = 1;
			str_add(j->out, "\xef\xbf\xbd");
		} else if (*s == '"' || *s == '\\') {
			str_addf(j->out, "\\%c", *s);
		} else if (*s == '\n') {
			str_add(j->out, "\\n");
		} else if (*s < 0x20 || *s == 0x7f) {
			str_addf(j->out, "\\u%04x", *s);
		} else {
			str_add_bytes(j->out, s, n);
		}
	}
	str_add_char(j->out, '"');
}

/* What stands before every value: comma, line, key. */
static void
begin_value(struct json *j, const char *key)
{
	assert(!j->depth || (j->closer[j->depth - 1] == '}') == !!key);
	if (j->depth) {
		if (j->filled[j->depth - 1])
			str_add_char(j->out, ',');
		j->filled[j->depth - 1] = true;
		new_line(j);
	}
	if (key) {
		write_string(j, key);
		str_add(j->out, j->indent ? ": " : ":");
	}
}

static void
open_group(struct json *j, const char *key, char opener, char closer)
{
	assert(j->depth < JSON_DEPTH_MAX);
	begin_value(j, key);
	str_add_char(j->out, opener);
	j->closer[j->depth] = closer;
	j->filled[j->depth++] = false;
}

void
json_object(struct json *j, const char *key)
{
	open_group(j, key, '{', '}');
}

void
json_array(struct json *j, const char *key)
{
	open_group(j, key, '[', ']');
}

void
json_end(struct json *j)
{
	assert(j->depth);
	j->depth--;
	if (j->filled[j->depth])
		new_line(j);
	str_add_char(j->out, j->closer[j->depth]);
	if (!j->depth)
		str_add_char(j->out, '\n');
}

void
json_string(struct json *j, const char *key, const char *value)
{
	begin_value(j, key);
	write_string(j, value);
}

void
json_uint(struct json *j, const char *key, uint64_t value)
{
	begin_value(j, key);
	str_add_uint(j->out, value);
}

void
json_int(struct json *j, const char *key, int64_t value)
{
	begin_value(j, key);
	str_addf(j->out, "%" PRId64, value);
}

void
json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	str_add(j->out, value ? "true" : "false");
}

void
json_null(struct json *j, const char *key)
{
	begin_value(j, key);
	str_add(j->out, "null");
}
