/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_body.c - what goes on of a body, however it is cut. */
#include <string.h>

#include "proxyd/http/body.h"

#include "tests/unit.h"

static struct body
body_of(enum http_framing framing, uint64_t length, bool strip)
{
	struct http_head head = {.framing = framing, .length = length};
	struct body b;

	body_init(&b, &head, strip);
	return b;
}

/* Feed `text`, `step` bytes more each time; what goes on is in `out`. */
static enum http_bad
feed(struct body *b, const char *text, size_t step, char *out, size_t *ret_left)
{
	size_t at = 0, have = 0, len = strlen(text), n = 0, used, total = 0;
	enum http_bad bad = HTTP_BAD_NONE;
	char buf[1024];

	while (!bad && (at < len || have)) {
		n = len - at < step ? len - at : step;
		memcpy(buf + have, text + at, n);
		at += n;
		have += n;
		n = body_take(b, buf, have, &used, &bad);
		memcpy(out + total, buf, n);
		total += n;
		/* it may have moved bytes, but not those that are left */
		have -= used;
		memmove(buf, buf + used, have);
		if (at == len && !used)
			break;
	}
	out[total] = '\0';
	*ret_left = have;
	return bad;
}

struct row {
	const char *in;
	const char *out;
	const char *content;
	size_t left;
	enum http_framing framing;
	uint64_t length;
	enum http_bad bad;
	bool more;
};

static const struct row rows[] = {
	{"abc", "", "", 3, HTTP_NO_BODY, 0, 0, false},
	{"abc", "", "", 3, HTTP_LENGTH, 0, 0, false},
	{"abcdef", "abcd", "abcd", 2, HTTP_LENGTH, 4, 0, false},
	{"abc", "abc", "abc", 0, HTTP_LENGTH, 4, 0, true},
	{"abc", "abc", "abc", 0, HTTP_UNTIL_CLOSE, 0, 0, true},
	{"3\r\nabc\r\n0\r\n\r\nGET", "3\r\nabc\r\n0\r\n\r\n", "abc", 3,
	 HTTP_CHUNKED, 0, 0, false},
	{"3;x=y\r\nabc\r\n2;z\r\nde\r\n0\r\nT: v\r\n\r\n",
	 "3\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n", "abcde", 0, HTTP_CHUNKED,
	 0, 0, false},
	{"3\r\nabc\r\n0\r\n\r", "3\r\nabc\r\n0\r\n", "abc", 1, HTTP_CHUNKED, 0,
	 0, true},
	{"3\r\nabcd\r\n", "3\r\nabc", "abc", 3, HTTP_CHUNKED, 0,
	 HTTP_BAD_CHUNK_END, true},
	{"x\r\n", "", "", 3, HTTP_CHUNKED, 0, HTTP_BAD_CHUNK_SIZE, true},
};

static void
check(const struct row *r, size_t step, bool strip)
{
	struct body b = body_of(r->framing, r->length, strip);
	const char *want = strip ? r->content : r->out;
	enum http_bad bad;
	char out[1024];
	size_t left;

	bad = feed(&b, r->in, step, out, &left);
	UNIT_CHECK(bad == r->bad, "%s: %s", r->in, http_bad_word(bad));
	UNIT_STRINGS(out, want);
	CU_ASSERT_EQUAL(b.done, !r->more);
	CU_ASSERT_EQUAL(b.content, strlen(r->content));
	if (!bad && step == 1000)
		CU_ASSERT_EQUAL(left, r->left);
}

static void
cut(void)
{
	size_t i, step;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (step = 1; step < 12; step++)
			check(&rows[i], step, false);
		check(&rows[i], 1000, false);
		/* without its framing it is its content */
		if (rows[i].framing != HTTP_CHUNKED)
			continue;
		for (step = 1; step < 12; step++)
			check(&rows[i], step, true);
		check(&rows[i], 1000, true);
	}
}

/* What is content may pass without being seen. */
static void
plain(void)
{
	struct body b = body_of(HTTP_LENGTH, 10, false);
	enum http_bad bad;
	char buf[] = "5\r\nab";
	size_t used;

	CU_ASSERT_EQUAL(body_plain(&b), 10);
	body_passed(&b, 4);
	CU_ASSERT_EQUAL(body_plain(&b), 6);
	CU_ASSERT(!body_ended(&b));
	body_passed(&b, 6);
	CU_ASSERT(b.done && body_ended(&b));
	CU_ASSERT_EQUAL(body_plain(&b), 0);
	b = body_of(HTTP_CHUNKED, 0, false);
	CU_ASSERT_EQUAL(body_plain(&b), 0);
	CU_ASSERT_EQUAL(body_take(&b, buf, 5, &used, &bad), 5);
	CU_ASSERT_EQUAL(body_plain(&b), 3);
	body_passed(&b, 3);
	CU_ASSERT_EQUAL(body_plain(&b), 0);
	CU_ASSERT_EQUAL(b.content, 5);
	CU_ASSERT(!body_ended(&b));
	memcpy(buf, "\r\n0", 3);
	CU_ASSERT_EQUAL(body_take(&b, buf, 3, &used, &bad), 2);
	CU_ASSERT_EQUAL(used, 2);
}

/* Only one way of framing takes the end of the connection for its own. */
static void
ends(void)
{
	struct body b = body_of(HTTP_UNTIL_CLOSE, 0, false);

	CU_ASSERT_EQUAL(body_plain(&b), UINT64_MAX);
	body_passed(&b, 5);
	CU_ASSERT(!b.done);
	CU_ASSERT(body_ended(&b));
	CU_ASSERT(b.done);
	b = body_of(HTTP_CHUNKED, 0, false);
	CU_ASSERT(!body_ended(&b));
	b = body_of(HTTP_NO_BODY, 0, false);
	CU_ASSERT(b.done && body_ended(&b));
}

static const struct unit_test tests[] = {
	{"cut", cut},
	{"plain", plain},
	{"ends", ends},
};

UNIT_MAIN("body", tests)
