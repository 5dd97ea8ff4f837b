/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/inet.h"
#include "lib/names.h"
#include "policy/parse.h"
#include "policy/policy.h"

enum {
	CHOICES_MAX = 16,
	NOTE_LEN = 256,
};

/* One value: its word, where it goes, and what it must be. */
struct reading {
	struct cursor *c;      /* borrows */
	const struct arg *arg; /* borrows */
	struct word *word;     /* of a list: its first one */
	struct word **list;    /* elements of a list, $NAMEs replaced */
	size_t n;
	void *dst; /* NULL: check the form only */
};

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

static int mistake(const struct reading *r, struct word *w, const char *fmt,
		   ...) __attribute__((format(printf, 3, 4)));

/* Report what is wrong with `w`, once. Returns -EINVAL. */
static int
mistake(const struct reading *r, struct word *w, const char *fmt, ...)
{
	char text[NOTE_LEN];
	va_list ap;

	if (w->bad)
		return -EINVAL;
	w->bad = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report(r->c->sources, DIAG_ERROR, w->place, "%s", text);
	return -EINVAL;
}

static int
store(const struct reading *r, const void *value, size_t size)
{
	if (r->dst)
		memcpy(r->dst, value, size);
	return 0;
}

static int
store_text(const struct reading *r)
{
	const char *text;

	if (r->dst) {
		text = arena_strdup(r->c->sources->keep, r->word->text);
		store(r, &text, sizeof(text));
	}
	return 0;
}

/* --- numbers -------------------------------------------------------------- */

/* Digits at *text, which moves behind them; UINT64_MAX if they are too many,
 * -EINVAL if there is none. */
static int
read_digits(const char **text, unsigned int base, uint64_t *ret_n)
{
	static const char digits[] = "0123456789abcdef";
	const char *start = *text, *d;
	uint64_t n = 0;

	for (; **text; (*text)++) {
		d = strchr(digits, **text | (base == 16 ? 0x20 : 0));
		if (!d || d - digits >= (int)base)
			break;
		n = n > UINT64_MAX / 32 ? UINT64_MAX
					: n * base + (uint64_t)(d - digits);
	}
	*ret_n = n;
	return *text == start ? -EINVAL : 0;
}

static bool
has_limits(const struct arg *arg)
{
	return arg->min || arg->max;
}

static int
check_number(const struct reading *r, struct word *w, uint64_t n)
{
	char buf[SHOWN_LEN];

	if (n <= UINT32_MAX &&
	    (!has_limits(r->arg) || (n >= r->arg->min && n <= r->arg->max)))
		return 0;
	return mistake(r, w, "%s is outside %" PRIu32 "-%" PRIu32,
		       shown(w->text, buf),
		       has_limits(r->arg) ? r->arg->min : 0,
		       has_limits(r->arg) ? r->arg->max : UINT32_MAX);
}

static int
read_number_word(const struct reading *r, struct word *w, uint32_t *ret_n)
{
	const char *p = w->text;
	char buf[SHOWN_LEN];
	uint64_t n;

	if (read_digits(&p, 10, &n) < 0 || *p)
		return mistake(r, w, "'%s' is not a number",
			       shown(w->text, buf));
	if (check_number(r, w, n) < 0)
		return -EINVAL;
	*ret_n = (uint32_t)n;
	return 0;
}

static int
read_number(const struct reading *r)
{
	const struct choice *choice = NULL;
	uint32_t n;

	if (!r->word->quoted)
		choice = choice_find(r->arg->choices, r->word->text);
	if (choice)
		return store(r, &choice->value, sizeof(choice->value));
	if (read_number_word(r, r->word, &n) < 0)
		return -EINVAL;
	return store(r, &n, sizeof(n));
}

static int
read_numbers(const struct reading *r)
{
	int ret = 0;
	uint32_t n;
	size_t i;

	for (i = 0; i < r->n; i++)
		if (read_number_word(r, r->list[i], &n) < 0)
			ret = -EINVAL;
	return ret;
}

static int
read_hex(const struct reading *r)
{
	const char *p = r->word->text;
	char buf[SHOWN_LEN];
	unsigned int base;
	uint32_t value;
	uint64_t n;

	base = p[0] == '0' && (p[1] | 0x20) == 'x' ? 16 : 10;
	if (base == 16)
		p += 2;
	if (read_digits(&p, base, &n) < 0 || *p)
		return mistake(r, r->word,
			       "'%s' is not a number, such as 0x1000",
			       shown(r->word->text, buf));
	if (n > UINT32_MAX || n < r->arg->min)
		return mistake(r, r->word, "%s is outside 0x%x-0x%x",
			       shown(r->word->text, buf), r->arg->min,
			       r->arg->max);
	value = (uint32_t)n;
	return store(r, &value, sizeof(value));
}

