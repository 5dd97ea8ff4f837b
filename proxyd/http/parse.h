/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parse.h - bytes to the head of a request or a response, RFC 9110 and 9112.
 *
 * Strict: what two readers could understand in two ways is refused, whatever
 * the RFCs let a recipient repair. The rows of bad_tbl.h say what, proxyd(8)
 * what is passed on. Pure functions that keep no state: after HTTP_MORE they
 * are called again with the same bytes and more behind them. What they answer
 * does not depend on where the bytes were cut: a beginning of a head yields
 * HTTP_MORE or what the whole yields. Nothing behind buf[len - 1] is read.
 */
#ifndef PROXYD_HTTP_PARSE_H
#define PROXYD_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "proxyd/http/bad.h"
#include "proxyd/http/head.h"
#include "proxyd/http/wide.h"

enum http_verdict {
	HTTP_MORE,    /* good so far, and not the whole */
	HTTP_HEAD,    /* it is whole, and *ret is it */
	HTTP_REFUSED, /* whatever follows; *ret_bad says why */
};

/*
 * The head of a request begins at `buf`; at most `most` bytes of it, an empty
 * line before it included. *ret is good after HTTP_HEAD only, of its fields
 * the first n_fields; *ret_bad is set by HTTP_REFUSED only.
 */
enum http_verdict http_parse_request(const char *buf, size_t len, size_t most,
				     struct http_head *ret,
				     enum http_bad *ret_bad);

/*
 * The same for a response; `to_head` to a HEAD request. 1xx, 204 and 304 have
 * no body, either. Never one to CONNECT: those are refused. A status line may
 * lack the reason and the space before it.
 */
enum http_verdict http_parse_response(const char *buf, size_t len, size_t most,
				      bool to_head, struct http_head *ret,
				      enum http_bad *ret_bad);

/* Both, by loops of `kind` instead of the best: for tests. */
enum http_verdict parse_request_by(enum wide_kind kind, const char *buf,
				   size_t len, size_t most,
				   struct http_head *ret,
				   enum http_bad *ret_bad);
enum http_verdict parse_response_by(enum wide_kind kind, const char *buf,
				    size_t len, size_t most, bool to_head,
				    struct http_head *ret,
				    enum http_bad *ret_bad);

/*
 * Can these first bytes of a connection become a line that
 * http_parse_request() takes, or one of CONNECT? HTTP_MORE while that is
 * open, HTTP_HEAD once the line is whole, HTTP_REFUSED as soon as no
 * continuation could make it one within `most` bytes.
 */
enum http_verdict http_sniff(const char *buf, size_t len, size_t most);

#endif
