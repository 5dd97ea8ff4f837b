/* SPDX-License-Identifier: GPL-2.0-or-later */
/* body.c - counts what body.h lets pass. */
#include "proxyd/http/body.h"

#include <assert.h>
#include <string.h>

void
body_init(struct body *b, const struct http_head *head, bool strip)
{
	*b = (struct body){
		.framing = head->framing,
		.strip = strip,
		.left = head->framing == HTTP_LENGTH ? head->length : 0,
	};
	if (b->framing == HTTP_CHUNKED)
		chunks_init(&b->chunks, BODY_TRAILER_MAX);
	if (b->framing == HTTP_NO_BODY ||
	    (b->framing == HTTP_LENGTH && !b->left))
		b->done = true;
}

/* Bytes that go on are moved together, most often by nothing. */
static size_t
put(char *buf, size_t out, size_t at, size_t len)
{
	if (out != at)
		memmove(buf + out, buf + at, len);
	return out + len;
}

static size_t
take_chunks(struct body *b, char *buf, size_t len, size_t *ret_used,
	    enum http_bad *ret_bad)
{
	struct chunks_piece piece;
	size_t at = 0, out = 0;

	while (at < len && !b->done) {
		piece = chunks_next(&b->chunks, buf + at, len - at);
		if (piece.kind == CHUNKS_MORE)
			break;
		if (piece.kind == CHUNKS_BAD) {
			*ret_bad = piece.bad;
			break;
		}
		if (piece.kind == CHUNKS_DATA)
			b->content += piece.len;
		if (piece.kind == CHUNKS_DATA ||
		    (piece.kind != CHUNKS_SKIP && !b->strip))
			out = put(buf, out, at, piece.len);
		b->done = piece.kind == CHUNKS_END;
		at += piece.len;
	}
	*ret_used = at;
	return out;
}

size_t
body_take(struct body *b, char *buf, size_t len, size_t *ret_used,
	  enum http_bad *ret_bad)
{
	uint64_t plain;

	*ret_bad = HTTP_BAD_NONE;
	*ret_used = 0;
	if (b->done)
		return 0;
	if (b->framing == HTTP_CHUNKED)
		return take_chunks(b, buf, len, ret_used, ret_bad);
	plain = body_plain(b);
	if (len > plain)
		len = (size_t)plain;
	body_passed(b, len);
	*ret_used = len;
	return len;
}

uint64_t
body_plain(const struct body *b)
{
	if (b->done)
		return 0;
	switch (b->framing) {
	case HTTP_NO_BODY:
		return 0;
	case HTTP_LENGTH:
		return b->left;
	case HTTP_CHUNKED:
		return b->chunks.left;
	case HTTP_UNTIL_CLOSE:
		return UINT64_MAX;
	}
	return 0;
}

void
body_passed(struct body *b, uint64_t n)
{
	assert(n <= body_plain(b));
	b->content += n;
	if (b->framing == HTTP_CHUNKED)
		chunks_passed(&b->chunks, n);
	if (b->framing != HTTP_LENGTH)
		return;
	b->left -= n;
	b->done = !b->left;
}

bool
body_ended(struct body *b)
{
	if (b->framing == HTTP_UNTIL_CLOSE)
		b->done = true;
	return b->done;
}
