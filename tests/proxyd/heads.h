/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heads.h - for tests of heads: a text is fed whole, and cut at every byte.
 *
 * Each beginning must be a beginning, or be refused as the whole is; bytes
 * behind a head change nothing. All of it ends at a guard page.
 */
#ifndef TESTS_PROXYD_HEADS_H
#define TESTS_PROXYD_HEADS_H

#include "proxyd/http/parse.h"

#include "tests/proxyd/bytes.h"

enum { HEADS_MOST = 16384 };

/* http_parse_request() or http_parse_response(), whose heads are `most` */
typedef enum http_verdict heads_parse(const char *buf, size_t len, size_t most,
				      struct http_head *ret,
				      enum http_bad *ret_bad);

/* What was found, of a text that is fed whole. */
struct heads_found {
	enum http_verdict verdict;
	enum http_bad bad;
	struct http_head head;
};

static inline struct heads_found
heads_whole(heads_parse *parse, const char *text, size_t len, size_t most)
{
	struct heads_found f;

	memset(&f, 0x5a, sizeof(f));
	f.bad = HTTP_BAD_NONE;
	f.verdict = parse(text, len, most, &f.head, &f.bad);
	return f;
}

/* The same, and cut at every byte, and with more behind it. */
static inline struct heads_found
heads_feed(heads_parse *parse, const char *text, size_t len, size_t most)
{
	struct heads_found whole, part;
	struct bytes b;
	char *longer;
	size_t n;

	bytes_init(&b, len + 64);
	whole = heads_whole(parse, bytes_put(&b, text, len), len, most);
	for (n = 0; n < len; n++) {
		part = heads_whole(parse, bytes_put(&b, text, n), n, most);
		if (part.verdict == HTTP_REFUSED)
			UNIT_CHECK(whole.verdict == HTTP_REFUSED &&
					   part.bad == whole.bad,
				   "cut at %zu: %s, but then %s: %s", n,
				   http_bad_word(part.bad),
				   http_bad_word(whole.bad), text);
		else
			UNIT_CHECK(part.verdict == HTTP_MORE ||
					   (whole.verdict == HTTP_HEAD &&
					    n >= whole.head.size),
				   "cut at %zu: a head: %s", n, text);
	}
	longer = b.map + b.room - len - 64;
	memcpy(longer, text, len);
	memset(longer + len, 'x', 64);
	part = heads_whole(parse, longer, len + 64, most);
	if (whole.verdict != HTTP_MORE)
		UNIT_CHECK(part.verdict == whole.verdict &&
				   part.bad == whole.bad,
			   "%s with more behind it: %s", text,
			   http_bad_word(part.bad));
	bytes_fini(&b);
	return whole;
}

/* Does the place hold this text? */
static inline void
heads_text(const char *buf, struct http_text t, const char *want)
{
	UNIT_CHECK(t.len == strlen(want) &&
			   memcmp(buf + t.at, want, t.len) == 0,
		   "'%.*s', but '%s' was wanted", (int)t.len, buf + t.at, want);
}

#endif
