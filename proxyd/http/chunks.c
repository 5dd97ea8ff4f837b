/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chunks.c - see chunks.h. */
#include "proxyd/http/chunks.h"

#include <assert.h>

#include "proxyd/http/fields.h"
#include "proxyd/http/known.h"
#include "proxyd/http/scan.h"
#include "proxyd/http/stray.h"

enum { SIZE_DIGITS = 16 };

static struct chunks_piece
piece(enum chunks_kind kind, size_t len)
{
	return (struct chunks_piece){kind, HTTP_BAD_NONE, len};
}

/* Refused; or, with HTTP_BAD_NONE, not whole. */
static struct chunks_piece
stopped(enum http_bad bad)
{
	if (bad == HTTP_BAD_NONE)
		return piece(CHUNKS_MORE, 0);
	return (struct chunks_piece){CHUNKS_BAD, bad, 0};
}

void
chunks_init(struct chunks *c, size_t most)
{
	c->left = 0;
	c->most = most;
	c->state = CHUNKS_AT_SIZE;
}

static const char *
over_token(const char *p, const char *end, enum http_bad *ret_bad)
{
	const char *q = scan_over(SCAN_TOKEN, p, end);

	if (q > p)
		return q;
	*ret_bad = stray(p, end, HTTP_BAD_CHUNK_EXTENSION);
	return NULL;
}

/* From its first quote to behind its last (RFC 9110 5.6.4). */
static const char *
over_quoted(const char *p, const char *end, enum http_bad *ret_bad)
{
	for (p++; p < end && scan_is(SCAN_VALUE, *p); p++) {
		if (*p == '"')
			return p + 1;
		if (*p != '\\')
			continue;
		p++;
		if (p == end || !scan_is(SCAN_VALUE, *p))
			break;
	}
	*ret_bad = stray(p, end, HTTP_BAD_CHUNK_EXTENSION);
	return NULL;
}

/*
 * `;name`, `;name=token` or `;name="text"`; without the blanks that RFC 9112
 * lets a recipient take out, because others do not.
 */
static const char *
over_extension(const char *p, const char *end, enum http_bad *ret_bad)
{
	if (*p != ';') {
		*ret_bad = stray(p, end, HTTP_BAD_CHUNK_EXTENSION);
		return NULL;
	}
	p = over_token(p + 1, end, ret_bad);
	if (!p || p == end || *p != '=')
		return p;
	if (++p < end && *p == '"')
		return over_quoted(p, end, ret_bad);
	return over_token(p, end, ret_bad);
}

/*
 * What stands between the digits of a size and CRLF. Returns where that CRLF
 * is, or NULL.
 */
static const char *
over_extensions(const char *p, const char *end, enum http_bad *ret_bad)
{
	while (p && p < end && *p != '\r')
		p = over_extension(p, end, ret_bad);
	if (p && !stray_crlf(p, end, HTTP_BAD_NONE, ret_bad))
		return NULL;
	return p;
}

/* The digits at `p`. Returns what is behind them, or NULL. */
static const char *
over_size(const char *p, const char *end, uint64_t *ret_size,
	  enum http_bad *ret_bad)
{
	const char *from = p;
	uint64_t n = 0;

	for (; p < end && scan_is(SCAN_HEX, *p); p++) {
		if (p - from == SIZE_DIGITS || n > INT64_MAX >> 4) {
			*ret_bad = HTTP_BAD_CHUNK_SIZE;
			return NULL;
		}
		n = n << 4 | scan_hex(*p);
	}
	if (p == end || p == from ||
	    (*p != '\r' && *p != ';' && *p != ' ' && *p != '\t')) {
		*ret_bad = stray(p, end, HTTP_BAD_CHUNK_SIZE);
		return NULL;
	}
	*ret_size = n;
	return p;
}

