/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"

enum {
	KEPT_MAX = 4 * DIAG_SHOWN_MAX,
	WINDOW = 160, /* bytes shown of a longer line */
};

void
diags_init(struct diags *d)
{
	*d = (struct diags){.arena = arena_new()};
}

void
diags_fini(struct diags *d)
{
	arena_free(d->arena);
	*d = (struct diags){0};
}

void
diag_add(struct diags *d, enum diag_level level, struct place place,
	 const char *source, const char *fmt, ...)
{
	struct diag *diag;
	va_list ap;

	d->n_errors += level == DIAG_ERROR;
	d->n_warnings += level == DIAG_WARNING;
	if (d->n >= KEPT_MAX)
		return;
	d->list = arena_push(d->arena, d->list, d->n, sizeof(*d->list));
	diag = &d->list[d->n++];
	diag->place = place;
	diag->level = level;
	va_start(ap, fmt);
	diag->text = arena_vprintf(d->arena, fmt, ap);
	va_end(ap);
	if (source)
		diag->source = arena_strdup(d->arena, source);
}

void
diags_keep_names(struct diags *d)
{
	size_t i;

	for (i = 0; i < d->n; i++) {
		if (d->list[i].place.file)
			d->list[i].place.file =
				arena_strdup(d->arena, d->list[i].place.file);
	}
}

/* What is sorted: a message with the notes behind it. */
struct group {
	const struct diag *first; /* borrows from the diags */
	size_t n;
	size_t file; /* order of first appearance */
};

static int
compare_groups(const void *va, const void *vb)
{
	const struct group *a = va, *b = vb;
	const struct place *p = &a->first->place, *q = &b->first->place;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (p->line != q->line)
		return p->line < q->line ? -1 : 1;
	if (p->col != q->col)
		return p->col < q->col ? -1 : 1;
	/* qsort is not stable; the list is one array */
	return a->first < b->first ? -1 : a->first > b->first;
}

static bool
same_file(const struct diag *a, const struct diag *b)
{
	if (!a->place.file || !b->place.file)
		return a->place.file == b->place.file;
	return !strcmp(a->place.file, b->place.file);
}

static size_t
sort_groups(const struct diags *d, struct group *groups)
{
	size_t i, j, n = 0;

	for (i = 0; i < d->n; i++) {
		if (n && d->list[i].level == DIAG_NOTE) {
			groups[n - 1].n++;
			continue;
		}
		groups[n] = (struct group){&d->list[i], 1, n};
		for (j = 0; j < n; j++)
			if (same_file(groups[j].first, &d->list[i]))
				break;
		groups[n].file = j < n ? groups[j].file : n;
		n++;
	}
	if (n)
		qsort(groups, n, sizeof(*groups), compare_groups);
	return n;
}

/* Of a line longer than a terminal is wide, the part around the mark. */
static void
format_caret_line(const struct diag *diag, struct str *out)
{
	size_t i, col = diag->place.col - 1, len = strlen(diag->source);
	size_t from = 0, to = len;

	if (col > len)
		return;
	if (len > WINDOW) {
		from = col > WINDOW / 2 ? col - WINDOW / 2 : 0;
		to = from + WINDOW < len ? from + WINDOW : len;
	}
	str_add_bytes(out, diag->source + from, to - from);
	str_add_char(out, '\n');
	for (i = from; i < col; i++)
		str_add_char(out, diag->source[i] == '\t' ? '\t' : ' ');
	str_add_char(out, '^');
	for (i = 1; i < diag->place.len && col + i < to; i++)
		str_add_char(out, '~');
	str_add_char(out, '\n');
}

static void
format_one(const struct diag *diag, bool colour, struct str *out)
{
	/*                              word       colour */
	static const struct {
		const char *word, *colour;
	} levels[] = {
		[DIAG_ERROR] = {"error", "\033[1;31m"},
		[DIAG_WARNING] = {"warning", "\033[1;33m"},
		[DIAG_NOTE] = {"note", "\033[1;36m"},
	};
	const struct place *p = &diag->place;

	if (p->file && p->line)
		str_addf(out, "%s:%u:%u: ", p->file, p->line, p->col);
	else if (p->file)
		str_addf(out, "%s: ", p->file);
	str_addf(out, "%s%s:%s %s\n", colour ? levels[diag->level].colour : "",
		 levels[diag->level].word, colour ? "\033[0m" : "", diag->text);
	if (diag->source && p->len && p->col)
		format_caret_line(diag, out);
}

void
diags_format(const struct diags *d, bool colour, struct str *out)
{
	size_t i, j, n, shown = 0, messages = d->n_errors + d->n_warnings;
	struct group groups[KEPT_MAX];

	n = sort_groups(d, groups);
	for (i = 0; i < n && shown < DIAG_SHOWN_MAX; i++, shown++)
		for (j = 0; j < groups[i].n; j++)
			format_one(groups[i].first + j, colour, out);
	if (messages > shown)
		str_addf(out, "\xe2\x80\xa6 and %zu more\n", messages - shown);
}
