/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_forward.c - heads that come, and heads that go on. */
#include <string.h>

#include "proxyd/base/reason.h"
#include "proxyd/http/answer.h"
#include "proxyd/http/error_page.h"
#include "proxyd/http/forward.h"
#include "proxyd/http/parse.h"

#include "tests/unit.h"

#define H "Host: a\r\n"

struct row {
	const char *in;
	const char *out;
	struct forward how;
};

static void
check(const struct row *row, bool response)
{
	size_t len = strlen(row->in), n;
	enum http_bad bad = HTTP_BAD_NONE;
	enum http_verdict verdict;
	struct http_head head;
	char out[1024];

	verdict = response
			  ? http_parse_response(row->in, len, 8192, false,
						&head, &bad)
			  : http_parse_request(row->in, len, 8192, &head, &bad);
	UNIT_CHECK(verdict == HTTP_HEAD, "%s: %s", row->in, http_bad_word(bad));
	if (verdict != HTTP_HEAD)
		return;
	n = response ? forward_response(&head, row->in, &row->how, out,
					sizeof(out) - 1, &bad)
		     : forward_request(&head, row->in, &row->how, out,
				       sizeof(out) - 1, &bad);
	CU_ASSERT_EQUAL(bad, HTTP_BAD_NONE);
	out[n] = '\0';
	UNIT_STRINGS(out, row->out);
	/* a byte too little is not enough, and none too many is written */
	memset(out, 'x', sizeof(out));
	n = response ? forward_response(&head, row->in, &row->how, out,
					strlen(row->out) - 1, &bad)
		     : forward_request(&head, row->in, &row->how, out,
				       strlen(row->out) - 1, &bad);
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT_EQUAL(bad, HTTP_BAD_HEAD_TOO_LARGE);
	CU_ASSERT_EQUAL(out[strlen(row->out) - 1], 'x');
}

static void
check_all(const struct row *rows, size_t n, bool response)
{
	size_t i;

	for (i = 0; i < n; i++)
		check(&rows[i], response);
}

static void
as_it_is(void)
{
	static const struct row rows[] = {
		{"GET /a?b HTTP/1.1\r\n" H "X: y\r\n\r\n",
		 "GET /a?b HTTP/1.1\r\n" H "X: y\r\n\r\n",
		 {.host = "b"}},
		{"OPTIONS * HTTP/1.1\r\n" H "\r\n",
		 "OPTIONS * HTTP/1.1\r\n" H "\r\n",
		 {.host = "b"}},
		/* whole URLs become paths */
		{"GET http://a/b?c HTTP/1.1\r\n" H "\r\n",
		 "GET /b?c HTTP/1.1\r\n" H "\r\n",
		 {.host = "b"}},
		{"GET http://a HTTP/1.1\r\n" H "\r\n",
		 "GET / HTTP/1.1\r\n" H "\r\n",
		 {.host = "b"}},
		{"GET http://a?c/d HTTP/1.1\r\n" H "\r\n",
		 "GET /?c/d HTTP/1.1\r\n" H "\r\n",
		 {.host = "b"}},
		{"OPTIONS http://a HTTP/1.1\r\n" H "\r\n",
		 "OPTIONS * HTTP/1.1\r\n" H "\r\n",
		 {.host = "b"}},
		{"GET http://a:80/b HTTP/1.0\r\n\r\n",
		 "GET /b HTTP/1.1\r\nHost: a:80\r\n\r\n",
		 {.host = "b"}},
		/* in our own version, and with a Host */
		{"GET / HTTP/1.0\r\nX: y\r\n\r\n",
		 "GET / HTTP/1.1\r\nX: y\r\nHost: 10.2.0.2:80\r\n\r\n",
		 {.host = "10.2.0.2:80"}},
		{"GET / HTTP/1.0\r\n\r\n",
		 "GET / HTTP/1.1\r\nHost: b\r\n\r\n",
		 {.host = "b"}},
		{"\r\nGET / HTTP/1.1\r\n" H "\r\n",
		 "GET / HTTP/1.1\r\n" H "\r\n",
		 {.host = "b"}},
	};

	check_all(rows, sizeof(rows) / sizeof(rows[0]), false);
}

