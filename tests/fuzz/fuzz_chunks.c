/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_chunks - any bytes as a chunked body.
 *
 * What comes out does not depend on how they are cut, is the same as what a
 * second decoder finds, and what is passed on is again a body with the same
 * content. `make fuzz` runs it under libFuzzer.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

#include "proxyd/http/chunks.h"

enum { MOST = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define HOLDS(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,     \
				#cond);                                        \
			abort();                                               \
		}                                                              \
	} while (0)

struct decoded {
	struct str content;
	struct str passed; /* framing and content */
	enum chunks_kind end;
	enum http_bad bad;
	size_t used;
};

static void
decoded_fini(struct decoded *d)
{
	str_fini(&d->content);
	str_fini(&d->passed);
}

/* Take one piece of buf[used..len), alone in memory; false: no more now. */
static bool
take(struct decoded *d, struct chunks *c, const char *buf, size_t len)
{
	struct chunks_piece piece;
	char *part = malloc(len - d->used + 1);

	if (!part)
		abort();
	memcpy(part, buf + d->used, len - d->used);
	/* the end of what was malloc'ed is the end of what may be read */
	part = realloc(part, len - d->used ? len - d->used : 1);
	if (!part)
		abort();
	piece = chunks_next(c, part, len - d->used);
	HOLDS(piece.len <= len - d->used);
	HOLDS((piece.len == 0) ==
	      (piece.kind == CHUNKS_MORE || piece.kind == CHUNKS_BAD));
	if (piece.kind != CHUNKS_SKIP)
		str_add_bytes(&d->passed, part, piece.len);
	if (piece.kind == CHUNKS_DATA)
		str_add_bytes(&d->content, part, piece.len);
	if (piece.kind == CHUNKS_END || piece.kind == CHUNKS_BAD) {
		d->end = piece.kind;
		d->bad = piece.bad;
	}
	d->used += piece.len;
	free(part);
	return piece.len > 0 && d->end == CHUNKS_MORE;
}

/* Fed with `step` bytes more each time. */
static struct decoded
decode(const char *buf, size_t len, size_t step)
{
	struct decoded d = {.end = CHUNKS_MORE};
	struct chunks c;
	size_t n = 0;

	chunks_init(&c, MOST);
	while (n < len && d.end == CHUNKS_MORE) {
		n = len - n < step ? len : n + step;
		while (take(&d, &c, buf, n))
			;
	}
	return d;
}

/* The next line, without its end; false: there is none. */
static bool
line(const char **p, const char *end, const char **ret, size_t *ret_len)
{
	const char *crlf = memmem(*p, (size_t)(end - *p), "\r\n", 2);

	if (!crlf)
		return false;
	*ret = *p;
	*ret_len = (size_t)(crlf - *p);
	*p = crlf + 2;
	return true;
}

/*
 * Another decoder, which trusts that all is well-formed. False: not whole, or
 * it saw that it is not good.
 */
static bool
naive(const char *buf, size_t len, struct str *content, size_t *ret_used)
{
	const char *p = buf, *end = buf + len, *text;
	unsigned long long size;
	size_t n;
	char *stop;

	for (;;) {
		if (!line(&p, end, &text, &n) || n == 0)
			return false;
		size = strtoull(text, &stop, 16);
		if (size == 0)
			break;
		if (size > (size_t)(end - p))
			return false;
		str_add_bytes(content, p, (size_t)size);
		p += size;
		if (!line(&p, end, &text, &n) || n != 0)
			return false;
	}
	do {
		if (!line(&p, end, &text, &n))
			return false;
	} while (n > 0);
	*ret_used = (size_t)(p - buf);
	return true;
}

static bool
same(const struct str *a, const struct str *b)
{
	return a->len == b->len &&
	       memcmp(str_text(a), str_text(b), a->len) == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *buf = (const char *)data;
	struct decoded whole = decode(buf, len, len), cut, again;
	struct str content = {0};
	size_t steps[] = {1, 2, 3, 7, 64}, i, used;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		cut = decode(buf, len, steps[i]);
		HOLDS(cut.end == whole.end && cut.bad == whole.bad);
		HOLDS(same(&cut.content, &whole.content));
		HOLDS(same(&cut.passed, &whole.passed));
		decoded_fini(&cut);
	}
	if (whole.end == CHUNKS_END) {
		HOLDS(naive(buf, len, &content, &used));
		HOLDS(used == whole.used && same(&content, &whole.content));
		again = decode(whole.passed.data, whole.passed.len,
			       whole.passed.len);
		HOLDS(again.end == CHUNKS_END);
		HOLDS(again.used == whole.passed.len);
		HOLDS(same(&again.content, &content));
		decoded_fini(&again);
	}
	str_fini(&content);
	decoded_fini(&whole);
	return 0;
}
