/* SPDX-License-Identifier: GPL-2.0-or-later */
/* known.c - the tables behind known.h. Looks up; knows no message. */
#include "proxyd/http/known.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#define HOP_HOP true
#define HOP_END false
#define WHERE_HEAD true
#define WHERE_ANY false

/* an entry that is given twice does not compile: choose other factors */
const uint8_t known_slots[KNOWN_SLOTS] = {
#define FIELD(id, name, first, last, hop, where)                               \
	[KNOWN_SLOT(sizeof(name) - 1, first, last)] = HTTP_FIELD_##id,
#include "proxyd/http/fields_tbl.h"
#undef FIELD
};

const char known_names[HTTP_FIELD_COUNT][KNOWN_MAX] = {
#define FIELD(id, name, first, last, hop, where) [HTTP_FIELD_##id] = name,
#include "proxyd/http/fields_tbl.h"
#undef FIELD
};

const uint8_t known_lens[HTTP_FIELD_COUNT] = {
#define FIELD(id, name, first, last, hop, where)                               \
	[HTTP_FIELD_##id] = sizeof(name) - 1,
#include "proxyd/http/fields_tbl.h"
#undef FIELD
};

static const struct {
	bool hop;
	bool head_only;
} kinds[HTTP_FIELD_COUNT] = {
#define FIELD(id, name, first, last, hop, where)                               \
	[HTTP_FIELD_##id] = {HOP_##hop, WHERE_##where},
#include "proxyd/http/fields_tbl.h"
#undef FIELD
};

_Static_assert(HTTP_FIELD_COUNT <= 64, "http_head.seen has 64 bits");

enum http_field_id
known_find(const char *name, size_t len)
{
	enum http_field_id id;
	size_t i;

	if (len < 2)
		return HTTP_FIELD_OTHER;
	id = known_guess(name, len);
	if (known_lens[id] != len)
		return HTTP_FIELD_OTHER;
	for (i = 0; i < len; i++)
		if ((name[i] | 0x20) != known_names[id][i])
			return HTTP_FIELD_OTHER;
	return id;
}

const char *
known_name(enum http_field_id id)
{
	assert(id < HTTP_FIELD_COUNT);
	return known_names[id];
}

bool
known_hop(enum http_field_id id)
{
	assert(id < HTTP_FIELD_COUNT);
	return kinds[id].hop;
}

bool
known_head_only(enum http_field_id id)
{
	assert(id < HTTP_FIELD_COUNT);
	return kinds[id].head_only;
}

/* Does a scheme that binds stand at the beginning of these bytes? */
static bool
is_binding(const char *value, size_t len)
{
	static const char *const schemes[] = {"negotiate", "ntlm", "kerberos"};
	size_t i, n;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		n = strlen(schemes[i]);
		if (len >= n && !strncasecmp(value, schemes[i], n) &&
		    (len == n || strchr(" \t,", value[n])))
			return true;
	}
	return false;
}

/* Each element may be another scheme; in quotes it does no harm to find one. */
static bool
has_binding(const char *value, size_t len)
{
	const char *end = value + len, *comma;

	while (value < end) {
		while (value < end && (*value == ' ' || *value == '\t'))
			value++;
		if (is_binding(value, (size_t)(end - value)))
			return true;
		comma = memchr(value, ',', (size_t)(end - value));
		value = comma ? comma + 1 : end;
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
		if (f->id == id && has_binding(buf + f->value.at, f->value.len))
			return true;
	return false;
}
