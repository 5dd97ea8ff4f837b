/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block is a struct, a statement a member of it: the row of the keyword
 * table says which. Blocks that nobody will use, such as a second gateway,
 * are read into nothing, so that their mistakes are found too.
 */
#include "policy/model.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/hash.h"
#include "lib/names.h"
#include "policy/form.h"
#include "policy/keywords_tbl.h"

enum { ROWS_MAX = 160 };

struct builder {
	struct sources *sources;	 /* borrows */
	const struct tree *tree;	 /* borrows */
	struct policy *policy;		 /* borrows */
	struct policy_service *services; /* borrows from the arena */
	struct policy_pool *pools;	 /* likewise */
	struct symbols service_names;
	struct symbols pool_names; /* to the place of the name */
	struct model_notes *notes; /* borrows */
};

/* A block being read: which of its statements were written, and where. */
struct block {
	const char *name;
	char *base; /* struct policy_*; NULL: check the form only */
	bool quiet; /* inside of what is not supported */
	struct place written[ROWS_MAX]; /* by row */
	bool bad[ROWS_MAX];		/* it has a mistake */
};

static size_t
row_index(const struct keyword *row)
{
	size_t n;

	return (size_t)(row - keywords(&n));
}

/* Pointers and counts of different types are moved as bytes. */
static void *
push_row_element(struct builder *b, const struct keyword *row, char *base)
{
	void *array, *element;
	size_t n;

	memcpy(&array, base + row->list.array, sizeof(array));
	memcpy(&n, base + row->list.count, sizeof(n));
	array = arena_push(b->sources->keep, array, n, row->list.size);
	element = (char *)array + n * row->list.size;
	n++;
	memcpy(base + row->list.array, &array, sizeof(array));
	memcpy(base + row->list.count, &n, sizeof(n));
	return element;
}

/* --- one statement -------------------------------------------------------- */

static void
report_sub(struct builder *b, const struct statement *st, const char *block)
{
	const struct keyword *rows;
	const char *subs[16] = {0}, *nearest;
	struct str text = {0};
	size_t i, total, n = 0;
	char buf[SHOWN_LEN];

	rows = keywords(&total);
	for (i = 0; i < total; i++) {
		if (strcmp(rows[i].block, block) != 0 ||
		    strcmp(rows[i].word, st->row->word) != 0)
			continue;
		assert(n < sizeof(subs) / sizeof(subs[0]));
		str_addf(&text, "%s%s", n ? ", " : "", rows[i].sub);
		subs[n++] = rows[i].sub;
	}
	if (!st->n) {
		report(b->sources, DIAG_ERROR, st->key.place,
		       "a keyword is missing after '%s': %s", st->row->word,
		       str_text(&text));
	} else {
		nearest = name_nearest(st->words[0].text, subs, n);
		shown(st->words[0].text, buf);
		if (nearest)
			report(b->sources, DIAG_ERROR, st->words[0].place,
			       "unknown keyword '%s', did you mean '%s'?", buf,
			       nearest);
		else
			report(b->sources, DIAG_ERROR, st->words[0].place,
			       "unknown keyword '%s' after '%s': %s", buf,
			       st->row->word, str_text(&text));
	}
	str_fini(&text);
}

/* The row, by the second word where there are several; NULL: reported. */
static const struct keyword *
find_row(struct builder *b, const struct statement *st, const char *block)
{
	const struct keyword *row = NULL;

	if (!keyword_has_sub(st->row))
		return st->row;
	if (st->n && !st->words[0].quoted && !st->words[0].comma)
		row = keyword_find(block, st->row->word, st->words[0].text);
	if (!row && !st->bad)
		report_sub(b, st, block);
	return row;
}

/* Returns false if the statement stood there before; that was reported. */
static bool
note_written(struct builder *b, struct block *block, const struct keyword *row,
	     const struct statement *st)
{
	size_t i = row_index(row->flags & KEYWORD_ONE_OF ? st->row : row);
	char name[KEYWORD_NAME_LEN];

	if (!block->written[i].line) {
		block->written[i] = st->key.place;
		return true;
	}
	if (row->flags & KEYWORD_REPEATS)
		return true;
	report(b->sources, DIAG_ERROR, st->key.place, "'%s' is given twice",
	       row->flags & KEYWORD_ONE_OF ? row->word
					   : keyword_name(row, name));
	report(b->sources, DIAG_NOTE, block->written[i], "the first one");
	return false;
}