static int
read_duration(const struct reading *r)
{
	/*          unit  milliseconds */
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	char buf[SHOWN_LEN], low[CLOCK_DURATION_LEN], high[CLOCK_DURATION_LEN];
	const char *p = r->word->text;
	uint64_t n, scale = 0;
	uint32_t ms;
	size_t i;

	shown(p, buf);
	if (read_digits(&p, 10, &n) < 0)
		return mistake(r, r->word,
			       "'%s' is not a duration, such as 500ms, 5s, 2m "
			       "or 1h",
			       buf);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(p, units[i].unit))
			scale = units[i].ms;
	if (!scale && (*p || n))
		return mistake(r, r->word, "'%s' needs a unit: ms, s, m or h",
			       buf);
	n = scale && n > UINT64_MAX / scale ? UINT64_MAX : n * scale;
	if (n < r->arg->min || n > r->arg->max)
		return mistake(r, r->word, "%s is outside %s-%s", buf,
			       clock_duration(r->arg->min, low),
			       clock_duration(r->arg->max, high));
	ms = (uint32_t)n;
	return store(r, &ms, sizeof(ms));
}

static int
read_size(const struct reading *r)
{
	const char *p = r->word->text;
	char buf[SHOWN_LEN];
	uint64_t n;

	if (read_digits(&p, 10, &n) < 0 || (*p && (!strchr("kmg", *p) || p[1])))
		return mistake(r, r->word,
			       "'%s' is not a size, such as 16384, 64k or 2m",
			       shown(r->word->text, buf));
	return 0;
}

static int
read_rate(const struct reading *r)
{
	const char *p = r->word->text;
	char buf[SHOWN_LEN];
	uint64_t n;

	if (read_digits(&p, 10, &n) < 0 || strcmp(p, "/s") != 0)
		return mistake(r, r->word, "'%s' is not a rate, such as 100/s",
			       shown(r->word->text, buf));
	return check_number(r, r->word, n);
}

/* --- words ---------------------------------------------------------------- */

static int
read_flag(const struct reading *r)
{
	static const bool yes = true;

	return store(r, &yes, sizeof(yes));
}

/* What may stand here, and perhaps what was meant. */
static int
report_choice(const struct reading *r, const struct choice *choices)
{
	const char *words[CHOICES_MAX] = {0}, *nearest;
	struct str text = {0};
	char buf[SHOWN_LEN];
	size_t n;

	for (n = 0; choices[n].word && n < CHOICES_MAX; n++) {
		words[n] = choices[n].word;
		str_addf(&text, "%s%s", n ? ", " : "", choices[n].word);
	}
	nearest = name_nearest(r->word->text, words, n);
	mistake(r, r->word, "'%s' is not %s%s%s%s%s", shown(r->word->text, buf),
		n == 1 ? "" : "one of ", str_text(&text),
		nearest ? ", did you mean '" : "", nearest ? nearest : "",
		nearest ? "'?" : "");
	str_fini(&text);
	return -EINVAL;
}

static int
read_choice(const struct reading *r)
{
	const struct choice *choice = NULL;

	if (!r->word->quoted)
		choice = choice_find(r->arg->choices, r->word->text);
	if (!choice)
		return report_choice(r, r->arg->choices);
	if (choice->unsupported && !r->c->quiet)
		mistake(r, r->word, "'%s' is not supported by this version",
			choice->word);
	return store(r, &choice->value, sizeof(choice->value));
}

static int
read_yes_no(const struct reading *r)
{
	static const struct choice choices[] = {
		{"no", 0, false},
		{"yes", 1, false},
		{NULL, 0, false},
	};
	const struct choice *choice = NULL;
	bool value;

	if (!r->word->quoted)
		choice = choice_find(choices, r->word->text);
	if (!choice)
		return report_choice(r, choices);
	value = choice->value;
	return store(r, &value, sizeof(value));
}

static int
read_name(const struct reading *r)
{
	char buf[SHOWN_LEN];

	if (!name_valid(r->word->text))
		return mistake(r, r->word,
			       "'%s' is not a name: [a-z][a-z0-9_-]*, at most "
			       "%d bytes",
			       shown(r->word->text, buf), NAME_MAX_LEN);
	return store_text(r);
}

