/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/source.h"

#include <stdarg.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/str.h"

enum {
	REPORTS_MAX = 4 * DIAG_SHOWN_MAX, /* what struct diags keeps */
	LINE_MAX_SHOWN = 65536,		  /* no copies of a longer line */
};

struct source *
source_add(struct sources *s, const char *name, const char *text, size_t len)
{
	struct source *source = arena_alloc(s->scratch, sizeof(*source));

	source->name = arena_strdup(s->keep, name);
	source->shown = arena_strdup(s->diags->arena, name);
	source->text = text;
	source->len = len;
	s->list = arena_push(s->scratch, s->list, s->n, sizeof(*s->list));
	s->list[s->n++] = source;
	s->bytes += len;
	return source;
}

size_t
source_directory(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? (size_t)(slash - name) + 1 : 0;
}

bool
report_is_full(const struct sources *s)
{
	return s->diags->n >= REPORTS_MAX;
}

static const struct source *
find_source(const struct sources *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->list[i]->name == name)
			return s->list[i];
	return NULL;
}

/* Bytes that would disturb a terminal become '?', one for one. */
static bool
is_shown(unsigned char c)
{
	return c >= 0x20 && c != 0x7f;
}

/* The line of that number, as it can be shown, or NULL. */
static const char *
find_line(const struct sources *s, const struct source *source, uint32_t line)
{
	const char *p = source->text, *end = p + source->len, *newline;
	char *copy, *c;

	for (; line > 1; line--) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (!newline)
			return NULL;
		p = newline + 1;
	}
	newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
	if (newline)
		end = newline;
	if (end > p && end[-1] == '\r')
		end--;
	if (end - p > LINE_MAX_SHOWN)
		return NULL;
	copy = arena_alloc(s->scratch, (size_t)(end - p) + 1);
	memcpy(copy, p, (size_t)(end - p));
	for (c = copy; c < copy + (end - p); c++)
		if (*c != '\t' && !is_shown((unsigned char)*c))
			*c = '?';
	return copy;
}

void
report(struct sources *s, enum diag_level level, struct place place,
       const char *fmt, ...)
{
	const struct source *source = NULL;
	const char *line = NULL;
	struct str text = {0};
	va_list ap;

	s->errors += level == DIAG_ERROR;
	if (report_is_full(s)) {
		diag_add(s->diags, level, place, NULL, "%s", "");
		return;
	}
	if (place.file)
		source = find_source(s, place.file);
	if (source) {
		place.file = source->shown;
		if (place.line && place.len)
			line = find_line(s, source, place.line);
	}
	va_start(ap, fmt);
	str_vaddf(&text, fmt, ap);
	va_end(ap);
	diag_add(s->diags, level, place, line, "%s", str_text(&text));
	str_fini(&text);
}

const char *
shown(const char *text, char buf[SHOWN_LEN])
{
	static const char dots[] = "...";
	size_t i;

	for (i = 0; i < SHOWN_LEN - sizeof(dots) && text[i]; i++)
		buf[i] = is_shown((unsigned char)text[i]) ? text[i] : '?';
	strcpy(buf + i, text[i] ? dots : "");
	return buf;
}
