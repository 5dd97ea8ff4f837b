/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/form.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/names.h"
#include "policy/parse.h"

enum { OPTIONS_MAX = 16 };

/* Which options stood in this statement. */
struct seen {
	const struct arg *arg; /* borrows from the table */
	struct place place;
};

struct form {
	struct cursor *c; /* borrows */
	char *base;	  /* NULL: check the form only */
	struct seen seen[OPTIONS_MAX];
	size_t n;
	int ret;
};

static void *
member(const struct form *f, const struct arg *arg)
{
	return f->base && arg->field ? f->base + arg->field : NULL;
}

/* The defaults of options, as if they were written first. */
static void
fill_defaults(const struct form *f)
{
	struct cursor c = {.sources = f->c->sources, .row = f->c->row};
	const struct arg *arg;

	for (arg = c.row->args; f->base && arg->type != TYPE_END; arg++) {
		if (!arg->def)
			continue;
		parse_words(c.sources, arg->def, &c.words, &c.n);
		c.pos = 0;
		value_read(&c, arg, member(f, arg));
	}
}

static void
report_missing(struct form *f, const char *what)
{
	const struct keyword *row = f->c->row;
	char name[KEYWORD_NAME_LEN];

	f->ret = -EINVAL;
	report(f->c->sources, DIAG_ERROR, f->c->key, "%s; write '%s %s'", what,
	       keyword_name(row, name), row->form);
}

/* Those that depend on the others, which have been read by now. */
static void
fill_dependent(const struct form *f)
{
	struct cursor c = {.sources = f->c->sources, .row = f->c->row};
	const struct arg *arg;
	size_t i;

	for (arg = c.row->args; f->base && arg->type != TYPE_END; arg++) {
		for (i = 0; i < f->n; i++)
			if (f->seen[i].arg == arg)
				break;
		if (!arg->def_for || i < f->n)
			continue;
		parse_words(c.sources, arg->def_for(NULL, f->base), &c.words,
			    &c.n);
		c.pos = 0;
		value_read(&c, arg, member(f, arg));
	}
}

/* --- by position ---------------------------------------------------------- */

/* Returns the last argument read, or NULL. */
static const struct arg *
read_positional(struct form *f)
{
	const struct arg *arg, *last = NULL;

	for (arg = f->c->row->args; arg->type != TYPE_END; arg++) {
		if (arg->word)
			continue;
		if (cursor_word(f->c) && !cursor_at_option(f->c)) {
			if (value_read(f->c, arg, member(f, arg)) < 0)
				f->ret = -EINVAL;
			last = arg;
		} else if (!(arg->flags & ARG_OPTIONAL)) {
			if (!f->ret)
				report_missing(f, "a value is missing");
			return last;
		}
	}
	return last;
}

/* --- options -------------------------------------------------------------- */

static const char *
nearest_option(const struct keyword *row, const char *word)
{
	const char *words[OPTIONS_MAX] = {0};
	const struct arg *arg;
	size_t n = 0;

	for (arg = row->args; arg->type != TYPE_END; arg++)
		if (arg->word && n < OPTIONS_MAX)
			words[n++] = arg->word;
	return name_nearest(word, words, n);
}

/* Go to the next option, or to the end. */
static void
skip_value(struct form *f)
{
	while (cursor_word(f->c) && !cursor_at_option(f->c))
		f->c->pos++;
}

/* A word that is no option of this statement: report, go to the next one. */
static void
skip_unknown(struct form *f, const struct arg *last)
{
	struct word *w = cursor_word(f->c);
	const char *nearest = NULL;
	char name[KEYWORD_NAME_LEN];
	char buf[SHOWN_LEN];

	f->ret = -EINVAL;
	if (!w->quoted && !report_is_full(f->c->sources))
		nearest = nearest_option(f->c->row, w->text);
	shown(w->text, buf);
	if (nearest)
		report(f->c->sources, DIAG_ERROR, w->place,
		       "unknown keyword '%s', did you mean '%s'?", buf,
		       nearest);
	else if (last && value_is_list(last->type))
		report(f->c->sources, DIAG_ERROR, w->place,
		       "unexpected '%s'; elements of a list have commas "
		       "between them",
		       buf);
	else
		report(f->c->sources, DIAG_ERROR, w->place,
		       "unexpected '%s'; write '%s%s%s'", buf,
		       keyword_name(f->c->row, name),
		       f->c->row->form[0] ? " " : "", f->c->row->form);
	skip_value(f);
}

