/* SPDX-License-Identifier: GPL-2.0-or-later */
/* startline.c - see startline.h. */
#include "proxyd/http/startline.h"

#include <string.h>

#include "proxyd/http/authority.h"
#include "proxyd/http/stray.h"

/* a line that is being read */
struct line {
	const char *buf; /* where all texts begin to count */
	const char *end;
	struct http_head *h;
	enum http_bad bad;
	enum wide_kind kind;
};

static const char *
refuse(struct line *l, const char *p, enum http_bad otherwise)
{
	l->bad = stray(p, l->end, otherwise);
	return NULL;
}

static struct http_text
text(const struct line *l, const char *from, const char *to)
{
	return (struct http_text){(uint32_t)(from - l->buf),
				  (uint32_t)(to - from)};
}

static enum http_method
method_of(const char *p, size_t len)
{
#define METHOD(name)                                                           \
	if (len == sizeof(#name) - 1 && memcmp(p, #name, len) == 0)            \
		return HTTP_METHOD_##name;
	METHOD(GET)
	METHOD(POST)
	METHOD(HEAD)
	METHOD(PUT)
	METHOD(DELETE)
	METHOD(OPTIONS)
	METHOD(TRACE)
	METHOD(PATCH)
	METHOD(CONNECT)
#undef METHOD
	return HTTP_METHOD_OTHER;
}

/* "GET " */
static const char *
read_method(struct line *l, const char *p, bool connect)
{
	const char *end = l->end, *q;

	if (end - p > HTTP_METHOD_MAX + 1)
		end = p + HTTP_METHOD_MAX + 1;
	q = scan_over(SCAN_TOKEN, p, end);
	if (q - p > HTTP_METHOD_MAX) {
		l->bad = HTTP_BAD_METHOD;
		return NULL;
	}
	if (q == l->end || *q != ' ' || q == p)
		return refuse(l, q,
			      q < l->end && (*q == ' ' || *q == '\r')
				      ? HTTP_BAD_REQUEST_LINE
				      : HTTP_BAD_METHOD);
	l->h->method = method_of(p, (size_t)(q - p));
	l->h->method_text = text(l, p, q);
	if (l->h->method == HTTP_METHOD_CONNECT && !connect) {
		l->bad = HTTP_BAD_CONNECT;
		return NULL;
	}
	return q + 1;
}

/* The target ends at `p`, with a space. CRLF there is HTTP/0.9. */
static const char *
target_end(struct line *l, const char *p)
{
	if (p < l->end && *p == ' ')
		return p;
	return refuse(l, p,
		      p < l->end && *p == '\r' ? HTTP_BAD_VERSION
					       : HTTP_BAD_TARGET);
}

/* From the first '/' or '?' on; whatever "%" is in a query, it is passed. */
static const char *
read_path(struct line *l, const char *p)
{
	const char *from = p;

	while (p = wide_over(l->kind, SCAN_PATH, l->buf, p, l->end),
	       p < l->end && *p == '%') {
		if (p + 1 == l->end || !scan_is(SCAN_HEX, p[1]))
			return refuse(l, p + 1, HTTP_BAD_TARGET);
		if (p + 2 == l->end || !scan_is(SCAN_HEX, p[2]))
			return refuse(l, p + 2, HTTP_BAD_TARGET);
		p += 3;
	}
	if (p < l->end && *p == '?')
		p = wide_over(l->kind, SCAN_QUERY, l->buf, p, l->end);
	l->h->path = text(l, from, p);
	return target_end(l, p);
}

/* "http://a" of absolute-form, up to its path */
static const char *
read_authority(struct line *l, const char *p)
{
	static const char scheme[] = "http://";
	const char *q;
	int i;

	for (i = 0; scheme[i]; i++, p++)
		if (p == l->end || (i < 4 ? *p | 0x20 : *p) != scheme[i])
			return refuse(l, p, HTTP_BAD_TARGET);
	for (q = p; q < l->end && scan_is(SCAN_QUERY, *q); q++)
		if (*q == '/' || *q == '?')
			break;
	if (q == l->end || (*q != '/' && *q != '?' && *q != ' '))
		return target_end(l, q);
	if (!authority_good(p, (size_t)(q - p))) {
		l->bad = HTTP_BAD_AUTHORITY;
		return NULL;
	}
	l->h->host = text(l, p, q);
	return q;
}

static const char *
read_form(struct line *l, const char *p)
{
	const char *q;

	if (p == l->end)
		return refuse(l, p, HTTP_BAD_TARGET);
	if (*p == ' ' || *p == '\r')
		return refuse(l, p, HTTP_BAD_REQUEST_LINE);
	if (l->h->method == HTTP_METHOD_CONNECT) {
		q = scan_over(SCAN_QUERY, p, l->end);
		return q > p ? target_end(l, q) : refuse(l, p, HTTP_BAD_TARGET);
	}
	if (*p == '/')
		return read_path(l, p);
	if (*p == '*' && l->h->method == HTTP_METHOD_OPTIONS) {
		l->h->path = text(l, p, p + 1);
		return target_end(l, p + 1);
	}
	p = read_authority(l, p);
	return p ? read_path(l, p) : NULL;
}

/* "HTTP/1.1": its first wrong byte says what is wrong */
static const char *
read_version(struct line *l, const char *p, enum http_bad otherwise)
{
	static const char version[] = "HTTP/1.";
	int i;

	if (l->end - p > 7 && memcmp(p, version, 7) == 0 && (p[7] | 1) == '1') {
		l->h->minor = p[7] & 1;
		return p + 8;
	}
	for (i = 0; version[i]; i++, p++)
		if (p == l->end || *p != version[i])
			return refuse(l, p,
				      version[i] == '1' && p < l->end &&
						      scan_is(SCAN_DIGIT, *p)
					      ? HTTP_BAD_VERSION
					      : otherwise);
	if (p == l->end || (*p != '0' && *p != '1'))
		return refuse(l, p,
			      p < l->end && scan_is(SCAN_DIGIT, *p)
				      ? HTTP_BAD_VERSION
				      : otherwise);
	l->h->minor = (uint8_t)(*p - '0');
	return p + 1;
}

static const char *
read_request(struct line *l, const char *p, bool connect)
{
	const char *from;

	if (p < l->end && *p == '\r') {
		p = stray_crlf(p, l->end, HTTP_BAD_REQUEST_LINE, &l->bad);
		if (!p)
			return NULL;
	}
	from = read_method(l, p, connect);
	p = from ? read_form(l, from) : NULL;
	if (!p)
		return NULL;
	l->h->target = text(l, from, p);
	p = read_version(l, p + 1, HTTP_BAD_REQUEST_LINE);
	if (!p)
		return NULL;
	return stray_crlf(p, l->end, HTTP_BAD_REQUEST_LINE, &l->bad);
}

const char *
startline_request(enum wide_kind kind, const char *buf, const char *end,
		  bool connect, struct http_head *h, enum http_bad *ret_bad)
{
	struct line l = {buf, end, h, HTTP_BAD_NONE, kind};
	const char *p = read_request(&l, buf, connect);

	*ret_bad = l.bad;
	return p;
}

/* " 200", and what is behind it must be the end or a space */
static const char *
read_status(struct line *l, const char *p)
{
	unsigned int status = 0;
	int i;

	if (p == l->end || *p != ' ')
		return refuse(l, p, HTTP_BAD_STATUS_LINE);
	for (i = 0, p++; i < 3; i++, p++) {
		if (p == l->end || !scan_is(SCAN_DIGIT, *p) ||
		    (i == 0 && *p == '0'))
			return refuse(l, p, HTTP_BAD_STATUS_LINE);
		status = status * 10 + (unsigned int)(*p - '0');
	}
	l->h->status = (uint16_t)status;
	return p;
}

const char *
startline_response(const char *buf, const char *end, struct http_head *h,
		   enum http_bad *ret_bad)
{
	struct line l = {buf, end, h, HTTP_BAD_NONE, WIDE_NOT};
	const char *p = read_version(&l, buf, HTTP_BAD_STATUS_LINE), *from;

	p = p ? read_status(&l, p) : NULL;
	if (p) {
		from = p;
		if (p < end && *p == ' ')
			p = scan_over(SCAN_VALUE, ++from, end);
		h->reason = text(&l, from, p);
		p = stray_crlf(p, end, HTTP_BAD_STATUS_LINE, &l.bad);
	}
	*ret_bad = l.bad;
	return p;
}
