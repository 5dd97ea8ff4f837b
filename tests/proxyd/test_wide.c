/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_wide.c - wide loops and those of single bytes say the same. */
#include <stdlib.h>

#include "proxyd/http/parse.h"
#include "proxyd/http/wide.h"

#include "tests/http/request_703.h"
#include "tests/proxyd/heads.h"

static bool
same_text(struct http_text a, struct http_text b)
{
	return a.at == b.at && a.len == b.len;
}

static bool
same_fields(const struct http_head *a, const struct http_head *b)
{
	int i;

	if (a->n_fields != b->n_fields || a->seen != b->seen)
		return false;
	for (i = 0; i < a->n_fields; i++)
		if (a->fields[i].id != b->fields[i].id ||
		    !same_text(a->fields[i].name, b->fields[i].name) ||
		    !same_text(a->fields[i].value, b->fields[i].value))
			return false;
	return true;
}

static bool
same_head(const struct http_head *a, const struct http_head *b)
{
	return a->size == b->size && a->minor == b->minor &&
	       a->method == b->method && a->status == b->status &&
	       same_text(a->method_text, b->method_text) &&
	       same_text(a->target, b->target) &&
	       same_text(a->reason, b->reason) && same_text(a->path, b->path) &&
	       same_text(a->host, b->host) && a->framing == b->framing &&
	       a->length == b->length && a->keep == b->keep &&
	       a->expect_continue == b->expect_continue &&
	       a->upgrade == b->upgrade && a->trailers == b->trailers &&
	       same_fields(a, b);
}

/* Both ways; `request`: else a response. */
static void
compare(bool request, const char *buf, size_t len)
{
	struct http_head one, other;
	enum http_bad bad = HTTP_BAD_NONE, other_bad = HTTP_BAD_NONE;
	enum http_verdict v, w;
	enum wide_kind best = wide_best();

	if (request) {
		v = parse_request_by(WIDE_NOT, buf, len, 4096, &one, &bad);
		w = parse_request_by(best, buf, len, 4096, &other, &other_bad);
	} else {
		v = parse_response_by(WIDE_NOT, buf, len, 4096, false, &one,
				      &bad);
		w = parse_response_by(best, buf, len, 4096, false, &other,
				      &other_bad);
	}
	UNIT_CHECK(v == w && bad == other_bad, "%d %s, but %d %s: %.*s", v,
		   http_bad_word(bad), w, http_bad_word(other_bad), (int)len,
		   buf);
	if (v == HTTP_HEAD && w == HTTP_HEAD)
		UNIT_CHECK(same_head(&one, &other), "another head: %.*s",
			   (int)len, buf);
}

static void
test_every_place(void)
{
	static const char others[] = "\0\t\n\r !\"#%/09:?@A\\_`az|\x7f\x80\xff";
	size_t len = sizeof(request_703) - 1, i, k;
	struct bytes b;
	char *text;

	bytes_init(&b, len);
	text = b.map + b.room - len;
	memcpy(text, request_703, len);
	compare(true, text, len);
	for (i = 0; i < len; i++) {
		for (k = 0; k < sizeof(others) - 1; k++) {
			text[i] = others[k];
			compare(true, text, len);
		}
		text[i] = request_703[i];
		compare(true, bytes_put(&b, request_703, i), i);
		memcpy(text, request_703, len);
	}
	bytes_fini(&b);
}

/* Every byte in a name, a value, a path and a query, near and far */
static void
test_every_byte(void)
{
	static const size_t places[] = {10, 40, 70, 100, 130, 140, 180, 226};
	static const char line[] =
		"GET /a/path/of/more/than/32/bytes/in/it/"
		"?and-a-query-of-more-than-32-bytes/too/"
		" HTTP/1.1\r\nHost: a\r\n"
		"A-long-name-that-is-more-than-32-bytes: a\r\n"
		"X-Name: and a value of more than 64 bytes"
		" in it, with some\twords\r\n\r\n";
	size_t len = sizeof(line) - 1, i;
	char text[sizeof(line)];
	int c;

	memcpy(text, line, sizeof(line));
	compare(true, text, len);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		for (c = 0; c < 256; c++) {
			text[places[i] % len] = (char)c;
			compare(true, text, len);
		}
		text[places[i] % len] = line[places[i] % len];
	}
}

/* Heads put together of pieces, by a generator that is always the same. */
static void
test_random(void)
{
	static const char *const pieces[] = {
		"GET / HTTP/1.1\r\n",
		"HTTP/1.1 200 OK\r\n",
		"Host: a\r\n",
		"Host: a:80\r\n",
		"X: ",
		"A-name-of-more-than-thirty-two-bytes",
		": ",
		"\r\n",
		"\r",
		"\n",
		"\t",
		" ",
		":",
		"\x7f",
		"\x80",
		"Content-Length: 5\r\n",
		"Transfer-Encoding: chunked\r\n",
		"Connection: close, upgrade\r\n",
		"Upgrade: a\r\n",
		"a value of some thirty-two bytes",
		"Cookie: a=b; c=d\r\n",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"a",
		"x",
		"",
		"\r\n\r\n",
		"Expect: 100-continue\r\n",
	};
	enum { PIECES = sizeof(pieces) / sizeof(pieces[0]), ROOM = 2048 };
	char text[ROOM];
	struct bytes b;
	unsigned int seed = 1;
	int i, k, n;

	bytes_init(&b, ROOM);
	for (i = 0; i < 20000; i++) {
		size_t len = 0;
		bool request = i % 4;

		n = rand_r(&seed) % 20;
		for (k = 0; k < n; k++) {
			/* most begin well */
			const char *piece =
				k == 0	 ? pieces[request ? 0 : 1]
				: k == 1 ? pieces[2]
					 : pieces[rand_r(&seed) % PIECES];

			memcpy(text + len, piece, strlen(piece));
			len += strlen(piece);
		}
		compare(request, bytes_put(&b, text, len), len);
	}
	bytes_fini(&b);
}

static const struct unit_test tests[] = {
	{"every_place", test_every_place},
	{"every_byte", test_every_byte},
	{"random", test_random},
};

UNIT_MAIN("wide", tests)
