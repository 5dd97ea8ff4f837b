/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model as canonical text. Walks the keyword table: a statement is
 * written when its arguments differ from its default, or in a service from
 * what the gateway says. Comments, defines and includes are gone.
 */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/inet.h"
#include "lib/str.h"
#include "policy/keywords_tbl.h"
#include "policy/policy.h"

/* --- words ---------------------------------------------------------------- */

/* Words that have a meaning of their own somewhere in the row. */
static bool
is_keyword(const struct keyword *row, const struct arg *arg, const char *text)
{
	return keyword_option(row, text) || choice_find(arg->choices, text) ||
	       !strcmp(text, "any");
}

static bool
is_bare(const char *text)
{
	const char *p;

	for (p = text; *p; p++)
		if (*p <= 0x20 || *p >= 0x7f || strchr(",;{}\"\\", *p))
			return false;
	return *text && *text != '#' && *text != '$';
}

static void
print_quoted(const char *text, struct str *out)
{
	str_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			str_addf(out, "\\%c", *text);
		else if (*text == '\n')
			str_add(out, "\\n");
		else if (*text == '\t')
			str_add(out, "\\t");
		else
			str_add_char(out, *text);
	}
	str_add_char(out, '"');
}

/* One value, at `src` in the model, of the argument `arg` of `row`. */
struct printing {
	const struct keyword *row; /* borrows */
	const struct arg *arg;	   /* borrows */
	const void *src;	   /* borrows from the model */
	struct str *out;	   /* borrows */
};

static void
print_text(const struct printing *p, const char *text)
{
	if (is_bare(text) && !is_keyword(p->row, p->arg, text))
		str_add(p->out, text);
	else
		print_quoted(text, p->out);
}

/* --- values: what is empty prints nothing ----------------------------------
 */

/* Of an option: its word says all. */
static void
print_flag(const struct printing *p)
{
	str_add(p->out, *(const bool *)p->src ? p->arg->word : "");
}

/* The word of a value; 0 need not have one. */
static void
print_word_of(const struct printing *p, unsigned int value)
{
	const struct choice *c;

	for (c = p->arg->choices; !value && c->word && c->value; c++)
		;
	if (value || c->word)
		str_add(p->out, choice_word(p->arg->choices, value));
}

static void
print_choice(const struct printing *p)
{
	print_word_of(p, *(const unsigned int *)p->src);
}

static void
print_yes_no(const struct printing *p)
{
	bool yes = *(const bool *)p->src;

	if (p->arg->choices)
		print_word_of(p, yes);
	else
		str_add(p->out, yes ? "yes" : "no");
}

static void
print_number(const struct printing *p)
{
	uint32_t n = *(const uint32_t *)p->src;

	if (!n && p->arg->choices)
		str_add(p->out, choice_word(p->arg->choices, 0));
	else if (n || p->row->def)
		str_addf(p->out, "%u", n);
}

static void
print_size(const struct printing *p)
{
	char buf[SIZE_TEXT_LEN];

	str_add(p->out, size_format(*(const uint32_t *)p->src, buf));
}

static void
print_volume(const struct printing *p)
{
	uint64_t n = *(const uint64_t *)p->src;
	char buf[SIZE_TEXT_LEN];

	str_add(p->out, n ? size_format(n, buf) : "");
}

static void
print_rate(const struct printing *p)
{
	str_addf(p->out, "%u/s", *(const uint32_t *)p->src);
}

static void
print_hex(const struct printing *p)
{
	str_addf(p->out, "0x%x", *(const uint32_t *)p->src);
}

static void
print_duration(const struct printing *p)
{
	char buf[CLOCK_DURATION_LEN];

	str_add(p->out, clock_duration(*(const uint32_t *)p->src, buf));
}

static void
print_word(const struct printing *p)
{
	const char *text = *(const char *const *)p->src;

	if (text)
		print_text(p, text);
}

static void
print_pool(const struct printing *p)
{
	str_add(p->out, (*(const struct policy_pool *const *)p->src)->name);
}

static void
print_ifaces(const struct printing *p)
{
	const struct policy_ifaces *list = p->src;
	char name[POLICY_IFACE_LEN + 1];
	size_t i;

	for (i = 0; i < list->n; i++) {
		str_add(p->out, i ? ", " : "");
		snprintf(name, sizeof(name), "%s%s", list->list[i].name,
			 list->list[i].wildcard ? "*" : "");
		print_text(p, name);
	}
}

static void
print_families(const struct printing *p)
{
	unsigned int bits = *(const unsigned int *)p->src;
	const struct choice *choice;
	const char *comma = "";

	for (choice = p->arg->choices; choice->word; choice++) {
		if (!(bits & choice->value))
			continue;
		str_addf(p->out, "%s%s", comma, choice->word);
		comma = ", ";
	}
}

