/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tool_verdicts.c - what do parsers make of requests?
 *
 *	tool_verdicts LLHTTP <REQUESTS
 *
 * Each request is its length in decimal, a newline, and so many bytes. Prints a
 * line for each: "PARSER VERDICT SIZE BODY" of proxyd, llhttp and
 * picohttpparser in turn. A verdict is `passed`, `more` or why it is refused;
 * size is the bytes up to the end of its body, which follows in hexadecimal,
 * or "-". picohttpparser reads heads; where one has a chunked body as proxyd
 * understands it, it decodes that, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

#include "proxyd/http/chunks.h"
#include "proxyd/http/parse.h"

#include "tests/http/peers.h"

enum { MOST = 16384 };

/* what was found of one request, by one parser */
struct found {
	const char *verdict;
	size_t size;
	struct str body;
};

static void
print(const char *parser, struct found *f)
{
	size_t i;

	printf("%s %s %zu ", parser, f->verdict, f->size);
	for (i = 0; i < f->body.len; i++)
		printf("%02x", (unsigned char)f->body.data[i]);
	printf("%s ", f->body.len ? "" : "-");
	str_fini(&f->body);
}

static void
chunked(const char *buf, size_t len, struct found *f)
{
	struct chunks_piece piece;
	struct chunks c;

	chunks_init(&c, MOST);
	do {
		piece = chunks_next(&c, buf + f->size, len - f->size);
		if (piece.kind == CHUNKS_DATA)
			str_add_bytes(&f->body, buf + f->size, piece.len);
		f->size += piece.len;
	} while (piece.len > 0 && piece.kind != CHUNKS_END);
	if (piece.kind == CHUNKS_BAD)
		f->verdict = http_bad_word(piece.bad);
	else if (piece.kind != CHUNKS_END)
		f->verdict = "more";
}

static void
by_proxyd(const char *buf, size_t len, struct http_head *h, struct found *f)
{
	enum http_bad bad;

	switch (http_parse_request(buf, len, MOST, h, &bad)) {
	case HTTP_MORE:
		f->verdict = "more";
		return;
	case HTTP_REFUSED:
		f->verdict = http_bad_word(bad);
		return;
	case HTTP_HEAD:
		break;
	}
	f->verdict = "passed";
	f->size = h->size;
	if (h->framing == HTTP_CHUNKED) {
		chunked(buf, len, f);
	} else if (h->length > len - h->size) {
		f->verdict = "more";
	} else {
		str_add_bytes(&f->body, buf + h->size, (size_t)h->length);
		f->size += (size_t)h->length;
	}
}

static void
by_llhttp(const struct peers *p, const char *buf, size_t len, struct found *f)
{
	struct peers_llhttp r;

	peers_llhttp(p, buf, len, false, &r);
	if (r.message) {
		f->verdict = "passed";
		f->size = (size_t)(r.end - buf);
		str_add_bytes(&f->body, r.body, r.body_len);
	} else {
		f->verdict = r.error ? r.name : "more";
	}
}

/* A chunked body, from f->size on */
static void
pico_chunked(const struct peers *p, const char *buf, size_t len,
	     struct found *f)
{
	struct peers_chunks decoder = {.consume_trailer = 1};
	size_t n = len - f->size;
	char *copy = malloc(n + 1);
	long left;

	if (!copy)
		abort();
	memcpy(copy, buf + f->size, n);
	left = p->phr_chunked(&decoder, copy, &n);
	if (left >= 0) {
		str_add_bytes(&f->body, copy, n);
		f->size = len - (size_t)left;
	} else {
		f->verdict = left == -1 ? "refused" : "more";
	}
	free(copy);
}

static void
by_pico(const struct peers *p, const char *buf, size_t len,
	const struct http_head *h, bool body, struct found *f)
{
	struct peers_header headers[PEERS_HEADERS];
	size_t method_len, path_len, n = PEERS_HEADERS;
	const char *method, *path;
	int minor, size;

	size = p->phr_request(buf, len, &method, &method_len, &path, &path_len,
			      &minor, headers, &n, 0);
	f->verdict = size > 0 ? "passed" : size == -1 ? "refused" : "more";
	f->size = size > 0 ? (size_t)size : 0;
	if (size > 0 && body && h->framing == HTTP_CHUNKED)
		pico_chunked(p, buf, len, f);
}

int
main(int argc, char **argv)
{
	struct peers p = {0};
	size_t len;
	char *buf;

	if (argc != 2 || !peers_open(&p, argv[1])) {
		peers_close(&p);
		return 77;
	}
	while (scanf("%zu", &len) == 1 && getchar() == '\n') {
		struct found proxyd = {0}, llhttp = {0}, pico = {0};
		struct http_head h = {0};

		buf = malloc(len + 1);
		if (!buf || fread(buf, 1, len, stdin) != len)
			return 1;
		by_proxyd(buf, len, &h, &proxyd);
		by_llhttp(&p, buf, len, &llhttp);
		/* the rest is not its business: see its answer of the head */
		by_pico(&p, buf, len, &h, h.size > 0 && proxyd.size > 0, &pico);
		print("proxyd", &proxyd);
		print("llhttp", &llhttp);
		print("picohttpparser", &pico);
		puts("");
		free(buf);
	}
	peers_close(&p);
	return 0;
}
