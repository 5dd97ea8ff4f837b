/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bad.c - the table behind bad.h. Looks up; knows no message. */
#include "proxyd/http/bad.h"

#include <assert.h>
#include <string.h>

#include "lib/hash.h"

static const struct {
	const char *word;
	const char *meaning;
	int status;
} rows[HTTP_BAD_COUNT] = {
	[HTTP_BAD_NONE] = {"-", "", 0},
#define BAD(name, status, word, meaning)                                       \
	[HTTP_BAD_##name] = {word, meaning, status},
#include "proxyd/http/bad_tbl.h"
#undef BAD
};

const char *
http_bad_word(enum http_bad bad)
{
	assert(bad < HTTP_BAD_COUNT);
	return rows[bad].word;
}

const char *
http_bad_meaning(enum http_bad bad)
{
	assert(bad < HTTP_BAD_COUNT);
	return rows[bad].meaning;
}

int
http_bad_status(enum http_bad bad)
{
	assert(bad < HTTP_BAD_COUNT);
	return rows[bad].status;
}

uint64_t
http_bad_digest(void)
{
	uint64_t digest = HTTP_BAD_COUNT;
	int i;

	for (i = 0; i < HTTP_BAD_COUNT; i++)
		digest = hash64(rows[i].word, strlen(rows[i].word), digest);
	return digest;
}
