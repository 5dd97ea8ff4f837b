/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/reading.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/names.h"
#include "lib/str.h"

enum {
	CHOICES_MAX = 16,
	NOTE_LEN = 512,
};

int
reading_mistake(const struct reading *r, struct word *w, const char *fmt, ...)
{
	char text[NOTE_LEN];
	va_list ap;

	if (w->bad)
		return -EINVAL;
	w->bad = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report(r->sources, DIAG_ERROR, w->place, "%s", text);
	return -EINVAL;
}

int
reading_store(const struct reading *r, const void *value, size_t size)
{
	if (r->dst)
		memcpy(r->dst, value, size);
	return 0;
}

int
reading_store_text(const struct reading *r)
{
	const char *text;

	if (r->dst) {
		text = arena_strdup(r->sources->keep, r->word->text);
		reading_store(r, &text, sizeof(text));
	}
	return 0;
}

/* What may stand here, and perhaps what was meant. */
int
reading_choice_mistake(const struct reading *r, const struct choice *choices)
{
	const char *words[CHOICES_MAX] = {0}, *nearest;
	struct str text = {0};
	char buf[SHOWN_LEN];
	size_t n;

	if (r->word->quoted && choice_find(choices, r->word->text))
		return reading_mistake(r, r->word,
				       "quoted text is no keyword: write %s",
				       r->word->text);
	for (n = 0; n < CHOICES_MAX && choices[n].word; n++) {
		words[n] = choices[n].word;
		str_addf(&text, "%s%s", n ? ", " : "", choices[n].word);
	}
	nearest = name_nearest(r->word->text, words, n);
	reading_mistake(r, r->word, "'%s' is not %s%s%s%s%s",
			shown(r->word->text, buf), n == 1 ? "" : "one of ",
			str_text(&text), nearest ? ", did you mean '" : "",
			nearest ? nearest : "", nearest ? "'?" : "");
	str_fini(&text);
	return -EINVAL;
}

const struct choice *
reading_choice(const struct reading *r, const struct choice *choices)
{
	return r->word->quoted ? NULL : choice_find(choices, r->word->text);
}