/* A pool of which only name and place are known; check.c finds the real. */
static int
read_pool(const struct reading *r)
{
	struct policy_pool *stub;
	struct reading name = *r;
	const char *text = NULL;

	name.dst = &text;
	if (read_name(&name) < 0)
		return -EINVAL;
	if (!r->dst)
		return 0;
	stub = arena_alloc(r->c->sources->scratch, sizeof(*stub));
	stub->name = text;
	stub->place = r->word->place;
	return store(r, &stub, sizeof(stub));
}

static int
read_word(const struct reading *r)
{
	size_t len = strlen(r->word->text);
	size_t max = r->arg->max ? r->arg->max : 4095;

	if (len < 1 || len > max)
		return mistake(
			r, r->word,
			"a text of 1-%zu bytes is expected, this has %zu", max,
			len);
	return store_text(r);
}

static int
read_words(const struct reading *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (!*r->list[i]->text)
			return mistake(r, r->list[i], "an empty text");
	return 0;
}

static int
read_path(const struct reading *r)
{
	if (!*r->word->text)
		return mistake(r, r->word, "a path is expected");
	return store_text(r);
}

/* --- text with variables -------------------------------------------------- */

static const char *const variables[] = {
	"client", "client_port", "destination", "destination_port",
	"local",  "host",	 "path",	"service",
	"pool",	  "node",	 "id",
};

enum { VARIABLES = sizeof(variables) / sizeof(variables[0]) };

static int
check_variable(const struct reading *r, const char *name, size_t len)
{
	char word[NAME_MAX_LEN + 1];
	const char *nearest;
	size_t i;

	snprintf(word, sizeof(word), "%.*s", (int)(len > 31 ? 31 : len), name);
	for (i = 0; i < VARIABLES; i++)
		if (!strcmp(word, variables[i]))
			return 0;
	if (r->arg->type == TYPE_REPLACEMENT && len == 1 && *name >= '1' &&
	    *name <= '9')
		return 0;
	nearest = name_nearest(word, variables, VARIABLES);
	return mistake(r, r->word, "unknown variable '$%s'%s%s%s%s", word,
		       nearest ? ", did you mean '$" : "",
		       nearest ? nearest : "", nearest ? "'?" : "",
		       *word ? "" : "; a dollar is written '$$'");
}

static int
read_text(const struct reading *r)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
	const char *p = r->word->text;
	size_t len;

	while ((p = strchr(p, '$'))) {
		p++;
		if (*p == '$') {
			p++;
			continue;
		}
		if (*p == '{') {
			len = strcspn(++p, "}");
			if (!p[len])
				return mistake(r, r->word,
					       "'${' is not closed by '}'");
		} else {
			len = strspn(p, letters);
			if (!len && *p >= '0' && *p <= '9')
				len = 1;
		}
		if (check_variable(r, p, len) < 0)
			return -EINVAL;
		p += len;
	}
	return 0;
}

/* --- addresses ------------------------------------------------------------ */

/* Does the list say `any`? Only alone, and only where it may. */
static bool
is_any(const struct reading *r)
{
	return r->n == 1 && r->arg->flags & ARG_ANY && !r->list[0]->quoted &&
	       !strcmp(r->list[0]->text, "any");
}

/* An element that should not be the bare word `any`. */
static int
check_any(const struct reading *r, struct word *w)
{
	if (w->quoted || strcmp(w->text, "any") != 0)
		return 0;
	return mistake(r, w, "'any' stands %s",
		       r->arg->flags & ARG_ANY ? "alone" : "not here");
}

static int
read_iface_word(const struct reading *r, struct word *w,
		struct policy_iface *ret_iface)
{
	size_t len = strlen(w->text);
	char buf[SHOWN_LEN];

	*ret_iface = (struct policy_iface){0};
	if (check_any(r, w) < 0)
		return -EINVAL;
	if (len && w->text[len - 1] == '*') {
		ret_iface->wildcard = true;
		len--;
	}
	if (!len || len >= POLICY_IFACE_LEN ||
	    strcspn(w->text, "/ *\n\t:") < len || !strcmp(w->text, ".") ||
	    !strcmp(w->text, ".."))
		return mistake(r, w,
			       "'%s' is not an interface: 1-%d bytes, '*' only "
			       "at the end",
			       shown(w->text, buf), POLICY_IFACE_LEN - 1);
	memcpy(ret_iface->name, w->text, len);
	return 0;
}