/* Returns false if it stood there before; that was reported. */
static bool
note_option(struct form *f, const struct arg *arg, const struct word *w)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (f->seen[i].arg != arg)
			continue;
		if (f->c->row->flags & KEYWORD_CONDITIONS)
			return true;
		f->ret = -EINVAL;
		report(f->c->sources, DIAG_ERROR, w->place,
		       "'%s' is given twice", arg->word);
		report(f->c->sources, DIAG_NOTE, f->seen[i].place,
		       "the first one");
		return false;
	}
	assert(f->n < OPTIONS_MAX);
	f->seen[f->n++] = (struct seen){arg, w->place};
	return true;
}

static void
report_after(struct form *f, const struct word *w, const char *what)
{
	f->ret = -EINVAL;
	report(f->c->sources, DIAG_ERROR, w->place, "%s '%s'", what, w->text);
}

static void
read_option_value(struct form *f, const struct arg *arg, const struct word *w,
		  void *dst)
{
	if (w->comma) {
		report_after(f, w, "no ',' belongs behind");
		skip_value(f);
		return;
	}
	if (arg->type != TYPE_FLAG) {
		if (!cursor_word(f->c) || cursor_at_option(f->c)) {
			report_after(f, w, "a value is missing after");
			return;
		}
		if (value_read(f->c, arg, dst) < 0)
			f->ret = -EINVAL;
	} else if (dst) {
		*(bool *)dst = true;
	}
	if (arg->flags & ARG_UNSUPPORTED && !f->c->quiet)
		report(f->c->sources, DIAG_ERROR, w->place,
		       "'%s' is not supported by this version", arg->word);
}

/* The cursor is at an option. Returns its argument. */
static const struct arg *
read_option(struct form *f)
{
	const struct word *w = cursor_word(f->c);
	const struct arg *arg;

	f->c->pos++;
	arg = keyword_option(f->c->row, w->text);
	if (!arg) { /* `not`, of conditions */
		w = cursor_word(f->c);
		if (w && !w->quoted)
			arg = keyword_option(f->c->row, w->text);
		if (!arg) {
			report_after(f, w ? w - 1 : &f->c->words[f->c->n - 1],
				     "a condition is missing after");
			return NULL;
		}
		f->c->pos++;
	}
	read_option_value(f, arg, w,
			  note_option(f, arg, w) ? member(f, arg) : NULL);
	return arg;
}

/* Is everything there that must be? */
static void
check_complete(struct form *f)
{
	const struct arg *arg;
	size_t i;

	for (arg = f->c->row->args; arg->type != TYPE_END; arg++) {
		if (!(arg->flags & ARG_REQUIRED) || !arg->word)
			continue;
		for (i = 0; i < f->n; i++)
			if (f->seen[i].arg == arg)
				break;
		if (i < f->n)
			continue;
		report_missing(f, "a keyword is missing");
		return;
	}
	if (f->c->row->flags & KEYWORD_NEEDS_ONE && !f->n)
		report_missing(f, "at least one option is needed");
	if (f->c->row->flags & KEYWORD_ONLY_ONE && f->n != 1)
		report_missing(f, "exactly one option is needed");
}

int
form_read(struct cursor *c, void *base)
{
	struct form f = {.c = c, .base = base};
	const struct arg *last;

	fill_defaults(&f);
	last = read_positional(&f);
	while (cursor_word(c)) {
		if (cursor_at_option(c))
			last = read_option(&f);
		else
			skip_unknown(&f, last);
	}
	fill_dependent(&f);
	/* what seems missing may be the word that was not understood */
	if (!f.ret)
		check_complete(&f);
	return f.ret;
}

void
form_default(struct sources *s, const struct keyword *row, const char *text,
	     void *base)
{
	struct cursor c = {.sources = s, .row = row};

	parse_words(s, text, &c.words, &c.n);
	form_read(&c, base);
}
