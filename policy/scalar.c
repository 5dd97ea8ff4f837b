/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/scalar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/names.h"
#include "policy/policy.h"

#define VOLUME_MAX ((uint64_t)1 << 50)

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
	return reading_mistake(r, w, "%s is outside %" PRIu32 "-%" PRIu32,
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
		return reading_mistake(r, w, "'%s' is not a number",
				       shown(w->text, buf));
	if (check_number(r, w, n) < 0)
		return -EINVAL;
	*ret_n = (uint32_t)n;
	return 0;
}

int
scalar_number(const struct reading *r)
{
	const struct choice *choice;
	uint32_t n;

	choice = reading_choice(r, r->arg->choices);
	if (choice)
		return reading_store(r, &choice->value, sizeof(choice->value));
	if (read_number_word(r, r->word, &n) < 0)
		return -EINVAL;
	return reading_store(r, &n, sizeof(n));
}

int
scalar_numbers(const struct reading *r)
{
	int ret = 0;
	uint32_t n;
	size_t i;

	for (i = 0; i < r->n; i++)
		if (read_number_word(r, r->list[i], &n) < 0)
			ret = -EINVAL;
	return ret;
}

int
scalar_hex(const struct reading *r)
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
		return reading_mistake(r, r->word,
				       "'%s' is not a number, such as 0x1000",
				       shown(r->word->text, buf));
	if (n > UINT32_MAX || n < r->arg->min)
		return reading_mistake(r, r->word, "%s is outside 0x%x-0x%x",
				       shown(r->word->text, buf), r->arg->min,
				       r->arg->max);
	value = (uint32_t)n;
	return reading_store(r, &value, sizeof(value));
}

int
scalar_duration(const struct reading *r)
{
	char buf[SHOWN_LEN], low[CLOCK_DURATION_LEN], high[CLOCK_DURATION_LEN];
	uint64_t n;
	uint32_t ms;
	int err;

	shown(r->word->text, buf);
	err = clock_parse_duration(r->word->text, &n);
	if (err == -EINVAL)
		return reading_mistake(
			r, r->word,
			"'%s' is not a duration, such as 500ms, 5s, 2m "
			"or 1h",
			buf);
	if (err < 0)
		return reading_mistake(r, r->word,
				       "'%s' needs a unit: ms, s, m or h", buf);
	if (n < r->arg->min || n > r->arg->max)
		return reading_mistake(r, r->word, "%s is outside %s-%s", buf,
				       clock_duration(r->arg->min, low),
				       clock_duration(r->arg->max, high));
	ms = (uint32_t)n;
	return reading_store(r, &ms, sizeof(ms));
}

/* Bytes, of which `k`, `m` and `g` are 1024s; UINT64_MAX: too many. */
static int
read_size(const struct reading *r, uint64_t *ret_n)
{
	static const char units[] = "kmg";
	const char *p = r->word->text, *unit;
	char buf[SHOWN_LEN];
	uint64_t n;

	if (read_digits(&p, 10, &n) < 0 || (*p && (!strchr(units, *p) || p[1])))
		return reading_mistake(
			r, r->word,
			"'%s' is not a size, such as 16384, 64k or 2m",
			shown(r->word->text, buf));
	for (unit = units; *p && unit <= strchr(units, *p); unit++)
		n = n > UINT64_MAX / 1024 ? UINT64_MAX : n * 1024;
	*ret_n = n;
	return 0;
}

int
scalar_size(const struct reading *r)
{
	char buf[SHOWN_LEN], low[SIZE_TEXT_LEN], high[SIZE_TEXT_LEN];
	uint32_t size;
	uint64_t n;

	if (read_size(r, &n) < 0)
		return -EINVAL;
	if (n < r->arg->min || n > r->arg->max)
		return reading_mistake(r, r->word, "%s is outside %s-%s",
				       shown(r->word->text, buf),
				       size_format(r->arg->min, low),
				       size_format(r->arg->max, high));
	size = (uint32_t)n;
	return reading_store(r, &size, sizeof(size));
}

