/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_request.c - heads of requests: each refusal, and what is passed. */
#include <stdio.h>
#include <stdlib.h>

#include "proxyd/http/parse.h"

#include "tests/proxyd/heads.h"

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"

struct row {
	const char *text;
	size_t len;
	enum http_bad bad;
};

/*                                   text -> HTTP_BAD_... */
#define BAD(name, literal)                                                     \
	{                                                                      \
		BYTES(literal), HTTP_BAD_##name                                \
	}

static const struct row line_rows[] = {
	BAD(BARE_CR, "\rGET / HTTP/1.1\r\n"),
	BAD(BARE_CR, "GET\r/ HTTP/1.1\r\n"),
	BAD(BARE_CR, "GET /\r HTTP/1.1\r\n"),
	BAD(BARE_CR, "GET / HTTP/1.1\rHost: a\r\n"),
	BAD(BARE_CR, "GET / HTTP/1.1\r\r\n"),
	BAD(BARE_CR, "\r\n\rGET / HTTP/1.1\r\n"),
	BAD(BARE_LF, "\nGET / HTTP/1.1\r\n"),
	BAD(BARE_LF, "GET / HTTP/1.1\nHost: a\r\n"),
	BAD(BARE_LF, "GET /\n"),
	BAD(BARE_LF, "GET /a\nb HTTP/1.1\r\n"),
	BAD(BARE_LF, "GET\n"),
	BAD(NUL, "\0"),
	BAD(NUL, "GE\0T / HTTP/1.1\r\n"),
	BAD(NUL, "GET /\0 HTTP/1.1\r\n"),
	BAD(NUL, "GET / HTTP/1.1\0\r\n"),
	BAD(NUL, "GET / HT\0TP/1.1\r\n"),
	BAD(REQUEST_LINE, "\r\n\r\nGET / HTTP/1.1\r\n"),
	BAD(REQUEST_LINE, " GET / HTTP/1.1\r\n"),
	BAD(REQUEST_LINE, "GET\r\n"),
	BAD(REQUEST_LINE, "GET \r\n"),
	BAD(REQUEST_LINE, "GET  / HTTP/1.1\r\n"),
	BAD(REQUEST_LINE, "GET /  HTTP/1.1\r\n"),
	BAD(REQUEST_LINE, "GET / HTTP/1.1 \r\n"),
	BAD(REQUEST_LINE, "GET / HTTP/1.10\r\n"),
	BAD(REQUEST_LINE, "GET / HTTP/11\r\n"),
	BAD(REQUEST_LINE, "GET / HTTP/1.x\r\n"),
	BAD(REQUEST_LINE, "GET / http/1.1\r\n"),
	BAD(REQUEST_LINE, "GET / HTTPS/1.1\r\n"),
	BAD(REQUEST_LINE, "GET / ICAP/1.0\r\n"),
	BAD(REQUEST_LINE, "GET / x HTTP/1.1\r\n"),
	BAD(REQUEST_LINE, "GET / \r\n"),
	BAD(METHOD, "GET\t/ HTTP/1.1\r\n"),
	BAD(METHOD, "\x16\x03\x01\x02"),
	BAD(METHOD, "G(T / HTTP/1.1\r\n"),
	BAD(METHOD, "G\xc3\x89T / HTTP/1.1\r\n"),
	BAD(METHOD, "AAAAAAAABBBBBBBBCCCCCCCCDDDDDDDDx / HTTP/1.1\r\n"),
	BAD(METHOD, "GET: / HTTP/1.1\r\n"),
	BAD(CONNECT, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
	BAD(CONNECT, "CONNECT "),
	BAD(TARGET, "GET a HTTP/1.1\r\n"),
	BAD(TARGET, "GET ?a HTTP/1.1\r\n"),
	BAD(TARGET, "GET * HTTP/1.1\r\n"),
	BAD(TARGET, "OPTIONS *x HTTP/1.1\r\n"),
	BAD(TARGET, "OPTIONS ** HTTP/1.1\r\n"),
	BAD(TARGET, "GET /a#b HTTP/1.1\r\n"),
	BAD(TARGET, "GET /a?b#c HTTP/1.1\r\n"),
	BAD(TARGET, "GET /a\\b HTTP/1.1\r\n"),
	BAD(TARGET, "GET /a\tb HTTP/1.1\r\n"),
	BAD(TARGET, "GET /\x01 HTTP/1.1\r\n"),
	BAD(TARGET, "GET /\x7f HTTP/1.1\r\n"),
	BAD(TARGET, "GET /\xc3\xa4 HTTP/1.1\r\n"),
	BAD(TARGET, "GET /?\xc3\xa4 HTTP/1.1\r\n"),
	BAD(TARGET, "GET /\x80 HTTP/1.1\r\n"),
	BAD(TARGET, "GET /% HTTP/1.1\r\n"),
	BAD(TARGET, "GET /%4 HTTP/1.1\r\n"),
	BAD(TARGET, "GET /%4g HTTP/1.1\r\n"),
	BAD(TARGET, "GET /%u0041 HTTP/1.1\r\n"),
	BAD(TARGET, "GET https://a/ HTTP/1.1\r\n"),
	BAD(TARGET, "GET ftp://a/ HTTP/1.1\r\n"),
	BAD(TARGET, "GET http:/a HTTP/1.1\r\n"),
	BAD(TARGET, "GET http://a#b HTTP/1.1\r\n"),
	BAD(TARGET, "GET http://a\tb/ HTTP/1.1\r\n"),
	BAD(TARGET, "PRI a HTTP/2.0\r\n"),
	BAD(TARGET, "EHLO mail.example\r\n"),
	BAD(TARGET, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
	BAD(TARGET, "GET a:80 HTTP/1.1\r\n"),
	BAD(AUTHORITY, "GET http:///a HTTP/1.1\r\n"),
	BAD(AUTHORITY, "GET http:// HTTP/1.1\r\n"),
	BAD(AUTHORITY, "GET http://u@a/ HTTP/1.1\r\n"),
	BAD(AUTHORITY, "GET http://u:p@a/ HTTP/1.1\r\n"),
	BAD(AUTHORITY, "GET http://a:x/ HTTP/1.1\r\n"),
	BAD(AUTHORITY, "GET http://a\\b/ HTTP/1.1\r\n"),
	BAD(VERSION, "GET /\r\n"),
	BAD(VERSION, "GET / HTTP/0.9\r\n"),
	BAD(VERSION, "GET / HTTP/1.2\r\n"),
	BAD(VERSION, "GET / HTTP/1.9\r\n"),
	BAD(VERSION, "GET / HTTP/2.0\r\n"),
	BAD(VERSION, "GET / HTTP/3\r\n"),
	BAD(VERSION, "OPTIONS * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
};

static const struct row field_rows[] = {
	BAD(BARE_CR, LINE HOST "\rX"),
	BAD(BARE_CR, LINE "Host: a\rX: b\r\n\r\n"),
	BAD(BARE_CR, LINE HOST "X: a\rb\r\n\r\n"),
	BAD(BARE_CR, LINE HOST "X: a\r\r\n\r\n"),
	BAD(BARE_CR, LINE HOST "X:\r\r\n"),
	BAD(BARE_CR, LINE HOST "X\rY: a\r\n\r\n"),
	BAD(BARE_CR, LINE HOST "\r\r\n"),
	BAD(BARE_LF, LINE HOST "\n"),
	BAD(BARE_LF, LINE "Host: a\nX: b\r\n\r\n"),
	BAD(BARE_LF, LINE HOST "X: a\n\r\n"),
	BAD(BARE_LF, LINE HOST "X\n: a\r\n\r\n"),
	BAD(BARE_LF, LINE HOST "X:\n a\r\n\r\n"),
	BAD(NUL, LINE HOST "X: a\0b\r\n\r\n"),
	BAD(NUL, LINE HOST "X\0: a\r\n\r\n"),
	BAD(NUL, LINE HOST "\0\r\n\r\n"),
	BAD(NUL, LINE "Host: a\0\r\n\r\n"),
	BAD(OBS_FOLD, LINE " Host: a\r\n\r\n"),
	BAD(OBS_FOLD, LINE "\tHost: a\r\n\r\n"),
	BAD(OBS_FOLD, LINE HOST "X: a\r\n b\r\n\r\n"),
	BAD(OBS_FOLD, LINE HOST "X: a\r\n\tb\r\n\r\n"),
	BAD(OBS_FOLD, LINE HOST "X: a\r\n \r\n\r\n"),
	BAD(OBS_FOLD, LINE "Host:\r\n a\r\n\r\n"),
	BAD(SPACE_BEFORE_COLON, LINE "Host : a\r\n\r\n"),
	BAD(SPACE_BEFORE_COLON, LINE "Host\t: a\r\n\r\n"),
	BAD(SPACE_BEFORE_COLON, LINE HOST "Content-Length : 5\r\n\r\n"),
	BAD(SPACE_BEFORE_COLON, LINE HOST "X Y: a\r\n\r\n"),
	BAD(FIELD_NAME, LINE HOST ": a\r\n\r\n"),
	BAD(FIELD_NAME, LINE HOST "X\r\n\r\n"),
	BAD(FIELD_NAME, LINE HOST "X\"Y: a\r\n\r\n"),
	BAD(FIELD_NAME, LINE HOST "X(Y): a\r\n\r\n"),
	BAD(FIELD_NAME, LINE HOST "X/Y: a\r\n\r\n"),
	BAD(FIELD_NAME, LINE HOST "X@: a\r\n\r\n"),
	BAD(FIELD_NAME, LINE HOST "X\x01: a\r\n\r\n"),
	BAD(FIELD_NAME, LINE HOST "X\x7f: a\r\n\r\n"),
	BAD(FIELD_NAME, LINE HOST "X\xa0: a\r\n\r\n"),
	BAD(FIELD_NAME, LINE HOST "\xef\xbb\xbfX: a\r\n\r\n"),
	BAD(FIELD_VALUE, LINE HOST "X: a\x01\r\n\r\n"),
	BAD(FIELD_VALUE, LINE HOST "X: a\x0b\r\n\r\n"),
	BAD(FIELD_VALUE, LINE HOST "X: \x0c\r\n\r\n"),
	BAD(FIELD_VALUE, LINE HOST "X: a\x1f\r\n\r\n"),
	BAD(FIELD_VALUE, LINE HOST "X:\x7f\r\n\r\n"),
	BAD(FIELD_VALUE, LINE HOST "X: a\x1b[0m\r\n\r\n"),
};

#define LENGTH(value) LINE HOST "Content-Length:" value "\r\n\r\n"
#define ENCODING(value) LINE HOST "Transfer-Encoding:" value "\r\n\r\n"

static const struct row framing_rows[] = {
	BAD(CONTENT_LENGTH, LENGTH("")),
	BAD(CONTENT_LENGTH, LENGTH(" ")),
	BAD(CONTENT_LENGTH, LENGTH(" x")),
	BAD(CONTENT_LENGTH, LENGTH(" -1")),
	BAD(CONTENT_LENGTH, LENGTH(" +5")),
	BAD(CONTENT_LENGTH, LENGTH(" 0x5")),
	BAD(CONTENT_LENGTH, LENGTH(" 5;")),
	BAD(CONTENT_LENGTH, LENGTH(" 5,")),
	BAD(CONTENT_LENGTH, LENGTH(" 5, 5")),
	BAD(CONTENT_LENGTH, LENGTH(" 5, 6")),
	BAD(CONTENT_LENGTH, LENGTH(" 5 5")),
	BAD(CONTENT_LENGTH, LENGTH(" 5.0")),
	BAD(CONTENT_LENGTH, LENGTH(" \"5\"")),
	BAD(CONTENT_LENGTH, LENGTH(" 5\xa0")),
	BAD(CONTENT_LENGTH, LENGTH(" 9223372036854775808")),
	BAD(CONTENT_LENGTH, LENGTH(" 18446744073709551616")),
	BAD(CONTENT_LENGTH, LENGTH(" 18446744073709551621")),
	BAD(CONTENT_LENGTH, LENGTH(" 00000000000000000005")),
	BAD(CONTENT_LENGTH,
	    LINE HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
	BAD(CONTENT_LENGTH,
	    LINE HOST "Content-Length: 5\r\nX: a\r\nCONTENT-LENGTH: 6\r\n\r\n"),
	BAD(LENGTH_AND_ENCODING, LINE HOST
	    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
	BAD(LENGTH_AND_ENCODING, LINE HOST
	    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
	BAD(LENGTH_AND_ENCODING, LINE HOST
	    "Content-Length: 0\r\ntransfer-encoding: CHUNKED\r\n\r\n"),
	BAD(ENCODING, ENCODING("")),
	BAD(ENCODING, ENCODING(" identity")),
	BAD(ENCODING, ENCODING(" gzip")),
	BAD(ENCODING, ENCODING(" gzip, chunked")),
	BAD(ENCODING, ENCODING(" chunked, gzip")),
	BAD(ENCODING, ENCODING(" chunked, chunked")),
	BAD(ENCODING, ENCODING(" chunked,")),
	BAD(ENCODING, ENCODING(" ,chunked")),
	BAD(ENCODING, ENCODING(" chunked;q=1")),
	BAD(ENCODING, ENCODING(" \"chunked\"")),
	BAD(ENCODING, ENCODING(" xchunked")),
	BAD(ENCODING, ENCODING(" chunke")),
	BAD(ENCODING, ENCODING(" chun ked")),
	BAD(ENCODING, LINE HOST "Transfer-Encoding: chunked\r\n"
				"Transfer-Encoding: chunked\r\n\r\n"),
	BAD(ENCODING, LINE HOST "Transfer-Encoding: chunked\r\n"
				"Transfer-Encoding: identity\r\n\r\n"),
	BAD(ENCODING, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
	BAD(HOST_MISSING, LINE "\r\n"),
	BAD(HOST_MISSING, LINE "X: Host: a\r\n\r\n"),
	BAD(HOST_MISSING, "GET http://a/ HTTP/1.1\r\n\r\n"),
	BAD(HOST_REPEATED, LINE HOST HOST "\r\n"),
	BAD(HOST_REPEATED, LINE HOST "HOST: b\r\n\r\n"),
	BAD(HOST_REPEATED, "GET / HTTP/1.0\r\n" HOST HOST "\r\n"),
	BAD(AUTHORITY, LINE "Host: u@a\r\n\r\n"),
	BAD(AUTHORITY, LINE "Host: a b\r\n\r\n"),
	BAD(AUTHORITY, LINE "Host: a, b\r\n\r\n"),
	BAD(AUTHORITY, LINE "Host: a/b\r\n\r\n"),
	BAD(AUTHORITY, LINE "Host: http://a\r\n\r\n"),
	BAD(AUTHORITY, LINE "Host: a:99999\r\n\r\n"),
	BAD(AUTHORITY, LINE "Host: :80\r\n\r\n"),
	BAD(AUTHORITY, LINE "Host: [::1\r\n\r\n"),
	BAD(AUTHORITY, LINE "Host: ::1\r\n\r\n"),
	BAD(AUTHORITY, LINE "Host: \xc3\xa4\r\n\r\n"),
	BAD(AUTHORITY, "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"),
	BAD(AUTHORITY, "GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n"),
	BAD(AUTHORITY, "GET http://a/ HTTP/1.1\r\nHost: a:81\r\n\r\n"),
	BAD(AUTHORITY, "GET http://a/ HTTP/1.0\r\nHost: b\r\n\r\n"),
};

static void
refuse(const struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct heads_found f =
			heads_feed(http_parse_request, rows[i].text,
				   rows[i].len, HEADS_MOST);

		UNIT_CHECK(f.verdict == HTTP_REFUSED, "passed: %s",
			   rows[i].text);
		if (f.verdict == HTTP_REFUSED)
			UNIT_CHECK(f.bad == rows[i].bad, "%s, not %s: %s",
				   http_bad_word(f.bad),
				   http_bad_word(rows[i].bad), rows[i].text);
	}
}

static void
test_line_refused(void)
{
	refuse(line_rows, sizeof(line_rows) / sizeof(line_rows[0]));
}

static void
test_field_refused(void)
{
	refuse(field_rows, sizeof(field_rows) / sizeof(field_rows[0]));
}

static void
test_framing_refused(void)
{
	refuse(framing_rows, sizeof(framing_rows) / sizeof(framing_rows[0]));
}

/* Lines that pass, and what is seen in them; each with Host: a */
static void
test_line_passed(void)
{
	static const struct {
		const char *line;
		int method;
		const char *target, *path, *host;
	} rows[] = {
		{LINE, HTTP_METHOD_GET, "/", "/", "a"},
		{"\r\n" LINE, HTTP_METHOD_GET, "/", "/", "a"},
		{"HEAD /a/b.c HTTP/1.1\r\n", HTTP_METHOD_HEAD, "/a/b.c",
		 "/a/b.c", "a"},
		{"POST /?a=b&c HTTP/1.0\r\n", HTTP_METHOD_POST, "/?a=b&c",
		 "/?a=b&c", "a"},
		{"PUT //x HTTP/1.1\r\n", HTTP_METHOD_PUT, "//x", "//x", "a"},
		{"DELETE /%41%2f%00 HTTP/1.1\r\n", HTTP_METHOD_DELETE,
		 "/%41%2f%00", "/%41%2f%00", "a"},
		{"TRACE /-._~!$&'()*+,;=:@ HTTP/1.1\r\n", HTTP_METHOD_TRACE,
		 "/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@", "a"},
		{"PATCH /\"<>[]^`{|} HTTP/1.1\r\n", HTTP_METHOD_PATCH,
		 "/\"<>[]^`{|}", "/\"<>[]^`{|}", "a"},
		{"GET /?\"<>[]^`{|}\\%?%zz/ HTTP/1.1\r\n", HTTP_METHOD_GET,
		 "/?\"<>[]^`{|}\\%?%zz/", "/?\"<>[]^`{|}\\%?%zz/", "a"},
		{"GET /?http://b HTTP/1.1\r\n", HTTP_METHOD_GET, "/?http://b",
		 "/?http://b", "a"},
		{"OPTIONS * HTTP/1.1\r\n", HTTP_METHOD_OPTIONS, "*", "*", "a"},
		{"OPTIONS /a HTTP/1.1\r\n", HTTP_METHOD_OPTIONS, "/a", "/a",
		 "a"},
		{"GET http://a/b?c HTTP/1.1\r\n", HTTP_METHOD_GET,
		 "http://a/b?c", "/b?c", "a"},
		{"GET HTTP://A:80/b HTTP/1.1\r\n", HTTP_METHOD_GET,
		 "HTTP://A:80/b", "/b", "A:80"},
		{"GET http://a HTTP/1.1\r\n", HTTP_METHOD_GET, "http://a", "",
		 "a"},
		{"GET http://a?b HTTP/1.1\r\n", HTTP_METHOD_GET, "http://a?b",
		 "?b", "a"},
		{"OPTIONS http://a HTTP/1.1\r\n", HTTP_METHOD_OPTIONS,
		 "http://a", "", "a"},
		{"get / HTTP/1.1\r\n", HTTP_METHOD_OTHER, "/", "/", "a"},
		{"VERSION-CONTROL / HTTP/1.1\r\n", HTTP_METHOD_OTHER, "/", "/",
		 "a"},
		{"!#$%&'*+-.^_`|~9 / HTTP/1.1\r\n", HTTP_METHOD_OTHER, "/", "/",
		 "a"},
		{"AAAAAAAABBBBBBBBCCCCCCCCDDDDDDDD / HTTP/1.1\r\n",
		 HTTP_METHOD_OTHER, "/", "/", "a"},
		{"PRI / HTTP/1.1\r\n", HTTP_METHOD_OTHER, "/", "/", "a"},
	};
	char text[256];
	size_t i, len;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heads_found f;
		const struct http_head *h = &f.head;

		len = (size_t)snprintf(text, sizeof(text), "%s%s\r\n",
				       rows[i].line, HOST);
		f = heads_feed(http_parse_request, text, len, HEADS_MOST);
		UNIT_CHECK(f.verdict == HTTP_HEAD, "%s: %s",
			   http_bad_word(f.bad), text);
		if (f.verdict != HTTP_HEAD)
			continue;
		CU_ASSERT_EQUAL(h->size, len);
		UNIT_CHECK(h->method == rows[i].method, "%d: %s", h->method,
			   text);
		CU_ASSERT_EQUAL(h->minor, strstr(text, "HTTP/1.1\r") ? 1 : 0);
		heads_text(text, h->target, rows[i].target);
		heads_text(text, h->path, rows[i].path);
		heads_text(text, h->host, rows[i].host);
		CU_ASSERT_EQUAL(text[h->method_text.at + h->method_text.len],
				' ');
	}
}

/* Fields that pass, and their values */
static void
test_field_passed(void)
{
	static const struct {
		const char *field, *name, *value;
	} rows[] = {
		{"X: a", "X", "a"},
		{"X:a", "X", "a"},
		{"X:", "X", ""},
		{"X: ", "X", ""},
		{"X: \t \t", "X", ""},
		{"X: \t a \t b\t ", "X", "a \t b"},
		{"X: \"a\\\"b\"", "X", "\"a\\\"b\""},
		{"X: a: b", "X", "a: b"},
		{"X: \x80\xff\xc3\xa4", "X", "\x80\xff\xc3\xa4"},
		{"X::", "X", ":"},
		{"!#$%&'*+-.^_`|~09azAZ: a", "!#$%&'*+-.^_`|~09azAZ", "a"},
		{"Content_Length: 5", "Content_Length", "5"},
		{"A-name-that-is-longer-than-thirty-two-bytes-and-more: a",
		 "A-name-that-is-longer-than-thirty-two-bytes-and-more", "a"},
	};
	char text[256];
	size_t i, len;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heads_found f;

		len = (size_t)snprintf(text, sizeof(text), "%s%s%s\r\n\r\n",
				       LINE, HOST, rows[i].field);
		f = heads_feed(http_parse_request, text, len, HEADS_MOST);
		UNIT_CHECK(f.verdict == HTTP_HEAD, "%s: %s",
			   http_bad_word(f.bad), text);
		if (f.verdict != HTTP_HEAD)
			continue;
		CU_ASSERT_EQUAL_FATAL(f.head.n_fields, 2);
		CU_ASSERT_EQUAL(f.head.fields[0].id, HTTP_FIELD_HOST);
		CU_ASSERT_EQUAL(f.head.fields[1].id, HTTP_FIELD_OTHER);
		CU_ASSERT_EQUAL(f.head.seen, 1ULL << HTTP_FIELD_HOST);
		heads_text(text, f.head.fields[1].name, rows[i].name);
		heads_text(text, f.head.fields[1].value, rows[i].value);
	}
}

/* Every byte at a place of each kind: what may stand there, and no other. */
static void
test_every_byte(void)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
				    "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char text[128];
	size_t len;
	int c;

	for (c = 0; c < 256; c++) {
		bool in_token = c && strchr(token, c);
		bool in_value = c == '\t' || (c >= 0x20 && c != 0x7f);
		bool in_query = c > 0x20 && c < 0x7f && c != '#';
		bool in_path = in_query && c != '\\' && c != '%';
		const struct {
			const char *format;
			bool good;
		} places[] = {
			{"G%cT / HTTP/1.1\r\n" HOST "\r\n", in_token},
			{"GET /%c HTTP/1.1\r\n" HOST "\r\n", in_path},
			{"GET /?%c HTTP/1.1\r\n" HOST "\r\n", in_query},
			{LINE HOST "X%cX: a\r\n\r\n", in_token || c == ':'},
			{LINE HOST "X: a%cb\r\n\r\n", in_value},
			{LINE HOST "X: a-value-of-more-than-32-bytes-%cso\r\n"
				   "\r\n",
			 in_value},
		};
		size_t i;

		for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			struct heads_found f;

			/* a space in a target ends it, and "HTTP" follows */
			if (c == ' ' && (i == 0 || i == 1 || i == 2))
				continue;
			len = (size_t)snprintf(text, sizeof(text),
					       places[i].format, c);
			f = heads_whole(http_parse_request, text, len,
					HEADS_MOST);
			UNIT_CHECK((f.verdict == HTTP_HEAD) == places[i].good,
				   "%02x in place %zu: %d", c, i, f.verdict);
		}
	}
}

/* What follows from the fields, of 1.1 and with Host */
static void
test_framing(void)
{
	static const struct {
		const char *fields;
		enum http_framing framing;
		uint64_t length;
		bool keep, expect, upgrade, trailers;
	} rows[] = {
		{"", HTTP_NO_BODY, 0, true, 0, 0, 0},
		{"Content-Length: 0\r\n", HTTP_NO_BODY, 0, true, 0, 0, 0},
		{"content-length:5\r\n", HTTP_LENGTH, 5, true, 0, 0, 0},
		{"Content-Length: 0005 \r\n", HTTP_LENGTH, 5, true, 0, 0, 0},
		{"Content-Length: 9223372036854775807\r\n", HTTP_LENGTH,
		 INT64_MAX, true, 0, 0, 0},
		{"Transfer-Encoding: chunked\r\n", HTTP_CHUNKED, 0, true, 0, 0,
		 0},
		{"TRANSFER-ENCODING:\tChunked \r\n", HTTP_CHUNKED, 0, true, 0,
		 0, 0},
		{"Connection: close\r\n", HTTP_NO_BODY, 0, false, 0, 0, 0},
		{"Connection: CLOSE\r\n", HTTP_NO_BODY, 0, false, 0, 0, 0},
		{"Connection: a ,, close,b\r\n", HTTP_NO_BODY, 0, false, 0, 0,
		 0},
		{"Connection: a\r\nConnection: close\r\n", HTTP_NO_BODY, 0,
		 false, 0, 0, 0},
		{"Connection: closed, x close\r\n", HTTP_NO_BODY, 0, true, 0, 0,
		 0},
		{"Expect: 100-Continue\r\nContent-Length: 1\r\n", HTTP_LENGTH,
		 1, true, true, 0, 0},
		{"Expect: 200-ok\r\n", HTTP_NO_BODY, 0, true, 0, 0, 0},
		{"Upgrade: websocket\r\n", HTTP_NO_BODY, 0, true, 0, 0, 0},
		{"Connection: upgrade\r\n", HTTP_NO_BODY, 0, true, 0, 0, 0},
		{"Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
		 HTTP_NO_BODY, 0, true, 0, true, 0},
		{"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n",
		 HTTP_NO_BODY, 0, true, 0, 0, 0},
		{"Upgrade: H2C, websocket/13\r\nConnection: Upgrade\r\n",
		 HTTP_NO_BODY, 0, true, 0, true, 0},
		{"TE: gzip, Trailers\r\n", HTTP_NO_BODY, 0, true, 0, 0, true},
		{"TE: gzip\r\n", HTTP_NO_BODY, 0, true, 0, 0, 0},
	};
	char text[256];
	size_t i, len;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heads_found f;
		const struct http_head *h = &f.head;

		len = (size_t)snprintf(text, sizeof(text), "%s%s%s\r\n", LINE,
				       HOST, rows[i].fields);
		f = heads_feed(http_parse_request, text, len, HEADS_MOST);
		UNIT_CHECK(f.verdict == HTTP_HEAD &&
				   h->framing == rows[i].framing &&
				   h->length == rows[i].length &&
				   h->keep == rows[i].keep &&
				   h->expect_continue == rows[i].expect &&
				   h->upgrade == rows[i].upgrade &&
				   h->trailers == rows[i].trailers,
			   "%s: %d %d %llu %d %d %d %d", rows[i].fields,
			   f.verdict, h->framing, (unsigned long long)h->length,
			   h->keep, h->expect_continue, h->upgrade,
			   h->trailers);
	}
}

/* HTTP/1.0: no Host, closes, knows nothing of what came later */
static void
test_old(void)
{
	static const char text[] = "POST /a HTTP/1.0\r\nContent-Length: 1\r\n"
				   "Expect: 100-continue\r\nUpgrade: x\r\n"
				   "Connection: upgrade\r\n\r\n";
	static const char kept[] =
		"GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
	struct heads_found f;

	f = heads_feed(http_parse_request, text, sizeof(text) - 1, HEADS_MOST);
	CU_ASSERT_EQUAL(f.verdict, HTTP_HEAD);
	CU_ASSERT(f.head.minor == 0 && f.head.host.len == 0);
	CU_ASSERT(!f.head.keep && !f.head.expect_continue && !f.head.upgrade);
	f = heads_feed(http_parse_request, kept, sizeof(kept) - 1, HEADS_MOST);
	CU_ASSERT(f.verdict == HTTP_HEAD && f.head.keep);
}

/* An empty Host is allowed, and an empty line before the first. */
static void
test_empty(void)
{
	static const char text[] = "\r\n" LINE "Host:\r\n\r\n";
	struct heads_found f;

	f = heads_feed(http_parse_request, text, sizeof(text) - 1, HEADS_MOST);
	CU_ASSERT(f.verdict == HTTP_HEAD && f.head.host.len == 0);
	CU_ASSERT_EQUAL(f.head.size, sizeof(text) - 1);
	CU_ASSERT_EQUAL(f.head.method_text.at, 2);
}

/* The limit is of all bytes; what is longer is refused once it is there. */
static void
test_limits(void)
{
	static const char text[] = LINE HOST "X: a\r\n\r\n";
	size_t len = sizeof(text) - 1, line = sizeof(LINE) - 1, most;
	enum http_verdict want;
	struct heads_found f;
	enum http_bad bad;

	for (most = 1; most < len + 10; most++) {
		f = heads_feed(http_parse_request, text, len, most);
		want = most < len ? HTTP_REFUSED : HTTP_HEAD;
		bad = most < line  ? HTTP_BAD_LINE_TOO_LONG
		      : most < len ? HTTP_BAD_HEAD_TOO_LARGE
				   : HTTP_BAD_NONE;
		UNIT_CHECK(f.verdict == want && f.bad == bad, "%zu: %s", most,
			   http_bad_word(f.bad));
	}
	/* what is behind the limit is not seen */
	f = heads_whole(http_parse_request, BYTES(LINE "X: a\0"), line + 4);
	CU_ASSERT_EQUAL(f.bad, HTTP_BAD_HEAD_TOO_LARGE);
}

/* As many fields as there is room for, and one more */
static void
test_many(void)
{
	char text[4096] = LINE HOST;
	struct heads_found f;
	size_t len;
	int i;

	for (i = 1; i < HTTP_FIELDS_MAX; i++)
		strcat(text, "X: a\r\n");
	len = strlen(text);
	strcpy(text + len, "\r\n");
	f = heads_feed(http_parse_request, text, len + 2, HEADS_MOST);
	CU_ASSERT(f.verdict == HTTP_HEAD && f.head.n_fields == HTTP_FIELDS_MAX);
	strcpy(text + len, "X: a\r\n\r\n");
	f = heads_feed(http_parse_request, text, len + 8, HEADS_MOST);
	CU_ASSERT(f.verdict == HTTP_REFUSED &&
		  f.bad == HTTP_BAD_TOO_MANY_FIELDS);
}

/* Pipelined: the head ends where it ends. */
static void
test_pipelined(void)
{
	static const char text[] = LINE HOST "\r\nGET /b HTTP/1.1\r\n" HOST;
	struct heads_found f;

	f = heads_feed(http_parse_request, text, sizeof(text) - 1, HEADS_MOST);
	CU_ASSERT(f.verdict == HTTP_HEAD &&
		  f.head.size == sizeof(LINE HOST "\r\n") - 1);
}

static const struct unit_test tests[] = {
	{"line_refused", test_line_refused},
	{"field_refused", test_field_refused},
	{"framing_refused", test_framing_refused},
	{"line_passed", test_line_passed},
	{"field_passed", test_field_passed},
	{"every_byte", test_every_byte},
	{"framing", test_framing},
	{"old", test_old},
	{"empty", test_empty},
	{"limits", test_limits},
	{"many", test_many},
	{"pipelined", test_pipelined},
};

UNIT_MAIN("request", tests)
