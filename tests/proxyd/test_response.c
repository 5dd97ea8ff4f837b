/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_response.c - heads of responses, and the first bytes of connections. */
#include <stdio.h>
#include <stdlib.h>

#include "proxyd/http/parse.h"

#include "tests/proxyd/heads.h"

#define LINE "HTTP/1.1 200 OK\r\n"

static enum http_verdict
to_get(const char *buf, size_t len, size_t most, struct http_head *ret,
       enum http_bad *ret_bad)
{
	return http_parse_response(buf, len, most, false, ret, ret_bad);
}

static enum http_verdict
to_head(const char *buf, size_t len, size_t most, struct http_head *ret,
	enum http_bad *ret_bad)
{
	return http_parse_response(buf, len, most, true, ret, ret_bad);
}

#define BAD(name, literal)                                                     \
	{                                                                      \
		BYTES(literal), HTTP_BAD_##name                                \
	}

static const struct {
	const char *text;
	size_t len;
	enum http_bad bad;
} bad_rows[] = {
	BAD(STATUS_LINE, "\r\nHTTP/1.1 200 OK\r\n\r\n"),
	BAD(STATUS_LINE, " HTTP/1.1 200 OK\r\n\r\n"),
	BAD(STATUS_LINE, "ICY 200 OK\r\n\r\n"),
	BAD(STATUS_LINE, "http/1.1 200 OK\r\n\r\n"),
	BAD(STATUS_LINE, "HTTP/1.1\r\n\r\n"),
	BAD(STATUS_LINE, "HTTP/1.1  200 OK\r\n\r\n"),
	BAD(STATUS_LINE, "HTTP/1.1\t200 OK\r\n\r\n"),
	BAD(STATUS_LINE, "HTTP/1.1 20 OK\r\n\r\n"),
	BAD(STATUS_LINE, "HTTP/1.1 2000 OK\r\n\r\n"),
	BAD(STATUS_LINE, "HTTP/1.1 099 OK\r\n\r\n"),
	BAD(STATUS_LINE, "HTTP/1.1 2x0 OK\r\n\r\n"),
	BAD(STATUS_LINE, "HTTP/1.1 200\tOK\r\n\r\n"),
	BAD(STATUS_LINE, "HTTP/1.1 200 O\x01K\r\n\r\n"),
	BAD(STATUS_LINE, "HTTP/1.1 200 O\x7fK\r\n\r\n"),
	BAD(STATUS_LINE, "HTTP/1.10 200 OK\r\n\r\n"),
	BAD(STATUS_LINE, "<html>\r\n\r\n"),
	BAD(VERSION, "HTTP/2.0 200 OK\r\n\r\n"),
	BAD(VERSION, "HTTP/0.9 200 OK\r\n\r\n"),
	BAD(VERSION, "HTTP/1.2 200 OK\r\n\r\n"),
	BAD(BARE_LF, "HTTP/1.1 200 OK\n\r\n"),
	BAD(BARE_LF, "HTTP/1.1 200\n"),
	BAD(BARE_LF, "\nHTTP/1.1 200 OK\r\n"),
	BAD(BARE_CR, "HTTP/1.1 200 OK\rX\r\n"),
	BAD(BARE_CR, "HTTP/1.1 200\r\r\n"),
	BAD(NUL, "HTTP/1.1 200 O\0K\r\n\r\n"),
	BAD(NUL, "\0"),
	BAD(OBS_FOLD, LINE " X: a\r\n\r\n"),
	BAD(OBS_FOLD, LINE "X: a\r\n b\r\n\r\n"),
	BAD(SPACE_BEFORE_COLON, LINE "X : a\r\n\r\n"),
	BAD(FIELD_NAME, LINE ": a\r\n\r\n"),
	BAD(FIELD_VALUE, LINE "X: \x01\r\n\r\n"),
	BAD(BARE_LF, LINE "X: a\n\r\n"),
	BAD(CONTENT_LENGTH, LINE "Content-Length: x\r\n\r\n"),
	BAD(CONTENT_LENGTH, LINE "Content-Length: 5, 5\r\n\r\n"),
	BAD(CONTENT_LENGTH, LINE "Content-Length: 5\r\n"
				 "Content-Length: 5\r\n\r\n"),
	BAD(LENGTH_AND_ENCODING,
	    LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
	BAD(LENGTH_AND_ENCODING,
	    LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
	BAD(ENCODING, LINE "Transfer-Encoding: gzip\r\n\r\n"),
	BAD(ENCODING, LINE "Transfer-Encoding: identity\r\n\r\n"),
	BAD(ENCODING, "HTTP/1.0 200 OK\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n"),
	BAD(CONTENT_LENGTH, "HTTP/1.1 204 No Content\r\n"
			    "Content-Length: 5\r\n\r\n"),
	BAD(ENCODING, "HTTP/1.1 204 No Content\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n"),
	BAD(CONTENT_LENGTH, "HTTP/1.1 103 Early Hints\r\n"
			    "Content-Length: 5\r\n\r\n"),
	BAD(ENCODING, "HTTP/1.1 101 Switching Protocols\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n"),
};

static void
test_refused(void)
{
	size_t i;

	for (i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
		struct heads_found f = heads_feed(to_get, bad_rows[i].text,
						  bad_rows[i].len, HEADS_MOST);

		UNIT_CHECK(f.verdict == HTTP_REFUSED, "passed: %s",
			   bad_rows[i].text);
		if (f.verdict == HTTP_REFUSED)
			UNIT_CHECK(f.bad == bad_rows[i].bad, "%s, not %s: %s",
				   http_bad_word(f.bad),
				   http_bad_word(bad_rows[i].bad),
				   bad_rows[i].text);
	}
}

static const struct {
	const char *text;
	int status;
	const char *reason;
	enum http_framing framing, of_head;
	uint64_t length;
	bool keep, keep_of_head;
} good_rows[] = {
	{LINE "Content-Length: 5\r\n\r\n", 200, "OK", HTTP_LENGTH, HTTP_NO_BODY,
	 5, true, true},
	{LINE "Content-Length: 0\r\n\r\n", 200, "OK", HTTP_NO_BODY,
	 HTTP_NO_BODY, 0, true, true},
	{LINE "Transfer-Encoding: Chunked\r\n\r\n", 200, "OK", HTTP_CHUNKED,
	 HTTP_NO_BODY, 0, true, true},
	{LINE "\r\n", 200, "OK", HTTP_UNTIL_CLOSE, HTTP_NO_BODY, 0, false,
	 true},
	{LINE "Connection: keep-alive\r\n\r\n", 200, "OK", HTTP_UNTIL_CLOSE,
	 HTTP_NO_BODY, 0, false, true},
	{LINE "Connection: close\r\nContent-Length: 5\r\n\r\n", 200, "OK",
	 HTTP_LENGTH, HTTP_NO_BODY, 5, false, false},
	{"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", 200, "", HTTP_LENGTH,
	 HTTP_NO_BODY, 1, true, true},
	{"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n", 200, "", HTTP_LENGTH,
	 HTTP_NO_BODY, 1, true, true},
	{"HTTP/1.1 404 \tn\xf6t  found\r\nContent-Length: 1\r\n\r\n", 404,
	 "\tn\xf6t  found", HTTP_LENGTH, HTTP_NO_BODY, 1, true, true},
	{"HTTP/1.1 999 x\r\nContent-Length: 1\r\n\r\n", 999, "x", HTTP_LENGTH,
	 HTTP_NO_BODY, 1, true, true},
	{"HTTP/1.1 100 Continue\r\n\r\n", 100, "Continue", HTTP_NO_BODY,
	 HTTP_NO_BODY, 0, true, true},
	{"HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n", 103, "Hints", HTTP_NO_BODY,
	 HTTP_NO_BODY, 0, true, true},
	{"HTTP/1.1 204 x\r\n\r\n", 204, "x", HTTP_NO_BODY, HTTP_NO_BODY, 0,
	 true, true},
	{"HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", 204, "x", HTTP_NO_BODY,
	 HTTP_NO_BODY, 0, true, true},
	{"HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", 304, "x", HTTP_NO_BODY,
	 HTTP_NO_BODY, 5, true, true},
	{"HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n", 304, "x",
	 HTTP_NO_BODY, HTTP_NO_BODY, 0, true, true},
	{"HTTP/1.1 205 x\r\nContent-Length: 0\r\n\r\n", 205, "x", HTTP_NO_BODY,
	 HTTP_NO_BODY, 0, true, true},
	{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "OK", HTTP_LENGTH,
	 HTTP_NO_BODY, 5, false, false},
	{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n"
	 "Connection: keep-alive\r\n\r\n",
	 200, "OK", HTTP_LENGTH, HTTP_NO_BODY, 5, true, true},
	{"HTTP/1.0 200 OK\r\n\r\n", 200, "OK", HTTP_UNTIL_CLOSE, HTTP_NO_BODY,
	 0, false, false},
};

/* What passes, and what follows from it: RFC 9112 6.3 and 9.3 */
static void
test_passed(void)
{
	size_t i;

	for (i = 0; i < sizeof(good_rows) / sizeof(good_rows[0]); i++) {
		const char *text = good_rows[i].text;
		struct heads_found f =
			heads_feed(to_get, text, strlen(text), HEADS_MOST);

		UNIT_CHECK(f.verdict == HTTP_HEAD, "%s: %s",
			   http_bad_word(f.bad), text);
		CU_ASSERT_EQUAL(f.head.status, good_rows[i].status);
		CU_ASSERT_EQUAL(f.head.size, strlen(text));
		heads_text(text, f.head.reason, good_rows[i].reason);
		UNIT_CHECK(f.head.framing == good_rows[i].framing &&
				   f.head.length == good_rows[i].length &&
				   f.head.keep == good_rows[i].keep,
			   "%d %d: %s", f.head.framing, f.head.keep, text);
		f = heads_feed(to_head, text, strlen(text), HEADS_MOST);
		UNIT_CHECK(f.verdict == HTTP_HEAD &&
				   f.head.framing == good_rows[i].of_head &&
				   f.head.keep == good_rows[i].keep_of_head,
			   "to HEAD %d %d: %s", f.head.framing, f.head.keep,
			   text);
	}
}

static void
test_upgrade(void)
{
	static const char text[] = "HTTP/1.1 101 Switching Protocols\r\n"
				   "Connection: Upgrade\r\n"
				   "Upgrade: websocket\r\n\r\n";
	struct heads_found f =
		heads_feed(to_get, text, sizeof(text) - 1, HEADS_MOST);

	CU_ASSERT(f.verdict == HTTP_HEAD && f.head.upgrade);
	CU_ASSERT_EQUAL(f.head.framing, HTTP_NO_BODY);
}

/* Of a response all of it is head. */
static void
test_limits(void)
{
	static const char text[] = LINE "X: a\r\n\r\n";
	size_t len = sizeof(text) - 1, most;
	struct heads_found f;

	for (most = 1; most < len + 10; most++) {
		f = heads_feed(to_get, text, len, most);
		CU_ASSERT_EQUAL(f.verdict,
				most < len ? HTTP_REFUSED : HTTP_HEAD);
		CU_ASSERT_EQUAL(f.bad, most < len ? HTTP_BAD_HEAD_TOO_LARGE
						  : HTTP_BAD_NONE);
	}
}

static void
test_sniff(void)
{
	static const struct {
		const char *text;
		size_t len;
		enum http_verdict verdict;
	} rows[] = {
		{BYTES(""), HTTP_MORE},
		{BYTES("G"), HTTP_MORE},
		{BYTES("GET / HTTP/1.1\r"), HTTP_MORE},
		{BYTES("GET / HTTP/1.1\r\n"), HTTP_HEAD},
		{BYTES("\r\nGET / HTTP/1.0\r\n\0"), HTTP_HEAD},
		{BYTES("get http://a HTTP/1.1\r\n"), HTTP_HEAD},
		{BYTES("OPTIONS * HTTP/1.1\r\n"), HTTP_HEAD},
		{BYTES("CONNECT a:443 HTTP/1.1\r\n"), HTTP_HEAD},
		{BYTES("CONNECT "), HTTP_MORE},
		{BYTES("CONNECT  "), HTTP_REFUSED},
		{BYTES("\x16"), HTTP_REFUSED},
		{BYTES("SSH-2.0-OpenSSH_9.2p1 D"), HTTP_REFUSED},
		{BYTES("PRI * "), HTTP_REFUSED},
		{BYTES("EHLO m"), HTTP_REFUSED},
		{BYTES("GET /\r\n"), HTTP_REFUSED},
		{BYTES("GET / HTTP/2"), HTTP_REFUSED},
		{BYTES("\n"), HTTP_REFUSED},
		{BYTES("GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		       "aaaaaaaaaaaa"),
		 HTTP_REFUSED},
	};
	struct bytes b;
	size_t i;

	bytes_init(&b, 64);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *text = bytes_put(&b, rows[i].text, rows[i].len);
		enum http_verdict v = http_sniff(text, rows[i].len, 60);

		UNIT_CHECK(v == rows[i].verdict, "%d: %s", v, rows[i].text);
	}
	bytes_fini(&b);
}

static const struct unit_test tests[] = {
	{"refused", test_refused}, {"passed", test_passed},
	{"upgrade", test_upgrade}, {"limits", test_limits},
	{"sniff", test_sniff},
};

UNIT_MAIN("response", tests)
