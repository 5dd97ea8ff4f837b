/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_response - any bytes as the head of a response.
 *
 * To a request of HEAD where the first byte says so. See heads.h. `make fuzz`
 * runs it under libFuzzer.
 */
#include "tests/fuzz/heads.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum http_verdict
to_get(enum wide_kind kind, const char *buf, size_t len, struct http_head *ret,
       enum http_bad *ret_bad)
{
	return parse_response_by(kind, buf, len, HEADS_MOST, false, ret,
				 ret_bad);
}

static enum http_verdict
to_head(enum wide_kind kind, const char *buf, size_t len, struct http_head *ret,
	enum http_bad *ret_bad)
{
	return parse_response_by(kind, buf, len, HEADS_MOST, true, ret,
				 ret_bad);
}

static void
check_head(heads_parse *parse, const char *buf, const struct http_head *h)
{
	bool never = h->status < 200 || h->status == 204;
	const char *end = memchr(buf, '\n', h->size);

	heads_inside(h, h->reason);
	HEADS_HOLDS(h->status >= 100 && h->status <= 999);
	HEADS_HOLDS(http_has(h, HTTP_FIELD_CONTENT_LENGTH) +
			    http_has(h, HTTP_FIELD_TRANSFER_ENCODING) <
		    2);
	HEADS_HOLDS(h->framing != HTTP_UNTIL_CLOSE || !h->keep);
	HEADS_HOLDS(!(never || h->status == 304 || parse == to_head) ||
		    h->framing == HTTP_NO_BODY);
	heads_again(parse, buf, buf, (size_t)(end + 1 - buf), h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	heads_parse *parse = to_get;
	const char *buf = (const char *)data;
	struct http_head h;

	if (len > 0 && *buf == '+') {
		parse = to_head;
		buf++;
		len--;
	}
	if (heads_check(parse, buf, len, &h) == HTTP_HEAD)
		check_head(parse, buf, &h);
	return 0;
}
