/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_proxyproto - any bytes as the header of the PROXY protocol.
 *
 * The verdict does not depend on how they arrive: what is a header is not yet
 * one when cut, what is bad stays bad. What a header says, written again in
 * either version, says the same. `make fuzz` runs it under libFuzzer.
 */
#include <stdlib.h>
#include <string.h>

#include "proxyd/stream/proxyproto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Byte after byte, each time in a block of its own that ends there. */
static enum proxyproto_verdict
parse_slowly(const uint8_t *data, size_t len, struct proxyproto *ret)
{
	enum proxyproto_verdict verdict = PROXYPROTO_MORE;
	char *block;
	size_t n;

	for (n = 0; n <= len && verdict == PROXYPROTO_MORE; n++) {
		block = malloc(n + 1);
		if (!block)
			abort();
		memcpy(block + 1, data, n);
		verdict = proxyproto_parse(block + 1, n, ret);
		if (verdict == PROXYPROTO_DONE && ret->size != n)
			abort();
		free(block);
	}
	return verdict;
}

static bool
is_same(const struct proxyproto *a, const struct proxyproto *b)
{
	return a->local == b->local && endpoint_equal(&a->client, &b->client) &&
	       endpoint_equal(&a->destination, &b->destination);
}

static void
write_again(const struct proxyproto *p, enum proxyproto_version version)
{
	char buf[PROXYPROTO_BUILD_MAX];
	struct proxyproto again;
	size_t len;

	len = proxyproto_build(version, &p->client, &p->destination, buf);
	if (len >= sizeof(buf) ||
	    proxyproto_parse(buf, len, &again) != PROXYPROTO_DONE ||
	    again.size != len || !is_same(&again, p))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct proxyproto whole = {0}, slow = {0};
	enum proxyproto_verdict verdict;

	verdict = proxyproto_parse((const char *)data, len, &whole);
	if (parse_slowly(data, len, &slow) != verdict ||
	    whole.size != slow.size || !is_same(&whole, &slow))
		abort();
	if (verdict == PROXYPROTO_DONE) {
		write_again(&whole, PROXYPROTO_V1);
		write_again(&whole, PROXYPROTO_V2);
	}
	/* nothing longer is waited for */
	if (verdict == PROXYPROTO_MORE && len >= PROXYPROTO_MAX)
		abort();
	return 0;
}