static void
between_neighbours(void)
{
	static const struct row rows[] = {
		{"GET / HTTP/1.1\r\nConnection: keep-alive\r\n" H
		 "Keep-Alive: timeout=5\r\nX: y\r\nProxy-Connection: x\r\n\r\n",
		 "GET / HTTP/1.1\r\n" H "X: y\r\n\r\n",
		 {.host = "b"}},
		{"GET / HTTP/1.1\r\n" H "Connection: x, close ,, Y\r\n"
		 "x: 1\r\nXX: 2\r\ny: 3\r\nX: 4\r\n\r\n",
		 "GET / HTTP/1.1\r\n" H "XX: 2\r\n\r\n",
		 {.host = "b"}},
		{"GET / HTTP/1.1\r\n" H "Connection: host, content-length, "
		 "x-forwarded-for, cookie\r\nContent-Length: 5\r\n"
		 "Cookie: c\r\n\r\n",
		 "GET / HTTP/1.1\r\n" H "Content-Length: 5\r\n"
		 "Cookie: c\r\n\r\n",
		 {.host = "b"}},
		{"GET / HTTP/1.1\r\n" H "TE: trailers, deflate\r\n"
		 "Connection: TE\r\n\r\n",
		 "GET / HTTP/1.1\r\n" H "TE: trailers\r\n"
		 "Connection: TE\r\n\r\n",
		 {.host = "b"}},
		{"POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		 "Trailer: x\r\nExpect: 100-continue\r\n\r\n",
		 "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n"
		 "Trailer: x\r\nExpect: 100-continue\r\n\r\n",
		 {.host = "b"}},
	};

	check_all(rows, sizeof(rows) / sizeof(rows[0]), false);
}

static void
connections(void)
{
	static const struct row rows[] = {
		{"GET / HTTP/1.1\r\n" H "Upgrade: websocket\r\n"
		 "Connection: upgrade\r\n\r\n",
		 "GET / HTTP/1.1\r\n" H "Upgrade: websocket\r\n"
		 "Connection: upgrade\r\n\r\n",
		 {.upgrade = true}},
		{"GET / HTTP/1.1\r\n" H "Upgrade: h2c\r\nHTTP2-Settings: x\r\n"
		 "Connection: upgrade, http2-settings\r\n\r\n",
		 "GET / HTTP/1.1\r\n" H "\r\n",
		 {.upgrade = false}},
		{"GET / HTTP/1.1\r\n" H "\r\n",
		 "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n",
		 {.close = true}},
	};

	check_all(rows, sizeof(rows) / sizeof(rows[0]), false);
}

static void
who_it_was(void)
{
	static const struct row rows[] = {
		{"GET / HTTP/1.1\r\n" H "\r\n",
		 "GET / HTTP/1.1\r\n" H "X-Forwarded-For: c\r\n\r\n",
		 {.forwarded_for = "c"}},
		{"GET / HTTP/1.1\r\nx-forwarded-for: a \r\n" H
		 "X-Forwarded-For:  b\t\r\nX: y\r\n\r\n",
		 "GET / HTTP/1.1\r\nx-forwarded-for: a \r\n" H
		 "X-Forwarded-For:  b, c\r\nX: y\r\n\r\n",
		 {.forwarded_for = "c"}},
		{"GET / HTTP/1.1\r\n" H "X-Forwarded-For:\r\n\r\n",
		 "GET / HTTP/1.1\r\n" H "X-Forwarded-For: c\r\n\r\n",
		 {.forwarded_for = "c"}},
		{"GET / HTTP/1.1\r\nX-Forwarded-For: a\r\n" H
		 "X-Forwarded-For: b\r\n\r\n",
		 "GET / HTTP/1.1\r\n" H "X-Forwarded-For: c\r\n\r\n",
		 {.forwarded_for = "c", .forwarded_replace = true}},
		{"GET / HTTP/1.1\r\n" H "X-Forwarded-For: b\r\n"
		 "X-Cluster-Client-Ip: d\r\n\r\n",
		 "GET / HTTP/1.1\r\n" H "X-Forwarded-For: b\r\n"
		 "X-Cluster-Client-Ip: c\r\n\r\n",
		 {.cluster_ip = "c"}},
		/* nobody takes it out by naming it */
		{"GET / HTTP/1.1\r\n" H "Connection: x-forwarded-for\r\n"
		 "X-Forwarded-For: b\r\n\r\n",
		 "GET / HTTP/1.1\r\n" H "X-Forwarded-For: b, c\r\n\r\n",
		 {.forwarded_for = "c"}},
	};

	check_all(rows, sizeof(rows) / sizeof(rows[0]), false);
}