static void
print_prefixes(const struct printing *p)
{
	const struct policy_prefixes *list = p->src;
	char buf[PREFIX_TEXT_LEN];
	size_t i;

	for (i = 0; i < list->n; i++)
		str_addf(p->out, "%s%s", i ? ", " : "",
			 prefix_format(&list->list[i], buf));
}

static void
print_ports(const struct printing *p)
{
	const struct policy_ports *list = p->src;
	char buf[PORTS_TEXT_LEN];
	size_t i;

	for (i = 0; i < list->n; i++)
		str_addf(p->out, "%s%s", i ? ", " : "",
			 port_range_format(&list->list[i], buf));
}

static void
print_range(const struct printing *p)
{
	char buf[PORTS_TEXT_LEN];

	str_add(p->out, port_range_format(p->src, buf));
}

static void
print_listen(const struct printing *p)
{
	const struct endpoint *e = p->src;
	char buf[ENDPOINT_TEXT_LEN];

	if (e->addr.family == AF_UNSPEC)
		str_addf(p->out, "%u", e->port);
	else
		str_add(p->out, endpoint_format(e, buf));
}

static void
print_node(const struct printing *p)
{
	const struct policy_node *node;
	char buf[ENDPOINT_TEXT_LEN];

	node = (const struct policy_node *)((const char *)p->src -
					    offsetof(struct policy_node,
						     original));
	str_add(p->out, node->original ? "original"
				       : endpoint_format(&node->endpoint, buf));
}

static void
print_source(const struct printing *p)
{
	const struct policy_pool *pool;
	char buf[ADDR_TEXT_LEN];

	pool = (const struct policy_pool *)((const char *)p->src -
					    offsetof(struct policy_pool,
						     source));
	if (pool->source == SOURCE_ADDRESS)
		str_add(p->out, addr_format(&pool->source_addr, buf));
	else
		str_add(p->out, choice_word(p->arg->choices, pool->source));
}

static void
print_log(const struct printing *p)
{
	const struct policy_log *log = p->src;

	if (log->target == LOG_TARGET_FILE)
		print_text(p, log->path);
	else
		str_add(p->out, choice_word(p->arg->choices, log->target));
}

/* Types that no member of the model has stay NULL. */
static void (*const printers[TYPE_COUNT])(const struct printing *p) = {
	[TYPE_FLAG] = print_flag,	  [TYPE_RATE] = print_rate,
	[TYPE_CHOICE] = print_choice,	  [TYPE_YES_NO] = print_yes_no,
	[TYPE_NUMBER] = print_number,	  [TYPE_HEX] = print_hex,
	[TYPE_DURATION] = print_duration, [TYPE_NAME] = print_word,
	[TYPE_SIZE] = print_size,	  [TYPE_VOLUME] = print_volume,
	[TYPE_PATH] = print_word,	  [TYPE_POOL] = print_pool,
	[TYPE_WORD] = print_word,	  [TYPE_IFACES] = print_ifaces,
	[TYPE_FAMILIES] = print_families, [TYPE_PREFIXES] = print_prefixes,
	[TYPE_PORTS] = print_ports,	  [TYPE_RANGE] = print_range,
	[TYPE_LISTEN] = print_listen,	  [TYPE_NODE] = print_node,
	[TYPE_SOURCE] = print_source,	  [TYPE_LOG] = print_log,
};

/* --- statements ----------------------------------------------------------- */

/* What an option is when it is not written; "" if nothing. */
static void
print_arg_default(const struct arg *arg, const struct policy *p,
		  const char *base, struct printing *printing)
{
	if (arg->def)
		str_add(printing->out, arg->def);
	if (arg->def_for)
		str_add(printing->out, arg->def_for(NULL, base));
	if (!arg->inherit)
		return;
	printing->src = (const char *)&p->gateway + arg->inherit;
	printers[arg->type](printing);
}

static void
print_arg(const struct policy *p, const struct keyword *row,
	  const struct arg *arg, const char *base, struct str *out)
{
	struct str text = {0}, def = {0};
	struct printing printing = {row, arg, base + arg->field, &text};

	printers[arg->type](&printing);
	printing.out = &def;
	if (arg->word)
		print_arg_default(arg, p, base, &printing);
	if (strcmp(str_text(&text), str_text(&def)) != 0) {
		str_add(out, out->len ? " " : "");
		if (arg->word && arg->type != TYPE_FLAG)
			str_addf(out, "%s ", arg->word);
		str_add(out, str_text(&text));
	}
	str_fini(&text);
	str_fini(&def);
}

/* The arguments of a statement that the block or element at `base` holds. */
static void
print_args(const struct policy *p, const struct keyword *row, const char *base,
	   struct str *out)
{
	const struct arg *arg;

