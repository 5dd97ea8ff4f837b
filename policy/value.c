/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/value.h"

#include <errno.h>
#include <string.h>

#include "lib/arena.h"
#include "policy/network.h"
#include "policy/parse.h"
#include "policy/policy.h"
#include "policy/reading.h"
#include "policy/scalar.h"

struct word *
cursor_word(const struct cursor *c)
{
	return c->pos < c->n ? &c->words[c->pos] : NULL;
}

bool
cursor_at_option(const struct cursor *c)
{
	const struct word *w = cursor_word(c);

	if (!w || w->quoted)
		return false;
	if (c->row->flags & KEYWORD_CONDITIONS && !strcmp(w->text, "not"))
		return true;
	return keyword_option(c->row, w->text);
}

/* --- all types ------------------------------------------------------------ */

static const struct {
	int (*read)(const struct reading *r);
	bool list;
	size_t size; /* in the model; 0: no member has this type */
} types[TYPE_COUNT] = {
	[TYPE_FLAG] = {scalar_flag, false, sizeof(bool)},
	[TYPE_CHOICE] = {scalar_choice, false, sizeof(unsigned int)},
	[TYPE_YES_NO] = {scalar_yes_no, false, sizeof(bool)},
	[TYPE_NUMBER] = {scalar_number, false, sizeof(uint32_t)},
	[TYPE_NUMBERS] = {scalar_numbers, true, 0},
	[TYPE_HEX] = {scalar_hex, false, sizeof(uint32_t)},
	[TYPE_DURATION] = {scalar_duration, false, sizeof(uint32_t)},
	[TYPE_SIZE] = {scalar_size, false, sizeof(uint32_t)},
	[TYPE_VOLUME] = {scalar_volume, false, sizeof(uint64_t)},
	[TYPE_RATE] = {scalar_rate, false, sizeof(uint32_t)},
	[TYPE_NAME] = {scalar_name, false, sizeof(const char *)},
	[TYPE_POOL] = {scalar_pool, false, sizeof(struct policy_pool *)},
	[TYPE_WORD] = {scalar_word, false, sizeof(const char *)},
	[TYPE_WORDS] = {scalar_words, true, 0},
	[TYPE_NAMED] = {scalar_word, false, 0},
	[TYPE_TEXT] = {scalar_text, false, 0},
	[TYPE_REPLACEMENT] = {scalar_text, false, 0},
	[TYPE_PATH] = {scalar_path, false, sizeof(const char *)},
	[TYPE_IFACES] = {network_ifaces, true, sizeof(struct policy_ifaces)},
	[TYPE_FAMILIES] = {network_families, true, sizeof(unsigned int)},
	[TYPE_PREFIXES] = {network_prefixes, true,
			   sizeof(struct policy_prefixes)},
	[TYPE_PORTS] = {network_ports, true, sizeof(struct policy_ports)},
	[TYPE_RANGE] = {network_range, false, sizeof(struct port_range)},
	[TYPE_LISTEN] = {network_listen, false, sizeof(struct endpoint)},
	[TYPE_NODE] = {network_node, false, 0},
	[TYPE_SOURCE] = {network_source, false, 0},
	[TYPE_LOG] = {network_log, false, sizeof(struct policy_log)},
};

size_t
value_size(enum type type)
{
	return types[type].size;
}

bool
value_is_list(enum type type)
{
	return types[type].list;
}

/* --- from cursor to reading ----------------------------------------------- */

static void
push_element(struct reading *r, struct word *word)
{
	r->list = arena_push(r->sources->scratch, r->list, r->n,
			     sizeof(struct word *));
	r->list[r->n++] = word;
}

/* Is there room for `n` more in this list, and in all lists? */
static bool
has_room(const struct reading *r, size_t n)
{
	struct sources *s = r->sources;

	s->elements += n;
	return r->n + n <= LIST_MAX && s->elements <= LISTS_MAX;
}

/* Returns 0, -E2BIG when there is no room, or -EINVAL with a report. */
static int
add_element(struct reading *r, const struct tree *tree, struct word *w)
{
	size_t i;

	if (!has_room(r, w->define ? w->define->n : 1))
		return -E2BIG;
	if (w->define) {
		for (i = 0; i < w->define->n; i++)
			push_element(r, w->define->words[i]);
		return 0;
	}
	if (!w->quoted && w->text[0] == '$') {
		if (!w->bad)
			report_undefined(r->sources, tree, w);
		w->bad = true;
		return -EINVAL;
	}
	push_element(r, w);
	return 0;
}

/* The words up to the one without a comma behind it. */
static int
take_list(struct cursor *c, struct reading *r)
{
	bool more, full = false;
	struct word *w;
	int r_one, ret = 0;

	do {
		w = cursor_word(c);
		more = w->comma;
		r_one = full ? 0 : add_element(r, c->tree, w);
		if (r_one == -E2BIG) {
			full = true;
			reading_mistake(r, w,
					"a list has at most %d elements, all "
					"lists together %d",
					LIST_MAX, LISTS_MAX);
		}
		if (r_one < 0)
			ret = -EINVAL;
		c->pos++;
	} while (more && cursor_word(c));
	return ret;
}

/* Is `w` a $NAME where one value is expected? In a text it is a variable. */
static bool
is_reference(const struct reading *r, const struct word *w)
{
	return !w->quoted && w->text[0] == '$' && r->arg->type != TYPE_TEXT &&
	       r->arg->type != TYPE_REPLACEMENT;
}

/* One word; a list or a $NAME is a mistake. */
static int
take_one(struct cursor *c, const struct reading *r)
{
	struct word *w = r->word;
	char buf[SHOWN_LEN];

	c->pos++;
	if (w->comma) {
		while (cursor_word(c) && c->words[c->pos - 1].comma)
			c->pos++;
		return reading_mistake(r, w,
				       "one value is expected here, not a "
				       "list");
	}
	if (is_reference(r, w))
		return reading_mistake(r, w,
				       "'%s' would be a list, and one value "
				       "is expected",
				       shown(w->text, buf));
	return 0;
}

/* Behind the name of a header there may be a list. */
static int
take_globs(struct cursor *c, const struct reading *r)
{
	struct reading list = *r;

	if (!cursor_word(c) || cursor_at_option(c))
		return 0;
	list.word = cursor_word(c);
	return take_list(c, &list);
}

int
value_read(struct cursor *c, const struct arg *arg, void *dst)
{
	struct reading r = {
		.sources = c->sources,
		.arg = arg,
		.word = cursor_word(c),
		.dst = dst,
		.quiet = c->quiet,
	};
	bool list = types[arg->type].list;
	int ret;

	ret = list ? take_list(c, &r) : take_one(c, &r);
	if (ret < 0 && !list)
		return ret;
	/* the other elements may have mistakes too */
	if (ret < 0)
		r.dst = NULL;
	if (types[arg->type].read(&r) < 0)
		return -EINVAL;
	return arg->type == TYPE_NAMED ? take_globs(c, &r) : ret;
}
