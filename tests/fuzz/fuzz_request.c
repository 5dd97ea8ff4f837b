/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_request - any bytes as the head of a request.
 *
 * See heads.h; and the line is one that http_sniff() takes. `make fuzz` runs
 * it under libFuzzer.
 */
#include "tests/fuzz/heads.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum http_verdict
parse(enum wide_kind kind, const char *buf, size_t len, struct http_head *ret,
      enum http_bad *ret_bad)
{
	return parse_request_by(kind, buf, len, HEADS_MOST, ret, ret_bad);
}

/* What was taken of a request */
static void
check_head(const char *buf, const struct http_head *h)
{
	const char *line = buf + h->method_text.at, *end;
	uint32_t i;

	heads_inside(h, h->method_text);
	heads_inside(h, h->target);
	heads_inside(h, h->path);
	heads_inside(h, h->host);
	for (i = 0; i < h->target.len; i++)
		HEADS_HOLDS(buf[h->target.at + i] > ' ' &&
			    buf[h->target.at + i] < 0x7f &&
			    buf[h->target.at + i] != '#');
	HEADS_HOLDS(h->method != HTTP_METHOD_CONNECT);
	HEADS_HOLDS(h->minor == 0 || http_has(h, HTTP_FIELD_HOST));
	HEADS_HOLDS(h->framing != HTTP_UNTIL_CLOSE);
	HEADS_HOLDS(http_has(h, HTTP_FIELD_CONTENT_LENGTH) +
			    http_has(h, HTTP_FIELD_TRANSFER_ENCODING) <
		    2);
	end = memchr(line, '\n', h->size);
	heads_again(parse, buf, line, (size_t)(end + 1 - line), h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *buf = (const char *)data;
	enum http_verdict verdict, sniffed;
	struct http_head h;

	verdict = heads_check(parse, buf, len, &h);
	sniffed = http_sniff(buf, len, HEADS_MOST);
	if (verdict == HTTP_HEAD) {
		HEADS_HOLDS(sniffed == HTTP_HEAD);
		check_head(buf, &h);
	} else if (sniffed != HTTP_HEAD) {
		/* CONNECT is a line of HTTP, and refused early */
		HEADS_HOLDS(verdict == sniffed ||
			    (len >= 8 && memmem(buf, len, "CONNECT ", 8)));
	}
	return 0;
}
