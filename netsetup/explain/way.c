/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways as text and as JSON. Lines are broken between words.
 */
#include "netsetup/explain/way.h"

#include <string.h>

enum { WIDTH = 79, WHERE_WIDTH = 17, NOTE_INDENT = 6 };

/* The length of the word at `text`. */
static size_t
word_len(const char *text)
{
	return strcspn(text, " ");
}

/* `text` from column `at` on, and at `indent` on the lines that follow. */
static void
add_wrapped(struct str *out, const char *text, size_t at, size_t indent)
{
	bool first = true; /* of the line */
	size_t len;

	if (!*text)
		return;
	for (; *text; text += len + strspn(text + len, " ")) {
		len = word_len(text);
		if (!first && at + 1 + len > WIDTH) {
			str_addf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			str_add_char(out, ' ');
			at++;
		}
		str_add_bytes(out, text, len);
		at += len;
		first = false;
	}
	str_add_char(out, '\n');
}

void
way_wrap(const char *text, struct str *out)
{
	add_wrapped(out, text, 0, 0);
}

static void
add_note(struct str *out, const char *text)
{
	str_addf(out, "%*s", NOTE_INDENT, "");
	add_wrapped(out, text, NOTE_INDENT, NOTE_INDENT + 2);
}

void
way_text(const struct way *w, struct str *out)
{
	const char *leg = "";
	size_t i, k;

	for (i = 0; i < w->n_steps; i++) {
		const struct way_step *s = &w->steps[i];

		if (strcmp(leg, s->leg) != 0)
			str_addf(out, "\n%s\n", s->leg);
		leg = s->leg;
		str_addf(out, "  %-*s ", WHERE_WIDTH, s->where);
		add_wrapped(out, s->what, WHERE_WIDTH + 3, WHERE_WIDTH + 3);
		for (k = 0; k < s->n_notes; k++)
			add_note(out, s->notes[k]);
	}
	str_add_char(out, '\n');
	for (i = 0; i < w->n_summary; i++)
		way_wrap(w->summary[i], out);
}

static void
json_texts(struct json *j, const char *key, const char **list, size_t n)
{
	size_t i;

	json_array(j, key);
	for (i = 0; i < n; i++)
		json_string(j, NULL, list[i]);
	json_end(j);
}

static void
json_or_null(struct json *j, const char *key, const char *value)
{
	if (value)
		json_string(j, key, value);
	else
		json_null(j, key);
}

void
way_json(const struct way *w, struct json *j)
{
	size_t i;

	json_or_null(j, "service", w->service ? w->service->name : NULL);
	json_bool(j, "alive", w->alive);
	json_string(j, "now", way_fate_name(w->now));
	json_string(j, "without_proxyd", way_fate_name(w->down));
	json_bool(j, "broken", w->broken);
	json_or_null(j, "reason", w->reason);
	json_or_null(j, "server", w->upstream);
	json_or_null(j, "source", w->source);
	json_array(j, "steps");
	for (i = 0; i < w->n_steps; i++) {
		const struct way_step *s = &w->steps[i];

		json_object(j, NULL);
		json_string(j, "leg", s->leg);
		json_string(j, "where", s->where);
		json_string(j, "what", s->what);
		json_texts(j, "notes", s->notes, s->n_notes);
		json_end(j);
	}
	json_end(j);
	json_texts(j, "summary", w->summary, w->n_summary);
}

const char *
way_fate_name(enum way_fate fate)
{
	switch (fate) {
	case WAY_FATE_PROXIED:
		return "proxied";
	case WAY_FATE_ROUTED:
		return "routed";
	case WAY_FATE_LOCAL:
		return "local";
	case WAY_FATE_REFUSED:
		return "refused";
	case WAY_FATE_DROPPED:
		return "dropped";
	case WAY_FATE_UNREACHABLE:
		return "unreachable";
	}
	return "?";
}