static int
read_ifaces(const struct reading *r)
{
	struct policy_ifaces value = {.n = r->n};
	struct policy_iface *list;
	int ret = 0;
	size_t i;

	if (is_any(r))
		return store(r, &(struct policy_ifaces){0}, sizeof(value));
	list = arena_calloc(r->c->sources->keep, r->n, sizeof(*list));
	for (i = 0; i < r->n; i++)
		if (read_iface_word(r, r->list[i], &list[i]) < 0)
			ret = -EINVAL;
	value.list = list;
	return ret < 0 ? ret : store(r, &value, sizeof(value));
}

static int
read_families(const struct reading *r)
{
	const struct choice *choice;
	struct reading one = *r;
	unsigned int value = 0;
	int ret = 0;
	size_t i;

	for (i = 0; i < r->n; i++) {
		one.word = r->list[i];
		choice = choice_find(r->arg->choices, one.word->text);
		if (!choice)
			ret = report_choice(&one, r->arg->choices);
		else if (value & choice->value)
			ret = mistake(r, one.word, "'%s' is given twice",
				      choice->word);
		else
			value |= choice->value;
	}
	return ret < 0 ? ret : store(r, &value, sizeof(value));
}

static int
read_prefix_word(const struct reading *r, struct word *w,
		 struct prefix *ret_prefix)
{
	char buf[SHOWN_LEN], right[PREFIX_TEXT_LEN];
	int ret;

	if (check_any(r, w) < 0)
		return -EINVAL;
	ret = prefix_parse(w->text, ret_prefix);
	if (ret == -ERANGE)
		return mistake(r, w,
			       "'%s' has bits set beyond its length, did you "
			       "mean '%s'?",
			       shown(w->text, buf),
			       prefix_format(ret_prefix, right));
	if (ret < 0)
		return mistake(r, w, "'%s' is not an address or network",
			       shown(w->text, buf));
	return 0;
}

static int
read_prefixes(const struct reading *r)
{
	struct policy_prefixes value = {.n = r->n};
	struct prefix *list;
	int ret = 0;
	size_t i;

	if (is_any(r))
		return store(r, &(struct policy_prefixes){0}, sizeof(value));
	list = arena_calloc(r->c->sources->keep, r->n, sizeof(*list));
	for (i = 0; i < r->n; i++)
		if (read_prefix_word(r, r->list[i], &list[i]) < 0)
			ret = -EINVAL;
	value.list = list;
	return ret < 0 ? ret : store(r, &value, sizeof(value));
}

static int
read_range_word(const struct reading *r, struct word *w,
		struct port_range *ret_range)
{
	char buf[SHOWN_LEN];

	if (check_any(r, w) < 0)
		return -EINVAL;
	if (port_range_parse(w->text, ret_range) < 0)
		return mistake(r, w, "'%s' is not a port or LOW-HIGH, 1-65535",
			       shown(w->text, buf));
	return 0;
}

/* Where ports must be given, `any` is a range like others. */
static int
read_any_port(const struct reading *r)
{
	static const struct port_range all = {1, 65535};
	struct policy_ports value = {0};

	if (r->arg->flags & ARG_REQUIRED) {
		value.list =
			arena_memdup(r->c->sources->keep, &all, sizeof(all));
		value.n = 1;
	}
	return store(r, &value, sizeof(value));
}

static int
read_ports(const struct reading *r)
{
	struct policy_ports value = {.n = r->n};
	struct port_range *list;
	int ret = 0;
	size_t i;

	if (is_any(r))
		return read_any_port(r);
	list = arena_calloc(r->c->sources->keep, r->n, sizeof(*list));
	for (i = 0; i < r->n; i++)
		if (read_range_word(r, r->list[i], &list[i]) < 0)
			ret = -EINVAL;
	value.list = list;
	return ret < 0 ? ret : store(r, &value, sizeof(value));
}

static int
read_range(const struct reading *r)
{
	struct port_range value;

	if (read_range_word(r, r->word, &value) < 0)
		return -EINVAL;
	return store(r, &value, sizeof(value));
}

