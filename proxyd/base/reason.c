/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reason.c - the table behind reason.h. Looks up; knows no flow. */
#include "proxyd/base/reason.h"

#include <assert.h>
#include <string.h>

#include "lib/hash.h"

enum ending { ENDING_CLOSE, ENDING_RESET };

struct row {
	const char *word;
	const char *meaning;
	enum ending ending;
	unsigned int status;
};

static const struct row rows[REASON_COUNT] = {
	[REASON_NONE] = {"-", "", ENDING_CLOSE, 0},
#define REASON(name, word, end, http, meaning)                                 \
	[REASON_##name] = {word, meaning, ENDING_##end, http},
#include "proxyd/base/reason_tbl.h"
#undef REASON
};

const char *
reason_word(enum reason reason)
{
	assert(reason < REASON_COUNT);
	return rows[reason].word;
}

const char *
reason_meaning(enum reason reason)
{
	assert(reason < REASON_COUNT);
	return rows[reason].meaning;
}

bool
reason_resets(enum reason reason)
{
	assert(reason < REASON_COUNT);
	return rows[reason].ending == ENDING_RESET;
}

unsigned int
reason_status(enum reason reason)
{
	assert(reason < REASON_COUNT);
	return rows[reason].status;
}

uint64_t
reason_digest(void)
{
	uint64_t digest = REASON_COUNT;
	const char *word;
	int i;

	for (i = 0; i < REASON_COUNT; i++) {
		word = reason_word((enum reason)i);
		digest = hash64(word, strlen(word), digest);
	}
	return digest;
}