static void
note_places(const struct keyword *row, const struct statement *st, char *base)
{
	static const bool yes = true;

	if (row->written)
		memcpy(base + row->written, &yes, sizeof(yes));
	if (row->place)
		memcpy(base + row->place, &st->key.place,
		       sizeof(st->key.place));
}

static void read_block(struct builder *b, struct block *block,
		       const struct statements *statements);

/* What belongs to a later version is checked for its form. */
static void
read_unsupported(struct builder *b, const struct keyword *row,
		 const struct statement *st, bool quiet)
{
	struct block inner = {.name = row->word, .quiet = true};
	char name[KEYWORD_NAME_LEN];

	if (row->flags & KEYWORD_BLOCK && !st->has_block)
		report(b->sources, DIAG_ERROR, st->key.place,
		       "'%s' needs a block: '%s %s'", row->word, row->word,
		       row->form);
	if (st->has_block)
		read_block(b, &inner, &st->block);
	if (!quiet)
		report(b->sources, DIAG_ERROR, st->key.place,
		       "'%s' is not supported by this version",
		       keyword_name(row, name));
}

static void
read_statement(struct builder *b, struct block *block,
	       const struct statement *st)
{
	const struct keyword *row = find_row(b, st, block->name);
	char *base = block->base;
	struct cursor c = {
		.sources = b->sources,
		.tree = b->tree,
		.row = row,
		.key = st->key.place,
		.words = st->words,
		.n = st->n,
	};

	if (!row)
		return;
	c.pos = row->sub ? 1 : 0;
	c.quiet = block->quiet;
	if (!note_written(b, block, row, st)) {
		base = NULL;
		c.quiet = true;
	}
	if (base)
		note_places(row, st, base);
	if (base && row->list.size) {
		base = push_row_element(b, row, base);
		memcpy(base, &st->key.place, sizeof(st->key.place));
		if (row->list.kind)
			memcpy(base + row->list.kind, &row->list.value,
			       sizeof(row->list.value));
	}
	if (row->flags & KEYWORD_UNSUPPORTED)
		read_unsupported(b, row, st, c.quiet);
	c.quiet |= row->flags & KEYWORD_UNSUPPORTED;
	if (st->bad || form_read(&c, base) < 0)
		block->bad[row_index(row)] = true;
}

static void
read_block(struct builder *b, struct block *block,
	   const struct statements *statements)
{
	size_t i;

	for (i = 0; i < statements->n; i++)
		read_statement(b, block, &statements->list[i]);
}

/* --- defaults ------------------------------------------------------------- */

static void
fill_defaults(struct builder *b, struct block *block)
{
	const struct keyword *rows;
	size_t i, n;

	rows = keywords(&n);
	assert(n <= ROWS_MAX);
	for (i = 0; i < n; i++)
		if (rows[i].def && !strcmp(rows[i].block, block->name))
			form_default(b->sources, &rows[i], rows[i].def,
				     block->base);
}

static bool
is_zero(const char *data, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (data[i])
			return false;
	return true;
}

static void
inherit(const struct policy *p, const struct arg *arg, char *base)
{
	if (arg->type != TYPE_END && arg->inherit)
		memcpy(base + arg->field,
		       (const char *)&p->gateway + arg->inherit,
		       value_size(arg->type));
}

/* What the elements of a list did not say, e.g. `on` of an intercept. */
static void
inherit_elements(const struct policy *p, const struct keyword *row, char *base)
{
	const struct arg *arg;
	char *array;
	size_t i, n;

	memcpy(&array, base + row->list.array, sizeof(array));
	memcpy(&n, base + row->list.count, sizeof(n));
	for (i = 0; i < n; i++, array += row->list.size)
		for (arg = row->args; arg->type != TYPE_END; arg++)
			if (is_zero(array + arg->field, value_size(arg->type)))
				inherit(p, arg, array);
}

