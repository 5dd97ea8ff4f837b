/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_wire - any bytes as a request to proxyd.
 *
 * They are refused with a reason, or they are a request; a request, written
 * and read again, is the same. `make fuzz` runs it under libFuzzer.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

#include "proxyd/ctl/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct wire_request q = {0}, again = {0};
	struct str line = {0}, why = {0};
	int r;

	r = wire_parse((const char *)data, len, &q, &why);
	if ((r < 0) != (why.len > 0))
		abort();
	if (r == 0) {
		wire_format(&q, &line);
		if (line.len > WIRE_REQUEST_MAX ||
		    wire_parse(line.data, line.len - 1, &again, &why) < 0 ||
		    memcmp(&q, &again, sizeof(q)) != 0)
			abort();
	}
	str_fini(&line);
	str_fini(&why);
	return 0;
}