	for (arg = row->args; arg->type != TYPE_END; arg++)
		if (arg->field)
			print_arg(p, row, arg, base, out);
}

/* What holds where a statement of a single value is not written. */
static void
print_default(const struct policy *p, const struct keyword *row,
	      const char *base, struct str *out)
{
	const char *def = row->def;

	if (row->def_for)
		def = row->def_for(p, base);
	if (def)
		str_add(out, def);
	else if (row->args->inherit)
		print_args(p, keyword_find("gateway", row->word, row->sub),
			   (const char *)&p->gateway, out);
}

static void
print_line(const struct keyword *row, const char *args, struct str *out)
{
	char name[KEYWORD_NAME_LEN];

	str_addf(out, "    %s%s%s\n", keyword_name(row, name), *args ? " " : "",
		 args);
}

static void
print_single(const struct policy *p, const struct keyword *row,
	     const char *base, struct str *out)
{
	struct str args = {0}, def = {0};
	bool written = row->written && *(const bool *)(base + row->written);

	print_args(p, row, base, &args);
	print_default(p, row, base, &def);
	if (written || strcmp(str_text(&args), str_text(&def)) != 0)
		print_line(row, str_text(&args), out);
	str_fini(&args);
	str_fini(&def);
}

/* Is the element of this row? Other rows may share its list. */
static bool
is_of(const struct keyword *row, const char *element)
{
	unsigned int kind;

	if (!row->list.kind)
		return true;
	memcpy(&kind, element + row->list.kind, sizeof(kind));
	return kind == row->list.value;
}

/* Does the gateway say just this, for all services? */
static bool
is_inherited(const struct policy *p, const struct keyword *row,
	     const char *args)
{
	const char *base = (const char *)&p->gateway, *element;
	struct str same = {0};
	bool found = false;
	size_t i, n;

	if (!(row->flags & KEYWORD_INHERITS))
		return false;
	row = keyword_find("gateway", row->word, row->sub);
	memcpy(&element, base + row->list.array, sizeof(element));
	memcpy(&n, base + row->list.count, sizeof(n));
	for (i = 0; i < n && !found; i++, element += row->list.size) {
		str_clear(&same);
		print_args(p, row, element, &same);
		found = is_of(row, element) && !strcmp(str_text(&same), args);
	}
	str_fini(&same);
	return found;
}

static void
print_list(const struct policy *p, const struct keyword *row, const char *base,
	   struct str *out)
{
	struct str args = {0};
	const char *element;
	size_t i, n;

	memcpy(&element, base + row->list.array, sizeof(element));
	memcpy(&n, base + row->list.count, sizeof(n));
	for (i = 0; i < n; i++, element += row->list.size) {
		if (!is_of(row, element))
			continue;
		str_clear(&args);
		print_args(p, row, element, &args);
		if (is_inherited(p, row, str_text(&args)))
			continue;
		/* each of its lists is `any`, and one must be written */
		if (!args.len && row->flags & KEYWORD_NEEDS_ONE)
			str_addf(&args, "%s any", row->args->word);
		print_line(row, str_text(&args), out);
	}
	str_fini(&args);
}

static void
print_block(const struct policy *p, const char *block, const char *name,
	    const void *base, struct str *out)
{
	const struct keyword *rows;
	size_t i, n;

	str_addf(out, "%s%s%s%s {\n", out->len ? "\n" : "", block,
		 name ? " " : "", name ? name : "");
	rows = keywords(&n);
	for (i = 0; i < n; i++) {
		if (strcmp(rows[i].block, block) != 0)
			continue;
		if (rows[i].list.size)
			print_list(p, &rows[i], base, out);
		else if (rows[i].args->field || rows[i].written)
			print_single(p, &rows[i], base, out);
	}
	str_add(out, "}\n");
}

/* Not if it is as it would be without a definition. */
static void
print_pool_block(const struct policy *p, const struct policy_pool *pool,
		 struct str *out)
{
	static const char built_in[] = "pool original {\n"
				       "    node original\n"
				       "    source client\n"
				       "}\n";
	struct str text = {0};

	print_block(p, "pool", pool->name, pool, &text);
	if (strcmp(str_text(&text), built_in) != 0)
		str_addf(out, "%s%s", out->len ? "\n" : "", str_text(&text));
	str_fini(&text);
}

void
policy_print(const struct policy *p, struct str *out)
{
	struct str text = {0};
	size_t i;

	print_block(p, "gateway", NULL, &p->gateway, &text);
	if (strcmp(str_text(&text), "gateway {\n}\n") != 0)
		str_add(out, str_text(&text));
	str_fini(&text);
	for (i = 0; i < p->n_pools; i++)
		print_pool_block(p, &p->pools[i], out);
	for (i = 0; i < p->n_services; i++)
		print_block(p, "service", p->services[i].name, &p->services[i],
			    out);
}
