/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heads.h - for fuzzers of heads: what holds whatever the bytes are.
 *
 * Wide loops say what single bytes say; a beginning is a beginning, or refused
 * as the whole is; what is taken holds no CR, LF or NUL but its line ends, and
 * means the same when it is written anew.
 */
#ifndef TESTS_FUZZ_HEADS_H
#define TESTS_FUZZ_HEADS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

#include "proxyd/http/parse.h"
#include "proxyd/http/scan.h"

enum { HEADS_MOST = 1024 };

#define HEADS_HOLDS(cond)                                                      \
	do {                                                                   \
		if (!(cond)) {                                                 \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,     \
				#cond);                                        \
			abort();                                               \
		}                                                              \
	} while (0)

/* what a head is read by */
typedef enum http_verdict heads_parse(enum wide_kind kind, const char *buf,
				      size_t len, struct http_head *ret,
				      enum http_bad *ret_bad);

/* The bytes alone in memory of their own, so that nothing is behind them. */
static inline enum http_verdict
heads_alone(heads_parse *parse, enum wide_kind kind, const char *buf,
	    size_t len, struct http_head *ret, enum http_bad *ret_bad)
{
	char *copy = malloc(len ? len : 1);
	enum http_verdict verdict;

	if (!copy)
		abort();
	memcpy(copy, buf, len);
	*ret_bad = HTTP_BAD_NONE;
	memset(ret, 0x5a, sizeof(*ret));
	verdict = parse(kind, copy, len, ret, ret_bad);
	free(copy);
	return verdict;
}

static inline bool
heads_same_text(struct http_text a, struct http_text b)
{
	return a.at == b.at && a.len == b.len;
}

/* Do both mean the same of the message? */
static inline bool
heads_same(const struct http_head *a, const struct http_head *b)
{
	return a->minor == b->minor && a->method == b->method &&
	       a->status == b->status && a->framing == b->framing &&
	       a->length == b->length && a->keep == b->keep &&
	       a->expect_continue == b->expect_continue &&
	       a->upgrade == b->upgrade && a->trailers == b->trailers &&
	       a->seen == b->seen && a->n_fields == b->n_fields &&
	       a->host.len == b->host.len && a->path.len == b->path.len;
}

static inline void
heads_inside(const struct http_head *h, struct http_text t)
{
	HEADS_HOLDS(t.at <= h->size && t.len <= h->size - t.at);
}

/* CR and LF come together, NUL not at all, and an empty line ends it. */
static inline void
heads_lines(const char *buf, const struct http_head *h)
{
	uint32_t i;

	for (i = 0; i < h->size; i++) {
		HEADS_HOLDS(buf[i] != '\0');
		HEADS_HOLDS(buf[i] != '\r' || buf[i + 1] == '\n');
		HEADS_HOLDS(buf[i] != '\n' || (i > 0 && buf[i - 1] == '\r'));
		/* no line begins with a blank */
		HEADS_HOLDS(buf[i] != '\n' || i + 1 == h->size ||
			    (buf[i + 1] != ' ' && buf[i + 1] != '\t'));
	}
	HEADS_HOLDS(h->size >= 4 &&
		    memcmp(buf + h->size - 4, "\r\n\r\n", 4) == 0);
}

static inline void
heads_field(const char *buf, const struct http_head *h,
	    const struct http_field *f)
{
	const char *value = buf + f->value.at;
	uint32_t i;

	heads_inside(h, f->name);
	heads_inside(h, f->value);
	HEADS_HOLDS(f->name.len > 0 && buf[f->name.at + f->name.len] == ':');
	for (i = 0; i < f->name.len; i++)
		HEADS_HOLDS(scan_is(SCAN_TOKEN, buf[f->name.at + i]));
	for (i = 0; i < f->value.len; i++)
		HEADS_HOLDS(scan_is(SCAN_VALUE, value[i]));
	if (f->value.len > 0)
		HEADS_HOLDS(*value != ' ' && *value != '\t' &&
			    value[f->value.len - 1] != ' ' &&
			    value[f->value.len - 1] != '\t');
}

/* The line that was read, and every field as plainly as can be */
static inline void
heads_again(heads_parse *parse, const char *buf, const char *line,
	    size_t line_len, const struct http_head *h)
{
	struct http_head again;
	struct str text = {0};
	enum http_bad bad;
	int i;

	str_add_bytes(&text, line, line_len);
	for (i = 0; i < h->n_fields; i++) {
		const struct http_field *f = &h->fields[i];

		heads_field(buf, h, f);
		str_add_bytes(&text, buf + f->name.at, f->name.len);
		str_add_char(&text, ':');
		str_add_bytes(&text, buf + f->value.at, f->value.len);
		str_add(&text, "\r\n");
	}
	str_add(&text, "\r\n");
	HEADS_HOLDS(text.len <= h->size);
	HEADS_HOLDS(heads_alone(parse, wide_best(), text.data, text.len, &again,
				&bad) == HTTP_HEAD);
	HEADS_HOLDS(again.size == text.len && heads_same(&again, h));
	str_fini(&text);
}

/* All that holds of any bytes. Returns the verdict. */
static inline enum http_verdict
heads_check(heads_parse *parse, const char *buf, size_t len,
	    struct http_head *ret)
{
	enum http_verdict whole, part;
	struct http_head other;
	enum http_bad bad, other_bad;
	/* all beginnings of short ones, some of long ones */
	size_t n, step = 1 + len / 64;

	whole = heads_alone(parse, wide_best(), buf, len, ret, &bad);
	part = heads_alone(parse, WIDE_NOT, buf, len, &other, &other_bad);
	HEADS_HOLDS(part == whole && other_bad == bad);
	HEADS_HOLDS((whole == HTTP_REFUSED) == (bad != HTTP_BAD_NONE));
	HEADS_HOLDS(whole != HTTP_MORE || len < HEADS_MOST);
	if (whole == HTTP_HEAD)
		HEADS_HOLDS(ret->size == other.size && heads_same(ret, &other));
	for (n = len % step; n < len; n += step) {
		part = heads_alone(parse, wide_best(), buf, n, &other,
				   &other_bad);
		if (part == HTTP_REFUSED)
			HEADS_HOLDS(whole == part && other_bad == bad);
		if (part == HTTP_HEAD)
			HEADS_HOLDS(whole == part && other.size == ret->size &&
				    heads_same(&other, ret));
	}
	if (whole == HTTP_HEAD) {
		HEADS_HOLDS(ret->size <= len && ret->size <= HEADS_MOST);
		heads_lines(buf, ret);
	}
	return whole;
}

#endif
