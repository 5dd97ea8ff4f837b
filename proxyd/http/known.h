/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * known.h - the names of fields that proxyd knows.
 *
 * The rows of fields_tbl.h as answers. Does not look at values.
 */
#ifndef PROXYD_HTTP_KNOWN_H
#define PROXYD_HTTP_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/http/head.h"

enum {
	KNOWN_SLOTS = 256,
	KNOWN_MAX = 32, /* bytes of a name and the zeros behind it */
};

/*
 * Where to look for a name, by its length and two of its letters, in whatever
 * case: no two that are known share a slot, or known.c does not compile.
 */
#define KNOWN_SLOT(len, first, last_but_one)                                   \
	(((len)*7 + ((first) | 0x20) * 5 + ((last_but_one) | 0x20)) %          \
	 KNOWN_SLOTS)

extern const uint8_t known_slots[KNOWN_SLOTS]; /* enum http_field_id */
extern const char known_names[HTTP_FIELD_COUNT][KNOWN_MAX];
extern const uint8_t known_lens[HTTP_FIELD_COUNT];

/* The only field that such a name can be; `len` is 2 at least. */
static inline enum http_field_id
known_guess(const char *name, size_t len)
{
	return (enum http_field_id)
		known_slots[KNOWN_SLOT(len, (size_t)(unsigned char)name[0],
				       (size_t)(unsigned char)name[len - 2])];
}

/*
 * Which field is this, whatever its case? HTTP_FIELD_OTHER: not known. The
 * name is a token; other bytes may be taken for letters.
 */
enum http_field_id known_find(const char *name, size_t len);

/* The name in lower case; "" for HTTP_FIELD_OTHER. */
const char *known_name(enum http_field_id id);

/* For the next hop only? Such a field is not forwarded as it is. */
bool known_hop(enum http_field_id id);

/*
 * Is there a field `id`, Authorization or WWW-Authenticate, with a scheme that
 * shows who somebody is to a connection, and not to a request? `buf` is what
 * was parsed. Source: RFC 4559 (Negotiate); NTLM does likewise.
 */
bool known_binds(const struct http_head *h, const char *buf,
		 enum http_field_id id);

/* Refused in a trailer? */
bool known_head_only(enum http_field_id id);

#endif
