/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * body.h - the content of a message, on its way from one side to the other.
 *
 * Knows where it ends, and which of the bytes go on. What frames it goes on
 * with it, but for chunk extensions, and for all of it where the receiver
 * cannot know it (HTTP/1.0). Pure: values in, values out.
 * Source: RFC 9112, section 6.
 */
#ifndef PROXYD_HTTP_BODY_H
#define PROXYD_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/http/bad.h"
#include "proxyd/http/chunks.h"
#include "proxyd/http/head.h"

enum { BODY_TRAILER_MAX = 8192 };

struct body {
	enum http_framing framing;
	bool strip;	  /* of chunks, only the content goes on */
	bool done;	  /* all of it has passed */
	uint64_t left;	  /* HTTP_LENGTH: still to come */
	uint64_t content; /* bytes of content that have passed */
	struct chunks chunks;
};

/* What comes behind this head. */
void body_init(struct body *b, const struct http_head *head, bool strip);

/*
 * These bytes have come. Returns how many of them go on, having moved them
 * to the front of `buf`; *ret_used is how many are done with, the rest must
 * be shown again with more behind it. *ret_bad is why it cannot go on, or
 * HTTP_BAD_NONE.
 */
size_t body_take(struct body *b, char *buf, size_t len, size_t *ret_used,
		 enum http_bad *ret_bad);

/*
 * How many of the bytes that come next are content and go on as they are, so
 * that nobody has to look at them: UINT64_MAX until the side ends. When such
 * have passed, body_passed() says how many.
 */
uint64_t body_plain(const struct body *b);
void body_passed(struct body *b, uint64_t n);

/* The side has ended. Is that the end of the body, and not too soon? */
bool body_ended(struct body *b);

#endif
