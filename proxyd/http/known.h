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

#include "proxyd/http/head.h"

/* Which field is this, whatever its case? HTTP_FIELD_OTHER: not known. */
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