static int
read_listen(const struct reading *r)
{
	struct endpoint value = {0};
	struct port_range port;
	char buf[SHOWN_LEN];

	if (!port_range_parse(r->word->text, &port) && port.low == port.high) {
		value.port = port.low;
		return store(r, &value, sizeof(value));
	}
	if (endpoint_parse(r->word->text, &value) < 0)
		return mistake(r, r->word,
			       "'%s' is not a port, ADDR:PORT or [ADDR]:PORT",
			       shown(r->word->text, buf));
	if (!value.port)
		return mistake(r, r->word, "'%s' has no port: %s",
			       shown(r->word->text, buf),
			       value.addr.family == AF_INET6 ? "[ADDR]:PORT"
							     : "ADDR:PORT");
	if (!addr_is_any(&value.addr) && !addr_is_unicast(&value.addr))
		return mistake(r, r->word, "'%s' is not a unicast address",
			       shown(r->word->text, buf));
	return store(r, &value, sizeof(value));
}

static int
check_unicast(const struct reading *r, const struct addr *addr)
{
	char buf[SHOWN_LEN];

	if (addr_is_unicast(addr))
		return 0;
	return mistake(r, r->word, "'%s' is not a unicast address",
		       shown(r->word->text, buf));
}

static int
read_node(const struct reading *r)
{
	struct policy_node value = {0};
	struct policy_node *node;
	char buf[SHOWN_LEN];

	value.original =
		!r->word->quoted && choice_find(r->arg->choices, r->word->text);
	if (!value.original) {
		if (endpoint_parse(r->word->text, &value.endpoint) < 0)
			return mistake(r, r->word,
				       "'%s' is not 'original', ADDR, "
				       "ADDR:PORT or [ADDR]:PORT; names are "
				       "not looked up",
				       shown(r->word->text, buf));
		if (check_unicast(r, &value.endpoint.addr) < 0)
			return -EINVAL;
	}
	if (!r->dst)
		return 0;
	node = (struct policy_node *)((char *)r->dst -
				      offsetof(struct policy_node, original));
	node->original = value.original;
	node->endpoint = value.endpoint;
	return 0;
}

static int
read_source(const struct reading *r)
{
	const struct choice *choice = NULL;
	struct policy_pool *pool;
	struct addr addr = {0};
	char buf[SHOWN_LEN];

	if (!r->word->quoted)
		choice = choice_find(r->arg->choices, r->word->text);
	if (!choice && addr_parse(r->word->text, &addr) < 0)
		return mistake(r, r->word,
			       "'%s' is not gateway, client, client-port or an "
			       "address",
			       shown(r->word->text, buf));
	if (!choice && check_unicast(r, &addr) < 0)
		return -EINVAL;
	if (!r->dst)
		return 0;
	pool = (struct policy_pool *)((char *)r->dst -
				      offsetof(struct policy_pool, source));
	pool->source = choice ? choice->value : SOURCE_ADDRESS;
	pool->source_addr = addr;
	return 0;
}

static int
read_log(const struct reading *r)
{
	const struct choice *choice = NULL;
	struct policy_log value = {0};
	char buf[SHOWN_LEN];

	if (!r->word->quoted)
		choice = choice_find(r->arg->choices, r->word->text);
	if (!choice && r->word->text[0] != '/')
		return mistake(r, r->word,
			       "'%s' is not journal, none or a file from '/'",
			       shown(r->word->text, buf));
	if (!r->dst)
		return 0;
	value.target = choice ? choice->value : LOG_TARGET_FILE;
	if (!choice)
		value.path = arena_strdup(r->c->sources->keep, r->word->text);
	return store(r, &value, sizeof(value));
}

/* --- all types ------------------------------------------------------------ */

