/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer.c - the heads of answer.h. Source: RFC 9110, sections 6.6.1, 15. */
#include "proxyd/http/answer.h"

#include <assert.h>
#include <stdio.h>

size_t
answer_head(const struct answer *a, char out[ANSWER_HEAD_MAX])
{
	int n;

	n = snprintf(out, ANSWER_HEAD_MAX,
		     "HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Type: %s\r\n"
		     "Content-Length: %zu\r\nCache-Control: no-store\r\n"
		     "%s\r\n",
		     a->status, a->phrase, a->date, a->type, a->len,
		     a->close ? "Connection: close\r\n" : "");
	assert(n > 0 && n < ANSWER_HEAD_MAX);
	return (size_t)n;
}
