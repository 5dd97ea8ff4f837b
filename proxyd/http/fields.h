/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fields.h - lines of "name: value" (RFC 9112 5).
 *
 * In heads and in trailers. Reads the grammar; what a field of a head means is
 * the business of framing.h, which is told of each in turn.
 */
#ifndef PROXYD_HTTP_FIELDS_H
#define PROXYD_HTTP_FIELDS_H

#include "proxyd/http/bad.h"
#include "proxyd/http/framing.h"
#include "proxyd/http/head.h"
#include "proxyd/http/wide.h"

/*
 * Read the line at `p`, whose texts count from `buf`. Returns the first byte
 * behind it; or NULL with the reason to refuse it, HTTP_BAD_NONE where it is
 * only not whole. An empty line is none of these: ask before.
 */
const char *fields_line(const char *buf, const char *p, const char *end,
			struct http_field *ret_field, enum http_bad *ret_bad);

/*
 * Read all lines from `p` to the empty one, by loops of `kind`, into h->fields,
 * n_fields, seen and, through `s`, what framing_field() sets. Returns the
 * first byte behind the empty line, or NULL as fields_line() does.
 */
const char *fields_read(enum wide_kind kind, const char *buf, const char *p,
			const char *end, struct framing *s, struct http_head *h,
			enum http_bad *ret_bad);

#endif
