/* SPDX-License-Identifier: GPL-2.0-or-later */
/* known.c - the table behind known.h. Looks up; knows no message. */
#include "proxyd/http/known.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

enum hop { HOP_END, HOP_HOP };
enum where { WHERE_ANY, WHERE_HEAD };

static const struct {
	const char *name;
	unsigned char len;
	unsigned char hop;
	unsigned char where;
} rows[HTTP_FIELD_COUNT] = {
	[HTTP_FIELD_OTHER] = {"", 0, HOP_END, WHERE_ANY},
#define FIELD(id, name, hop, where)                                            \
	[HTTP_FIELD_##id] = {name, sizeof(name) - 1, HOP_##hop, WHERE_##where},
#include "proxyd/http/fields_tbl.h"
#undef FIELD
};

_Static_assert(HTTP_FIELD_COUNT <= 64, "http_head.seen has 64 bits");

enum http_field_id
known_find(const char *name, size_t len)
{
	int i;

	for (i = HTTP_FIELD_OTHER + 1; i < HTTP_FIELD_COUNT; i++)
		if (rows[i].len == len &&
		    strncasecmp(rows[i].name, name, len) == 0)
			return (enum http_field_id)i;
	return HTTP_FIELD_OTHER;
}

const char *
known_name(enum http_field_id id)
{
	assert(id < HTTP_FIELD_COUNT);
	return rows[id].name;
}

bool
known_hop(enum http_field_id id)
{
	assert(id < HTTP_FIELD_COUNT);
	return rows[id].hop == HOP_HOP;
}

bool
known_head_only(enum http_field_id id)
{
	assert(id < HTTP_FIELD_COUNT);
	return rows[id].where == WHERE_HEAD;
}

static bool
is_binding(const char *value, size_t len)
{
	static const char *const schemes[] = {"negotiate", "ntlm", "kerberos"};
	size_t i, n;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		n = strlen(schemes[i]);
		if (len >= n && !strncasecmp(value, schemes[i], n) &&
		    (len == n || value[n] == ' ' || value[n] == ','))
			return true;
	}
	return false;
}

bool
known_binds(const struct http_head *h, const char *buf, enum http_field_id id)
{
	const struct http_field *f;

	if (!http_has(h, id))
		return false;
	for (f = h->fields; f < h->fields + h->n_fields; f++)
		if (f->id == id && is_binding(buf + f->value.at, f->value.len))
			return true;
	return false;
}
