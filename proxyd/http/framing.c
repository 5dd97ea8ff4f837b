/* SPDX-License-Identifier: GPL-2.0-or-later */
/* framing.c - see framing.h. */
#include "proxyd/http/framing.h"

#include <string.h>

#include "proxyd/http/authority.h"
#include "proxyd/http/scan.h"

enum { WORD = sizeof(uint64_t) };

/* Letters of eight bytes in lower case. */
static inline uint64_t
lower(const char *text)
{
	uint64_t word;

	memcpy(&word, text, WORD);
	return word | 0x2020202020202020;
}

/*
 * Is it this word of letters, digits and '-', whatever its case? A value does
 * not hold the control characters that lower() takes for digits and '-'.
 */
static inline bool
same(const char *text, size_t len, const char *word)
{
	size_t i;

	if (strlen(word) != len)
		return false;
	if (len >= WORD)
		return lower(text) == lower(word) &&
		       lower(text + len - WORD) == lower(word + len - WORD);
	for (i = 0; i < len; i++)
		if ((text[i] | 0x20) != word[i])
			return false;
	return true;
}

/* What is left of a list of elements with commas between them. */
struct list {
	const char *p;
	const char *end;
};

/* The next element, without blanks around it; it may be empty. */
static bool
next_element(struct list *l, const char **ret_text, size_t *ret_len)
{
	const char *from = l->p, *to;

	if (from > l->end)
		return false;
	to = memchr(from, ',', (size_t)(l->end - from));
	if (!to)
		to = l->end;
	l->p = to + 1;
	while (from < to && (*from == ' ' || *from == '\t'))
		from++;
	while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
		to--;
	*ret_text = from;
	*ret_len = (size_t)(to - from);
	return true;
}

static void
see_connection(struct framing *s, struct list l)
{
	const char *text = l.p;
	size_t len = (size_t)(l.end - l.p);

	/* alone: most are */
	if (same(text, len, "keep-alive")) {
		s->keep = true;
		return;
	}
	while (next_element(&l, &text, &len)) {
		if (same(text, len, "close"))
			s->close = true;
		else if (same(text, len, "keep-alive"))
			s->keep = true;
		else if (same(text, len, "upgrade"))
			s->upgrade = true;
		else if (len && !same(text, len, "te"))
			s->names = true;
	}
}

static void
see_upgrade(struct framing *s, struct list l)
{
	const char *text;
	size_t len;

	while (next_element(&l, &text, &len))
		s->protocol |= len > 0 && !same(text, len, "h2c");
}

static void
see_te(struct http_head *h, struct list l)
{
	const char *text;
	size_t len;

	while (next_element(&l, &text, &len))
		h->trailers |= same(text, len, "trailers");
}

static enum http_bad
see_length(const char *text, size_t len, struct http_head *h)
{
	uint64_t n = 0;
	size_t i;

	if (http_has(h, HTTP_FIELD_CONTENT_LENGTH))
		return HTTP_BAD_CONTENT_LENGTH;
	if (http_has(h, HTTP_FIELD_TRANSFER_ENCODING))
		return HTTP_BAD_LENGTH_AND_ENCODING;
	/* 19 digits are always less than 2^64 */
	if (len == 0 || len > 19)
		return HTTP_BAD_CONTENT_LENGTH;
	for (i = 0; i < len; i++) {
		if (!scan_is(SCAN_DIGIT, text[i]))
			return HTTP_BAD_CONTENT_LENGTH;
		n = n * 10 + (uint64_t)(text[i] - '0');
	}
	if (n > INT64_MAX)
		return HTTP_BAD_CONTENT_LENGTH;
	h->length = n;
	return HTTP_BAD_NONE;
}

static enum http_bad
see_encoding(const char *text, size_t len, const struct http_head *h)
{
	if (http_has(h, HTTP_FIELD_CONTENT_LENGTH))
		return HTTP_BAD_LENGTH_AND_ENCODING;
	if (http_has(h, HTTP_FIELD_TRANSFER_ENCODING) || h->minor == 0 ||
	    !same(text, len, "chunked"))
		return HTTP_BAD_ENCODING;
	return HTTP_BAD_NONE;
}

static enum http_bad
see_host(const struct framing *s, const char *buf, const struct http_text *v,
	 struct http_head *h)
{
	if (http_has(h, HTTP_FIELD_HOST))
		return HTTP_BAD_HOST_REPEATED;
	if (v->len > 0 && !authority_good(buf + v->at, v->len))
		return HTTP_BAD_AUTHORITY;
	if (s->authority &&
	    !authority_same(buf + v->at, v->len, buf + h->host.at, h->host.len))
		return HTTP_BAD_AUTHORITY;
	if (!s->authority)
		h->host = *v;
	return HTTP_BAD_NONE;
}

enum http_bad
framing_field(struct framing *s, const char *buf, const struct http_field *f,
	      struct http_head *h)
{
	const char *text = buf + f->value.at;
	struct list list = {text, text + f->value.len};

	switch (f->id) {
	case HTTP_FIELD_HOST:
		return see_host(s, buf, &f->value, h);
	case HTTP_FIELD_CONTENT_LENGTH:
		return see_length(text, f->value.len, h);
	case HTTP_FIELD_TRANSFER_ENCODING:
		return see_encoding(text, f->value.len, h);
	case HTTP_FIELD_CONNECTION:
		see_connection(s, list);
		break;
	case HTTP_FIELD_UPGRADE:
		see_upgrade(s, list);
		break;
	case HTTP_FIELD_TE:
		see_te(h, list);
		break;
	case HTTP_FIELD_EXPECT:
		h->expect_continue |= same(text, f->value.len, "100-continue");
		break;
	default:
		break;
	}
	return HTTP_BAD_NONE;
}

static void
set_connection(const struct framing *s, struct http_head *h)
{
	h->keep = !s->close && (h->minor > 0 || s->keep);
	h->names = s->names;
	h->upgrade = h->minor > 0 && s->upgrade && s->protocol;
	h->expect_continue = h->expect_continue && h->minor > 0;
}

static void
set_body(struct http_head *h)
{
	if (http_has(h, HTTP_FIELD_TRANSFER_ENCODING))
		h->framing = HTTP_CHUNKED;
	else
		h->framing = h->length > 0 ? HTTP_LENGTH : HTTP_NO_BODY;
}

enum http_bad
framing_request(const struct framing *s, struct http_head *h)
{
	if (h->minor > 0 && !http_has(h, HTTP_FIELD_HOST))
		return HTTP_BAD_HOST_MISSING;
	set_connection(s, h);
	set_body(h);
	return HTTP_BAD_NONE;
}

enum http_bad
framing_response(const struct framing *s, bool to_head, struct http_head *h)
{
	bool never = h->status < 200 || h->status == 204;

	if (never && h->length > 0)
		return HTTP_BAD_CONTENT_LENGTH;
	if (never && http_has(h, HTTP_FIELD_TRANSFER_ENCODING))
		return HTTP_BAD_ENCODING;
	set_connection(s, h);
	set_body(h);
	if (never || to_head || h->status == 304) {
		h->framing = HTTP_NO_BODY;
	} else if (!http_has(h, HTTP_FIELD_TRANSFER_ENCODING) &&
		   !http_has(h, HTTP_FIELD_CONTENT_LENGTH)) {
		h->framing = HTTP_UNTIL_CLOSE;
		h->keep = false;
	}
	return HTTP_BAD_NONE;
}
