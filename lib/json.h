/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json.h - a small streaming writer of JSON (RFC 8259).
 *
 * The caller opens and closes; the writer puts commas and escapes. Bytes
 * that are not UTF-8 are written as U+FFFD. In an object every value has a
 * key; in an array and at the top the key is NULL. Unbalanced use asserts.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/str.h"

enum { JSON_DEPTH_MAX = 16 };

struct json {
	struct str *out; /* borrows from the caller */
	unsigned int depth;
	bool indent; /* one value a line, two spaces a level */
	bool filled[JSON_DEPTH_MAX];
	char closer[JSON_DEPTH_MAX];
};

void json_init(struct json *j, struct str *out, bool indent);
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end(struct json *j);
void json_string(struct json *j, const char *key, const char *value);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif
