/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse.c - see parse.h. */
#include "proxyd/http/parse.h"

#include "proxyd/http/fields.h"
#include "proxyd/http/framing.h"
#include "proxyd/http/startline.h"

/* All but the fields, which are many and written before they are read. */
static void
clear(struct http_head *h)
{
	h->size = 0;
	h->minor = h->method = 0;
	h->status = 0;
	h->method_text = h->target = h->reason = (struct http_text){0};
	h->path = h->host = (struct http_text){0};
	h->framing = HTTP_NO_BODY;
	h->length = 0;
	h->keep = h->expect_continue = h->upgrade = h->trailers = false;
	h->seen = 0;
	h->n_fields = 0;
}

/* What is not whole is waited for, unless it is too long already. */
static enum http_verdict
stopped(enum http_bad bad, bool full, enum http_bad too_long,
	enum http_bad *ret_bad)
{
	if (bad == HTTP_BAD_NONE && full)
		bad = too_long;
	if (bad == HTTP_BAD_NONE)
		return HTTP_MORE;
	*ret_bad = bad;
	return HTTP_REFUSED;
}

static const char *
end_of(const char *buf, size_t len, size_t most)
{
	return buf + (len < most ? len : most);
}

enum http_verdict
parse_request_by(enum wide_kind kind, const char *buf, size_t len, size_t most,
		 struct http_head *ret, enum http_bad *ret_bad)
{
	const char *end = end_of(buf, len, most), *p;
	struct framing s = {0};
	enum http_bad bad;

	clear(ret);
	p = startline_request(kind, buf, end, false, ret, &bad);
	if (!p)
		return stopped(bad, len >= most, HTTP_BAD_LINE_TOO_LONG,
			       ret_bad);
	s.authority = ret->host.len > 0;
	p = fields_read(kind, buf, p, end, &s, ret, &bad);
	if (p) {
		ret->size = (uint32_t)(p - buf);
		bad = framing_request(&s, ret);
	}
	if (p && bad == HTTP_BAD_NONE)
		return HTTP_HEAD;
	return stopped(bad, len >= most, HTTP_BAD_HEAD_TOO_LARGE, ret_bad);
}

enum http_verdict
parse_response_by(enum wide_kind kind, const char *buf, size_t len, size_t most,
		  bool to_head, struct http_head *ret, enum http_bad *ret_bad)
{
	const char *end = end_of(buf, len, most), *p;
	struct framing s = {0};
	enum http_bad bad;

	clear(ret);
	p = startline_response(buf, end, ret, &bad);
	if (p)
		p = fields_read(kind, buf, p, end, &s, ret, &bad);
	if (p) {
		ret->size = (uint32_t)(p - buf);
		bad = framing_response(&s, to_head, ret);
	}
	if (p && bad == HTTP_BAD_NONE)
		return HTTP_HEAD;
	return stopped(bad, len >= most, HTTP_BAD_HEAD_TOO_LARGE, ret_bad);
}

enum http_verdict
http_parse_request(const char *buf, size_t len, size_t most,
		   struct http_head *ret, enum http_bad *ret_bad)
{
	return parse_request_by(wide_best(), buf, len, most, ret, ret_bad);
}

enum http_verdict
http_parse_response(const char *buf, size_t len, size_t most, bool to_head,
		    struct http_head *ret, enum http_bad *ret_bad)
{
	return parse_response_by(wide_best(), buf, len, most, to_head, ret,
				 ret_bad);
}

enum http_verdict
http_sniff(const char *buf, size_t len, size_t most)
{
	struct http_head h;
	enum http_bad bad;

	clear(&h);
	if (startline_request(WIDE_NOT, buf, end_of(buf, len, most), true, &h,
			      &bad))
		return HTTP_HEAD;
	return stopped(bad, len >= most, HTTP_BAD_LINE_TOO_LONG, &bad);
}
