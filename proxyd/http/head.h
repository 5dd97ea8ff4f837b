/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * head.h - the head of a request or a response, once it is understood.
 *
 * A value: places in the bytes that were parsed, and what follows from them.
 * It owns nothing, and is as good as those bytes.
 */
#ifndef PROXYD_HTTP_HEAD_H
#define PROXYD_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

enum {
	HTTP_FIELDS_MAX = 128,
	HTTP_METHOD_MAX = 32, /* bytes */
};

enum http_field_id {
	HTTP_FIELD_OTHER, /* one that proxyd does not know */
#define FIELD(id, name, first, last, hop, where) HTTP_FIELD_##id,
#include "proxyd/http/fields_tbl.h"
#undef FIELD
	HTTP_FIELD_COUNT, /* at most 64: see http_head.seen */
};

enum http_method {
	HTTP_METHOD_OTHER, /* any other token: "get" is one */
	HTTP_METHOD_GET,
	HTTP_METHOD_HEAD,
	HTTP_METHOD_POST,
	HTTP_METHOD_PUT,
	HTTP_METHOD_DELETE,
	HTTP_METHOD_OPTIONS,
	HTTP_METHOD_TRACE,
	HTTP_METHOD_PATCH,
	HTTP_METHOD_CONNECT, /* only http_sniff() lets it pass */
};

/* How the end of the body is found. */
enum http_framing {
	HTTP_NO_BODY, /* also with Content-Length: 0 */
	HTTP_LENGTH,
	HTTP_CHUNKED,
	HTTP_UNTIL_CLOSE,
};

/* Bytes of the head: how many after the first that was parsed, how many. */
struct http_text {
	uint32_t at;
	uint32_t len;
};

struct http_field {
	struct http_text name;
	struct http_text value; /* without blanks around it */
	uint8_t id;		/* enum http_field_id */
};

struct http_head {
	uint32_t size;	 /* bytes, with the empty line at its end, and with one
			    that stood before a request */
	uint8_t minor;	 /* of HTTP/1.minor: 0 or 1 */
	uint8_t method;	 /* enum http_method, of a request */
	uint16_t status; /* of a response, 100 to 999 */
	struct http_text method_text, target; /* of a request */
	struct http_text reason;	      /* of a response */
	/*
	 * Of a request: the target without scheme and authority, query
	 * included. Where it does not begin with '/' (absolute-form without a
	 * path: "" or "?query") a '/' is to be put before it; but "" of OPTIONS
	 * means "*" (RFC 9112 3.2.4). "*" of OPTIONS * is "*".
	 */
	struct http_text path;
	/*
	 * Of a request: the authority in effect, of absolute-form, else of
	 * Host. Length 0: none (HTTP/1.0), or an empty Host.
	 */
	struct http_text host;
	enum http_framing framing;
	uint64_t length; /* what Content-Length says, or 0 */
	bool keep; /* who sent this keeps the connection after the message */
	bool expect_continue; /* waits for 100 (Continue) */
	bool upgrade;  /* asks for a protocol other than h2c, or (of 101) has
			  changed to it */
	bool trailers; /* TE: trailers */
	bool names;    /* Connection names fields that go no further */
	uint64_t seen; /* bit 1 << id for every known field that is there */
	uint16_t n_fields;
	struct http_field fields[HTTP_FIELDS_MAX]; /* n_fields of them */
};

/* Is there a field `id`? */
static inline bool
http_has(const struct http_head *h, enum http_field_id id)
{
	return h->seen >> id & 1;
}

#endif