/* A single value that was not written: from its protocol or the gateway. */
static void
fill_value(struct builder *b, const struct keyword *row,
	   struct policy_service *s)
{
	const char *def = NULL;

	if (row->def_for)
		def = row->def_for(b->policy, s);
	if (def)
		form_default(b->sources, row, def, s);
	else
		inherit(b->policy, row->args, (char *)s);
}

/* `written` of a service says which of its statements stood in the text. */
static void
inherit_block(struct builder *b, struct policy_service *s,
	      const struct place *written)
{
	const struct keyword *rows;
	size_t i, n;

	rows = keywords(&n);
	for (i = 0; i < n; i++) {
		if (strcmp(rows[i].block, "service") != 0)
			continue;
		if (rows[i].list.size)
			inherit_elements(b->policy, &rows[i], (char *)s);
		else if (!written[i].line)
			fill_value(b, &rows[i], s);
	}
}

/* --- words of http -------------------------------------------------------- */

static bool
has_effect(const struct keyword *row, const struct policy_service *s)
{
	if (row->flags & KEYWORD_PROXY)
		return s->accept_proxy || s->mode == MODE_HTTP;
	return !(row->flags & KEYWORD_HTTP) || s->mode == MODE_HTTP;
}

/* They mean nothing in another mode; which one is known at the end. */
static void
check_http_words(struct builder *b, const struct block *block,
		 const struct policy_service *s)
{
	const struct keyword *rows;
	char name[KEYWORD_NAME_LEN];
	size_t i, n;

	rows = keywords(&n);
	for (i = 0; i < n; i++)
		if (block->written[i].line && !has_effect(&rows[i], s))
			report(b->sources, DIAG_ERROR, block->written[i],
			       "service '%s' is of mode %s: '%s' needs 'mode "
			       "http'%s",
			       s->name, mode_name(s->mode),
			       keyword_name(&rows[i], name),
			       rows[i].flags & KEYWORD_PROXY
				       ? " or 'accept-proxy'"
				       : "");
}

/* --- blocks --------------------------------------------------------------- */

/* The header of `service NAME`: returns false if the name is of no use. */
static bool
read_header(struct builder *b, const struct statement *st, void *base)
{
	struct cursor c = {
		.sources = b->sources,
		.tree = b->tree,
		.row = st->row,
		.key = st->key.place,
		.words = st->words,
		.n = st->n,
	};

	if (!st->has_block)
		report(b->sources, DIAG_ERROR, st->key.place,
		       "'%s' needs a block: '%s %s'", st->row->word,
		       st->row->word, st->row->form);
	return !st->bad && form_read(&c, base) == 0 && st->has_block;
}

static struct place
place_written(const struct block *block, const char *word)
{
	return block->written[row_index(keyword_find(block->name, word, NULL))];
}

static bool
is_bad(const struct block *block, const char *word)
{
	return block->bad[row_index(keyword_find(block->name, word, NULL))];
}

static void
read_gateway(struct builder *b, const struct statement *st, bool first)
{
	struct policy_gateway *g = &b->policy->gateway;
	struct block block = {.name = "gateway"};
	struct model_notes *notes = b->notes;

	if (first) {
		block.base = (char *)g;
		g->place = st->key.place;
	} else {
		report(b->sources, DIAG_ERROR, st->key.place,
		       "a second 'gateway'");
		report(b->sources, DIAG_NOTE, g->place, "the first one");
	}
	read_header(b, st, NULL);
	read_block(b, &block, &st->block);
	if (!first)
		return;
	notes->gateway_inside = place_written(&block, "inside");
	notes->capture_ports = place_written(&block, "capture-ports");
	notes->mark = place_written(&block, "mark");
	notes->table = place_written(&block, "table");
	notes->mark_bad = is_bad(&block, "mark");
}

/*
 * Is `name` new among `names`? Then it is noted with its place, else the
 * second definition is reported.
 */
