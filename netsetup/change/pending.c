/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A text file: `deadline MS`, `waits PATH`, then the former record of the
 * policy as it was, or nothing. Times are since boot, as the journal is.
 */
#include "netsetup/change/pending.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/clock.h"

/* Of a line `WORD REST` at `text`: REST, and what follows; NULL if not so. */
static const char *
take_word(const char **text, const char *word, struct arena *arena)
{
	size_t skip = strlen(word), len = strcspn(*text, "\n");
	const char *line = *text;

	if (strncmp(line, word, skip) != 0 || line[len] != '\n' || len < skip)
		return NULL;
	*text += len + 1;
	return arena_strndup(arena, line + skip, len - skip);
}

int
pending_load(const struct journal *j, struct arena *arena,
	     struct pending *ret_pending)
{
	struct pending p = {0};
	struct str record = {0};
	const char *text, *deadline;
	int r;

	r = journal_read(j, "pending", &record);
	text = str_text(&record);
	deadline = take_word(&text, "deadline ", arena);
	p.path = take_word(&text, "waits ", arena);
	if (deadline && p.path &&
	    sscanf(deadline, "%" SCNu64, &p.deadline_ms) == 1) {
		p.there = true;
		p.former = journal_parse_policy(j, text, arena);
	}
	str_fini(&record);
	if (r == 0)
		*ret_pending = p;
	return r;
}

int
pending_store(const struct journal *j, uint64_t deadline_ms, const char *path)
{
	struct str text = {0};
	int r;

	str_addf(&text, "deadline %" PRIu64 "\nwaits %s\n", deadline_ms, path);
	r = journal_read(j, "policy", &text);
	if (r == 0)
		r = journal_replace(j, "pending", &text);
	str_fini(&text);
	return r;
}

int
pending_drop(const struct journal *j)
{
	const struct str none = {0};

	return journal_replace(j, "pending", &none);
}

uint64_t
pending_left_ms(const struct pending *p)
{
	uint64_t now = clock_boot_ms();

	return now < p->deadline_ms ? p->deadline_ms - now : 0;
}
