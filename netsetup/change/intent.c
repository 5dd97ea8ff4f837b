/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file has what the record will have, so that a rename makes it that;
 * where nothing shall be in force, a word.
 */
#include "netsetup/change/intent.h"

#include <string.h>

#include "lib/arena.h"

static const char nothing[] = "nothing\n";

int
intent_load(const struct journal *j, struct arena *arena,
	    struct intent *ret_intent)
{
	struct intent intent = {0};
	struct str text = {0};
	int r;

	r = journal_read(j, "intent", &text);
	if (r == 0) {
		intent.policy = journal_parse_policy(j, str_text(&text), arena);
		intent.there =
			intent.policy.path || !strcmp(str_text(&text), nothing);
	}
	str_fini(&text);
	if (r == 0)
		*ret_intent = intent;
	return r;
}

int
intent_begin(const struct journal *j, const char *path, const char *text)
{
	struct str record = {0};
	int r;

	if (text)
		str_addf(&record, "# %s\n%s", path, text);
	else
		str_add(&record, nothing);
	r = journal_replace(j, "intent", &record);
	str_fini(&record);
	return r;
}

int
intent_finish(const struct journal *j)
{
	const struct str none = {0};
	struct str text = {0};
	int r;

	r = journal_read(j, "intent", &text);
	if (r == 0 && !strncmp(str_text(&text), "# ", 2)) {
		r = journal_rename(j, "intent", "policy");
	} else if (r == 0) {
		r = journal_replace(j, "policy", &none);
		if (r == 0)
			r = intent_drop(j);
	}
	str_fini(&text);
	return r;
}

int
intent_drop(const struct journal *j)
{
	const struct str none = {0};

	return journal_replace(j, "intent", &none);
}
