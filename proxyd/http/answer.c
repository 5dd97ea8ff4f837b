/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer.c - the heads of answer.h. Source: RFC 9110, sections 6.6.1, 15. */
#include "proxyd/http/answer.h"

#include <assert.h>
#include <stdio.h>

const char *
answer_phrase(unsigned int status)
{
	static const struct {
		unsigned int status;
		const char *phrase;
	} phrases[] = {
		{400, "Bad Request"},
		{403, "Forbidden"},
		{408, "Request Timeout"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
	};
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "";
}

size_t
answer_head(const struct answer *a, char out[ANSWER_HEAD_MAX])
{
	int n;

	n = snprintf(out, ANSWER_HEAD_MAX,
		     "HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Type: %s\r\n"
		     "Content-Length: %zu\r\nCache-Control: no-store\r\n"
		     "%s\r\n",
		     a->status, answer_phrase(a->status), a->date, a->type,
		     a->len, a->close ? "Connection: close\r\n" : "");
	assert(n > 0 && n < ANSWER_HEAD_MAX);
	return (size_t)n;
}
