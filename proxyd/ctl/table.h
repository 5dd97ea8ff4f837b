/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h - columns that are as wide as what stands in them.
 *
 * Cells are added row by row; the first row is the head. Values in, text
 * out.
 */
#ifndef PROXYD_CTL_TABLE_H
#define PROXYD_CTL_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/str.h"

enum { TABLE_COLUMNS_MAX = 16 };

/* Zeroed and with its columns named it is ready; table_fini() frees it. */
struct table {
	const char *const *heads; /* borrows: names of columns, then NULL */
	char **cells;		  /* owns */
	size_t n;
	size_t room;
};

void table_fini(struct table *t);

/* The next cell. NULL and "" are shown as "-". */
void table_text(struct table *t, const char *text);
void table_number(struct table *t, int64_t value);

/* A number of bytes, 1024 to the "K"; of milliseconds, "3m20s". */
void table_bytes(struct table *t, int64_t bytes);
void table_ms(struct table *t, int64_t ms);

/* Write it, with its heads; nothing if it has no rows. */
void table_print(const struct table *t, struct str *out);

/* The same texts alone. */
void table_add_bytes(struct str *out, int64_t bytes);
void table_add_ms(struct str *out, int64_t ms);

#endif