static struct chunks_piece
at_size(struct chunks *c, const char *buf, size_t len)
{
	bool full = len >= CHUNKS_LINE_MAX;
	const char *end = buf + (full ? CHUNKS_LINE_MAX : len), *p, *cr;
	enum http_bad bad = HTTP_BAD_NONE;
	uint64_t size;

	p = over_size(buf, end, &size, &bad);
	cr = p ? over_extensions(p, end, &bad) : NULL;
	if (!cr)
		return stopped(bad == HTTP_BAD_NONE && full
				       ? HTTP_BAD_CHUNK_EXTENSION
				       : bad);
	c->left = size;
	if (cr > p) {
		c->state = CHUNKS_AT_EXTENSION;
		return piece(CHUNKS_FRAME, (size_t)(p - buf));
	}
	c->state = size > 0 ? CHUNKS_AT_DATA : CHUNKS_AT_TRAILER;
	return piece(CHUNKS_FRAME, (size_t)(cr + 2 - buf));
}

static struct chunks_piece
at_extension(struct chunks *c, const char *buf, size_t len)
{
	enum http_bad bad = HTTP_BAD_NONE;
	const char *cr = over_extensions(buf, buf + len, &bad);

	if (!cr)
		return stopped(bad);
	c->state = CHUNKS_AT_SIZE_END;
	return piece(CHUNKS_SKIP, (size_t)(cr - buf));
}

/* CRLF, and then `state` */
static struct chunks_piece
at_crlf(struct chunks *c, const char *buf, size_t len, enum chunks_state state)
{
	enum http_bad bad = HTTP_BAD_NONE;

	if (!stray_crlf(buf, buf + len, HTTP_BAD_CHUNK_END, &bad))
		return stopped(bad);
	c->state = state;
	return piece(CHUNKS_FRAME, 2);
}

static struct chunks_piece
at_trailer(struct chunks *c, const char *buf, size_t len)
{
	bool full = len >= c->most;
	const char *end = buf + (full ? c->most : len), *p = NULL;
	enum http_bad bad = HTTP_BAD_NONE;
	struct http_field f;

	if (buf < end && *buf == '\r') {
		p = stray_crlf(buf, end, HTTP_BAD_NONE, &bad);
		if (p) {
			c->state = CHUNKS_AT_END;
			return piece(CHUNKS_END, 2);
		}
	} else {
		p = fields_line(buf, buf, end, &f, &bad);
	}
	if (!p)
		return stopped(bad == HTTP_BAD_NONE && full ? HTTP_BAD_TRAILER
							    : bad);
	if (known_head_only((enum http_field_id)f.id))
		return stopped(HTTP_BAD_TRAILER);
	c->most -= (size_t)(p - buf);
	return piece(CHUNKS_FRAME, (size_t)(p - buf));
}

void
chunks_passed(struct chunks *c, uint64_t n)
{
	assert(c->state == CHUNKS_AT_DATA && n <= c->left);
	c->left -= n;
	if (c->left == 0)
		c->state = CHUNKS_AT_DATA_END;
}

struct chunks_piece
chunks_next(struct chunks *c, const char *buf, size_t len)
{
	size_t n;

	if (len == 0)
		return piece(CHUNKS_MORE, 0);
	switch (c->state) {
	case CHUNKS_AT_SIZE:
		return at_size(c, buf, len);
	case CHUNKS_AT_EXTENSION:
		return at_extension(c, buf, len);
	case CHUNKS_AT_SIZE_END:
		return at_crlf(c, buf, len,
			       c->left > 0 ? CHUNKS_AT_DATA
					   : CHUNKS_AT_TRAILER);
	case CHUNKS_AT_DATA:
		n = len < c->left ? len : (size_t)c->left;
		chunks_passed(c, n);
		return piece(CHUNKS_DATA, n);
	case CHUNKS_AT_DATA_END:
		return at_crlf(c, buf, len, CHUNKS_AT_SIZE);
	case CHUNKS_AT_TRAILER:
		return at_trailer(c, buf, len);
	case CHUNKS_AT_END:
		break;
	}
	assert(!"a body has no piece behind its end");
	return stopped(HTTP_BAD_CHUNK_END);
}