int
scalar_volume(const struct reading *r)
{
	char buf[SHOWN_LEN], high[SIZE_TEXT_LEN];
	uint64_t n;

	if (read_size(r, &n) < 0)
		return -EINVAL;
	if (n < 1 || n > VOLUME_MAX)
		return reading_mistake(r, r->word, "%s is outside 1-%s",
				       shown(r->word->text, buf),
				       size_format(VOLUME_MAX, high));
	return reading_store(r, &n, sizeof(n));
}

int
scalar_rate(const struct reading *r)
{
	const char *p = r->word->text;
	char buf[SHOWN_LEN];
	uint32_t rate;
	uint64_t n;

	if (read_digits(&p, 10, &n) < 0 || strcmp(p, "/s") != 0)
		return reading_mistake(r, r->word,
				       "'%s' is not a rate, such as 100/s",
				       shown(r->word->text, buf));
	if (check_number(r, r->word, n) < 0)
		return -EINVAL;
	rate = (uint32_t)n;
	return reading_store(r, &rate, sizeof(rate));
}

/* --- words ---------------------------------------------------------------- */

int
scalar_flag(const struct reading *r)
{
	static const bool yes = true;

	return reading_store(r, &yes, sizeof(yes));
}

int
scalar_choice(const struct reading *r)
{
	const struct choice *choice;

	choice = reading_choice(r, r->arg->choices);
	if (!choice)
		return reading_choice_mistake(r, r->arg->choices);
	if (choice->unsupported && !r->quiet)
		reading_mistake(r, r->word,
				"'%s' is not supported by this version",
				choice->word);
	return reading_store(r, &choice->value, sizeof(choice->value));
}

int
scalar_yes_no(const struct reading *r)
{
	static const struct choice no_yes[] = {
		{"no", 0, false},
		{"yes", 1, false},
		{NULL, 0, false},
	};
	const struct choice *choices, *choice;
	bool value;

	choices = r->arg->choices ? r->arg->choices : no_yes;
	choice = reading_choice(r, choices);
	if (!choice)
		return reading_choice_mistake(r, choices);
	value = choice->value;
	return reading_store(r, &value, sizeof(value));
}

int
scalar_name(const struct reading *r)
{
	char buf[SHOWN_LEN];

	if (!name_valid(r->word->text))
		return reading_mistake(
			r, r->word,
			"'%s' is not a name: [a-z][a-z0-9_-]*, at most "
			"%d bytes",
			shown(r->word->text, buf), NAME_MAX_LEN);
	return reading_store_text(r);
}

/* A pool of which only name and place are known; check.c finds the real. */
int
scalar_pool(const struct reading *r)
{
	struct policy_pool *stub;
	struct reading name = *r;
	const char *text = NULL;

	name.dst = &text;
	if (scalar_name(&name) < 0)
		return -EINVAL;
	if (!r->dst)
		return 0;
	stub = arena_alloc(r->sources->scratch, sizeof(*stub));
	stub->name = text;
	stub->place = r->word->place;
	return reading_store(r, &stub, sizeof(stub));
}

int
scalar_word(const struct reading *r)
{
	size_t len = strlen(r->word->text);
	size_t max = r->arg->max ? r->arg->max : 4095;

	if (len < 1 || len > max)
		return reading_mistake(
			r, r->word,
			"a text of 1-%zu bytes is expected, this has %zu", max,
			len);
	return reading_store_text(r);
}

int
scalar_words(const struct reading *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (!*r->list[i]->text)
			return reading_mistake(r, r->list[i], "an empty text");
	return 0;
}

/* Absolute, or relative to the file that names it. */
int
scalar_path(const struct reading *r)
{
	const char *path;

	if (!*r->word->text)
		return reading_mistake(r, r->word, "a path is expected");
	if (!r->dst || *r->word->text == '/')
		return reading_store_text(r);
	path = arena_printf(r->sources->keep, "%.*s%s",
			    (int)source_directory(r->word->place.file),
			    r->word->place.file, r->word->text);
	return reading_store(r, &path, sizeof(path));
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
	return reading_mistake(r, r->word, "unknown variable '$%s'%s%s%s%s",
			       word, nearest ? ", did you mean '$" : "",
			       nearest ? nearest : "", nearest ? "'?" : "",
			       *word ? "" : "; a dollar is written '$$'");
}

int
scalar_text(const struct reading *r)
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
				return reading_mistake(
					r, r->word,
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