static bool
note_name(struct builder *b, struct symbols *names, const char *what,
	  const struct statement *st, const char *name)
{
	struct place *first = symbols_find(names, name);

	if (!first) {
		symbols_add(b->sources->scratch, names, name,
			    &st->words[0].place);
		return true;
	}
	report(b->sources, DIAG_ERROR, st->words[0].place,
	       "%s '%s' is defined twice", what, name);
	report(b->sources, DIAG_NOTE, *first, "the first definition");
	return false;
}

/* Room for one more? Else reported once. */
static bool
has_room(struct builder *b, const struct statement *st, size_t n, size_t max)
{
	if (n == max)
		report(b->sources, DIAG_ERROR, st->key.place,
		       "at most %zu blocks '%s'", max, st->row->word);
	return n < max;
}

static void
read_service(struct builder *b, const struct statement *st)
{
	struct policy *p = b->policy;
	struct policy_service s = {0};
	struct block block = {.name = "service"};

	if (read_header(b, st, &s) &&
	    note_name(b, &b->service_names, "service", st, s.name) &&
	    has_room(b, st, p->n_services, SERVICES_MAX)) {
		s.place = st->words[0].place;
		block.base = (char *)&s;
		fill_defaults(b, &block);
	}
	read_block(b, &block, &st->block);
	if (!block.base)
		return;
	if (s.n_intercepts)
		s.proto = s.intercepts[0].proto;
	else if (s.n_listens)
		s.proto = s.listens[0].proto;
	inherit_block(b, &s, block.written);
	if (!is_bad(&block, "mode"))
		check_http_words(b, &block, &s);
	b->services =
		arena_push(p->arena, b->services, p->n_services, sizeof(s));
	b->services[p->n_services++] = s;
}

static void
push_pool(struct builder *b, const struct policy_pool *pool)
{
	struct policy *p = b->policy;

	b->pools = arena_push(p->arena, b->pools, p->n_pools, sizeof(*pool));
	b->pools[p->n_pools++] = *pool;
}

static void
read_pool(struct builder *b, const struct statement *st)
{
	struct policy_pool pool = {0};
	struct block block = {.name = "pool"};

	if (read_header(b, st, &pool) &&
	    note_name(b, &b->pool_names, "pool", st, pool.name) &&
	    has_room(b, st, b->policy->n_pools, POOLS_MAX)) {
		pool.place = st->words[0].place;
		block.base = (char *)&pool;
		fill_defaults(b, &block);
	}
	read_block(b, &block, &st->block);
	if (!block.base)
		return;
	if (!strcmp(pool.name, "original"))
		b->pools[0] = pool;
	else
		push_pool(b, &pool);
}

static void
add_original(struct builder *b)
{
	static const struct policy_node node = {.original = true};
	struct policy_pool pool = {.name = "original", .n_nodes = 1};
	struct block block = {.name = "pool", .base = (char *)&pool};

	fill_defaults(b, &block);
	pool.source = SOURCE_CLIENT;
	pool.nodes = arena_memdup(b->sources->keep, &node, sizeof(node));
	push_pool(b, &pool);
}

/* The gateway first, wherever it stands: services inherit from it. */
void
model_build(struct sources *sources, const struct tree *tree, struct policy *p,
	    struct model_notes *ret_notes)
{
	struct block gateway = {.name = "gateway", .base = (char *)&p->gateway};
	struct builder b = {
		.sources = sources,
		.tree = tree,
		.policy = p,
		.notes = ret_notes,
	};
	const struct statement *st;
	bool first = true;
	size_t i;

	*ret_notes = (struct model_notes){0};
	fill_defaults(&b, &gateway);
	p->gateway.families_named = p->gateway.idle_named = false;
	add_original(&b);
	for (i = 0; i < tree->top.n; i++) {
		st = &tree->top.list[i];
		if (strcmp(st->row->word, "gateway") != 0)
			continue;
		read_gateway(&b, st, first);
		first = false;
	}
	for (i = 0; i < tree->top.n; i++) {
		st = &tree->top.list[i];
		if (!strcmp(st->row->word, "service"))
			read_service(&b, st);
		else if (!strcmp(st->row->word, "pool"))
			read_pool(&b, st);
	}
	p->services = b.services;
	p->pools = b.pools;
}