static const struct {
	int (*read)(const struct reading *r);
	bool list;
	size_t size; /* in the model; 0: no member has this type */
} types[TYPE_COUNT] = {
	[TYPE_FLAG] = {read_flag, false, sizeof(bool)},
	[TYPE_CHOICE] = {read_choice, false, sizeof(unsigned int)},
	[TYPE_YES_NO] = {read_yes_no, false, sizeof(bool)},
	[TYPE_NUMBER] = {read_number, false, sizeof(uint32_t)},
	[TYPE_NUMBERS] = {read_numbers, true, 0},
	[TYPE_HEX] = {read_hex, false, sizeof(uint32_t)},
	[TYPE_DURATION] = {read_duration, false, sizeof(uint32_t)},
	[TYPE_SIZE] = {read_size, false, 0},
	[TYPE_RATE] = {read_rate, false, 0},
	[TYPE_NAME] = {read_name, false, sizeof(const char *)},
	[TYPE_POOL] = {read_pool, false, sizeof(struct policy_pool *)},
	[TYPE_WORD] = {read_word, false, sizeof(const char *)},
	[TYPE_WORDS] = {read_words, true, 0},
	[TYPE_NAMED] = {read_word, false, 0},
	[TYPE_TEXT] = {read_text, false, 0},
	[TYPE_REPLACEMENT] = {read_text, false, 0},
	[TYPE_PATH] = {read_path, false, sizeof(const char *)},
	[TYPE_IFACES] = {read_ifaces, true, sizeof(struct policy_ifaces)},
	[TYPE_FAMILIES] = {read_families, true, sizeof(unsigned int)},
	[TYPE_PREFIXES] = {read_prefixes, true, sizeof(struct policy_prefixes)},
	[TYPE_PORTS] = {read_ports, true, sizeof(struct policy_ports)},
	[TYPE_RANGE] = {read_range, false, sizeof(struct port_range)},
	[TYPE_LISTEN] = {read_listen, false, sizeof(struct endpoint)},
	[TYPE_NODE] = {read_node, false, 0},
	[TYPE_SOURCE] = {read_source, false, 0},
	[TYPE_LOG] = {read_log, false, sizeof(struct policy_log)},
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
	r->list = arena_push(r->c->sources->scratch, r->list, r->n,
			     sizeof(struct word *));
	r->list[r->n++] = word;
}

/* Is there room for `n` more in this list, and in all lists? */
static bool
has_room(struct reading *r, struct word *at, size_t n)
{
	struct sources *s = r->c->sources;

	s->elements += n;
	if (r->n + n <= LIST_MAX && s->elements <= LISTS_MAX)
		return true;
	mistake(r, at, "a list has at most %d elements, all lists together %d",
		LIST_MAX, LISTS_MAX);
	return false;
}

static int
add_element(struct reading *r, struct word *w)
{
	size_t i;

	if (w->define) {
		if (!has_room(r, w, w->define->n))
			return -EINVAL;
		for (i = 0; i < w->define->n; i++)
			push_element(r, w->define->words[i]);
		return 0;
	}
	if (!w->quoted && w->text[0] == '$') {
		if (!w->bad)
			report_undefined(r->c->sources, r->c->tree, w);
		w->bad = true;
		return -EINVAL;
	}
	if (!has_room(r, w, 1))
		return -EINVAL;
	push_element(r, w);
	return 0;
}

/* The words up to the one without a comma behind it. */
static int
take_list(struct reading *r)
{
	struct word *w;
	int ret = 0;
	bool more;

	do {
		w = cursor_word(r->c);
		more = w->comma;
		if (add_element(r, w) < 0)
			ret = -EINVAL;
		r->c->pos++;
	} while (more && cursor_word(r->c));
	return ret;
}

/* One word; a list or a $NAME is a mistake. */
static int
take_one(struct reading *r)
{
	struct word *w = r->word;
	char buf[SHOWN_LEN];

	r->c->pos++;
	if (!w->comma &&
	    (w->quoted || w->text[0] != '$' || r->arg->type == TYPE_TEXT ||
	     r->arg->type == TYPE_REPLACEMENT))
		return 0;
	if (!w->comma)
		return mistake(r, w,
			       "'%s' would be a list, one value is "
			       "expected",
			       shown(w->text, buf));
	while (cursor_word(r->c) && r->c->words[r->c->pos - 1].comma)
		r->c->pos++;
	return mistake(r, w, "one value is expected here, not a list");
}

/* Behind the name of a header there may be a list. */
static int
take_globs(const struct reading *r)
{
	struct reading list = *r;

	if (!cursor_word(r->c) || cursor_at_option(r->c))
		return 0;
	list.word = cursor_word(r->c);
	return take_list(&list);
}

int
value_read(struct cursor *c, const struct arg *arg, void *dst)
{
	struct reading r = {.c = c, .arg = arg, .dst = dst};
	bool list = types[arg->type].list;
	int ret;

	r.word = cursor_word(c);
	ret = list ? take_list(&r) : take_one(&r);
	if (ret < 0 && !list)
		return ret;
	/* the other elements may have mistakes too */
	if (ret < 0)
		r.dst = NULL;
	if (types[arg->type].read(&r) < 0)
		return -EINVAL;
	return arg->type == TYPE_NAMED ? take_globs(&r) : ret;
}