static void
responses(void)
{
	static const struct row rows[] = {
		{"HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\n\r\n",
		 "HTTP/1.1 200 OK\r\nX: y\r\n\r\n",
		 {.strip = false}},
		{"HTTP/1.0 200 Fine\r\nContent-Length: 2\r\n\r\n",
		 "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n"
		 "Connection: close\r\n\r\n",
		 {.close = true}},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
		 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
		 "Connection: keep-alive\r\n\r\n",
		 {.keep_alive = true}},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		 "X: y\r\n\r\n",
		 "HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\n\r\n",
		 {.strip = true, .close = true}},
		{"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\n\r\n",
		 "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n"
		 "Connection: upgrade\r\n\r\n",
		 {.upgrade = true}},
		{"HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\n"
		 "Connection: Upgrade\r\nContent-Length: 0\r\n\r\n",
		 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		 {.upgrade = false}},
		{"HTTP/1.1 204\r\nX: y\r\n\r\n",
		 "HTTP/1.1 204\r\nX: y\r\n\r\n",
		 {.strip = false}},
	};

	check_all(rows, sizeof(rows) / sizeof(rows[0]), true);
}

/* Each of them is looked for in all fields: there may not be many. */
static void
many_options(void)
{
	const struct forward how = {.host = "b"};
	enum http_bad bad;
	struct http_head head;
	char in[1024], out[1024];
	int i, n;

	n = snprintf(in, sizeof(in), "GET / HTTP/1.1\r\n" H "Connection: a");
	for (i = 0; i < 15; i++)
		n += snprintf(in + n, sizeof(in) - (size_t)n, ", b%d", i);
	snprintf(in + n, sizeof(in) - (size_t)n, "\r\n\r\n");
	CU_ASSERT_EQUAL(http_parse_request(in, strlen(in), 8192, &head, &bad),
			HTTP_HEAD);
	CU_ASSERT(forward_request(&head, in, &how, out, sizeof(out), &bad) > 0);
	snprintf(in + n, sizeof(in) - (size_t)n, ", c\r\n\r\n");
	CU_ASSERT_EQUAL(http_parse_request(in, strlen(in), 8192, &head, &bad),
			HTTP_HEAD);
	CU_ASSERT_EQUAL(
		forward_request(&head, in, &how, out, sizeof(out), &bad), 0);
	CU_ASSERT_EQUAL(bad, HTTP_BAD_CONNECTION);
}

/* --- answers of our own --------------------------------------------------- */

static void
answers(void)
{
	struct answer a = {
		.status = 502,
		.phrase = "Bad Gateway",
		.date = "Sun, 06 Nov 1994 08:49:37 GMT",
		.type = "text/html",
		.len = 12,
	};
	char out[ANSWER_HEAD_MAX];
	enum http_bad bad;
	struct http_head head;
	size_t n;

	n = answer_head(&a, out);
	out[n] = '\0';
	UNIT_STRINGS(out, "HTTP/1.1 502 Bad Gateway\r\n"
			  "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
			  "Content-Type: text/html\r\nContent-Length: 12\r\n"
			  "Cache-Control: no-store\r\n\r\n");
	a.close = true;
	n = answer_head(&a, out);
	CU_ASSERT_EQUAL(http_parse_response(out, n, n, false, &head, &bad),
			HTTP_HEAD);
	CU_ASSERT(!head.keep);
	CU_ASSERT_EQUAL(head.length, 12);
}

/* Whatever is a reason to answer has words to do so. */
static void
phrases(void)
{
	int i;

	for (i = 1; i < HTTP_BAD_COUNT; i++)
		UNIT_CHECK(*error_page_phrase((unsigned int)http_bad_status(
				   (enum http_bad)i)),
			   "%s", http_bad_word((enum http_bad)i));
	for (i = 1; i < REASON_COUNT; i++)
		UNIT_CHECK(!reason_status((enum reason)i) ||
				   *error_page_phrase(
					   reason_status((enum reason)i)),
			   "%s", reason_word((enum reason)i));
}

static const struct unit_test tests[] = {
	{"as_it_is", as_it_is},
	{"between_neighbours", between_neighbours},
	{"connections", connections},
	{"who_it_was", who_it_was},
	{"responses", responses},
	{"many_options", many_options},
	{"answers", answers},
	{"phrases", phrases},
};

UNIT_MAIN("forward", tests)
