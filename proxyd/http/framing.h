/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framing.h - what fields say about the message and its connection.
 *
 * Where the body ends (RFC 9112 6.3), whether the connection is kept (9.3),
 * whom a request is for (3.2). Takes fields one by one in their order, so that
 * a contradiction is found at the field that makes it one.
 */
#ifndef PROXYD_HTTP_FRAMING_H
#define PROXYD_HTTP_FRAMING_H

#include <stdbool.h>

#include "proxyd/http/bad.h"
#include "proxyd/http/head.h"

/* What was seen of a head so far, besides http_head.seen. All zero: nothing. */
struct framing {
	bool close;	/* Connection: close */
	bool keep;	/* Connection: keep-alive */
	bool upgrade;	/* Connection: upgrade */
	bool names;	/* Connection names fields */
	bool protocol;	/* Upgrade names one, other than h2c */
	bool authority; /* the target had one, which is h->host */
};

/* Bit 1 << id of each field that means something to framing_field() */
#define FRAMING_FIELDS                                                         \
	(1ULL << HTTP_FIELD_HOST | 1ULL << HTTP_FIELD_CONTENT_LENGTH |         \
	 1ULL << HTTP_FIELD_TRANSFER_ENCODING |                                \
	 1ULL << HTTP_FIELD_CONNECTION | 1ULL << HTTP_FIELD_UPGRADE |          \
	 1ULL << HTTP_FIELD_TE | 1ULL << HTTP_FIELD_EXPECT)

/* The next field of a request or a response, not yet in h->seen. */
enum http_bad framing_field(struct framing *s, const char *buf,
			    const struct http_field *f, struct http_head *h);

/* All fields of a request were seen: sets what follows from them. */
enum http_bad framing_request(const struct framing *s, struct http_head *h);

/* The same of a response; `to_head`: to a request of HEAD. */
enum http_bad framing_response(const struct framing *s, bool to_head,
			       struct http_head *h);

#endif
