/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * startline.h - the first line of a request or a response (RFC 9112 3 and 4).
 *
 * Each function returns the first byte behind the line, or NULL: then
 * *ret_bad is the reason to refuse it, HTTP_BAD_NONE where it is only not
 * whole. Reads nothing from `end` on, and judges each byte as soon as it is
 * there.
 */
#ifndef PROXYD_HTTP_STARTLINE_H
#define PROXYD_HTTP_STARTLINE_H

#include <stdbool.h>

#include "proxyd/http/bad.h"
#include "proxyd/http/head.h"
#include "proxyd/http/wide.h"

/*
 * Of a request, after one empty line or none. Sets minor, method and the texts
 * of the request; host only of absolute-form. `connect`: CONNECT may pass. The
 * target is read by loops of `kind`.
 */
const char *startline_request(enum wide_kind kind, const char *buf,
			      const char *end, bool connect,
			      struct http_head *h, enum http_bad *ret_bad);

/* Of a response. Sets minor, status and reason. */
const char *startline_response(const char *buf, const char *end,
			       struct http_head *h, enum http_bad *ret_bad);

#endif
