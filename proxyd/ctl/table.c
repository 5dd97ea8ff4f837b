/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.c - widths and units of table.h. */
#include "proxyd/ctl/table.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static size_t
count_columns(const struct table *t)
{
	size_t n = 0;

	while (t->heads[n])
		n++;
	assert(n > 0 && n <= TABLE_COLUMNS_MAX);
	return n;
}

void
table_fini(struct table *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	t->cells = NULL;
	t->n = t->room = 0;
}

void
table_text(struct table *t, const char *text)
{
	char **more, *copy;

	if (t->n == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		more = realloc(t->cells, t->room * sizeof(*more));
		if (!more)
			abort();
		t->cells = more;
	}
	copy = strdup(text && *text ? text : "-");
	if (!copy)
		abort();
	t->cells[t->n++] = copy;
}

void
table_number(struct table *t, int64_t value)
{
	struct str s = {0};

	str_addf(&s, "%" PRId64, value);
	table_text(t, str_text(&s));
	str_fini(&s);
}

void
table_add_bytes(struct str *out, int64_t bytes)
{
	static const char units[] = "KMGTPE";
	double value = (double)bytes;
	int unit = -1;

	while (value >= 1024 && units[unit + 1]) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		str_addf(out, "%" PRId64, bytes);
	else
		str_addf(out, "%.1f%c", value, units[unit]);
}

/* The two largest units: "1d4h", "3m20s", "250ms". */
void
table_add_ms(struct str *out, int64_t ms)
{
	int64_t s = ms / 1000;

	if (ms < 1000)
		str_addf(out, "%" PRId64 "ms", ms);
	else if (s < 60)
		str_addf(out, "%" PRId64 "s", s);
	else if (s < 3600)
		str_addf(out, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
	else if (s < 24 * 3600)
		str_addf(out, "%" PRId64 "h%02" PRId64 "m", s / 3600,
			 s / 60 % 60);
	else
		str_addf(out, "%" PRId64 "d%02" PRId64 "h", s / (24 * 3600),
			 s / 3600 % 24);
}

void
table_bytes(struct table *t, int64_t bytes)
{
	struct str s = {0};

	table_add_bytes(&s, bytes);
	table_text(t, str_text(&s));
	str_fini(&s);
}

void
table_ms(struct table *t, int64_t ms)
{
	struct str s = {0};

	table_add_ms(&s, ms);
	table_text(t, str_text(&s));
	str_fini(&s);
}

static void
print_row(const char *const *cells, const size_t *widths, size_t n,
	  struct str *out)
{
	size_t i;

	for (i = 0; i + 1 < n; i++)
		str_addf(out, "%-*s  ", (int)widths[i], cells[i]);
	str_addf(out, "%s\n", cells[n - 1]);
}

void
table_print(const struct table *t, struct str *out)
{
	size_t n = count_columns(t), widths[TABLE_COLUMNS_MAX], i, len;

	assert(t->n % n == 0);
	if (t->n == 0)
		return;
	for (i = 0; i < n; i++)
		widths[i] = strlen(t->heads[i]);
	for (i = 0; i < t->n; i++) {
		len = strlen(t->cells[i]);
		if (len > widths[i % n])
			widths[i % n] = len;
	}
	print_row(t->heads, widths, n, out);
	for (i = 0; i < t->n; i += n)
		print_row((const char *const *)t->cells + i, widths, n, out);
}
