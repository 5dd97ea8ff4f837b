/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tally.c - the table of tally.h in shared memory.
 *
 * Rows of a column lie together and an unused one between two columns, so
 * that no two processes write to one cache line.
 */
#include "proxyd/base/tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/hash.h"

#include "proxyd/base/pages.h"

struct tally {
	size_t n_services;
	size_t n_workers;
	char (*names)[NAME_MAX_LEN + 1]; /* owns */
	struct pages pages;
	struct tally_row *rows; /* in them, column by column */
	size_t column;		/* rows from one to the next */
};

/* All but the rows. NULL: no memory. */
static struct tally *
make(const struct policy *p, size_t n_workers)
{
	struct tally *t;
	size_t i;

	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->n_services = p->n_services;
	t->n_workers = n_workers;
	t->column = p->n_services + 1;
	t->names = calloc(p->n_services + 1, sizeof(*t->names));
	if (!t->names) {
		free(t);
		return NULL;
	}
	for (i = 0; i < p->n_services; i++)
		strcpy(t->names[i], p->services[i].name);
	return t;
}

/* Whose rows these are, and what is in one. */
static uint64_t
layout(const struct tally *t)
{
	uint64_t digest = reason_digest() + sizeof(struct tally_row);
	size_t i;

	digest = hash64(&t->n_workers, sizeof(t->n_workers), digest);
	for (i = 0; i < t->n_services; i++)
		digest = hash64(t->names[i], strlen(t->names[i]), digest);
	return digest;
}

struct tally *
tally_new(const struct policy *p, size_t n_workers)
{
	struct tally *t = make(p, n_workers);
	size_t size;

	if (!t)
		return NULL;
	size = (n_workers + 1) * t->column * sizeof(*t->rows);
	if (pages_new(&t->pages, "proxyd-tally", size, layout(t)) < 0) {
		tally_free(t);
		return NULL;
	}
	t->rows = t->pages.at;
	return t;
}

struct tally *
tally_find_again(int fd, const struct policy *p, size_t n_workers)
{
	struct tally *t = make(p, n_workers);

	if (!t || pages_take(&t->pages, fd, layout(t)) < 0) {
		close(fd);
		tally_free(t);
		return NULL;
	}
	t->rows = t->pages.at;
	return t;
}

int
tally_fd(const struct tally *t)
{
	return t->pages.fd;
}

void
tally_free(struct tally *t)
{
	if (!t)
		return;
	pages_free(&t->pages);
	free(t->names);
	free(t);
}

struct tally_row *
tally_column(struct tally *t, size_t worker)
{
	assert(worker < t->n_workers);
	return t->rows + (worker + 1) * t->column;
}

/* --- one number ----------------------------------------------------------- */

static uint64_t
get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Only one process writes to it. */
static void
add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, get(counter) + n, memory_order_relaxed);
}

void
tally_begin(struct tally_row *row)
{
	add(&row->accepted, 1);
}

void
tally_leave(struct tally_row *row)
{
	/* in all columns together it is no less than none */
	add(&row->accepted, UINT64_MAX);
}

void
tally_end(struct tally_row *row, enum reason reason, uint64_t bytes_in,
	  uint64_t bytes_out)
{
	add(&row->bytes_in, bytes_in);
	add(&row->bytes_out, bytes_out);
	add(&row->ended[reason], 1);
}

/* --- sums ----------------------------------------------------------------- */

static void
add_row(struct tally_row *to, const struct tally_row *from)
{
	size_t i;

	add(&to->accepted, get(&from->accepted));
	add(&to->bytes_in, get(&from->bytes_in));
	add(&to->bytes_out, get(&from->bytes_out));
	for (i = 0; i < REASON_COUNT; i++)
		add(&to->ended[i], get(&from->ended[i]));
}

void
tally_settle(struct tally *t, size_t worker)
{
	struct tally_row *rows = tally_column(t, worker);
	size_t i;

	for (i = 0; i < t->n_services; i++)
		add_row(&t->rows[i], &rows[i]);
	memset(rows, 0, t->n_services * sizeof(*rows));
}

const char *
tally_service(const struct tally *t, size_t i)
{
	return i < t->n_services ? t->names[i] : NULL;
}

/* One policy is much like the next: look at the same place first. */
size_t
tally_find(const struct tally *t, const char *name, size_t guess)
{
	size_t i;

	if (guess < t->n_services && !strcmp(t->names[guess], name))
		return guess;
	for (i = 0; i < t->n_services; i++)
		if (!strcmp(t->names[i], name))
			break;
	return i;
}

/*
 * What began and did not end is there in a worker's column, and lost in the
 * master's. A flow may begin while we read: its end is read first.
 */
static uint64_t
sum_row(const struct tally_row *row, struct tally_sum *sum)
{
	uint64_t n, accepted, ended = 0;
	size_t i;

	for (i = 0; i < REASON_COUNT; i++) {
		n = get(&row->ended[i]);
		sum->ended[i] += n;
		ended += n;
	}
	atomic_thread_fence(memory_order_acquire);
	accepted = get(&row->accepted);
	sum->accepted += accepted;
	sum->bytes_in += get(&row->bytes_in);
	sum->bytes_out += get(&row->bytes_out);
	return accepted > ended ? accepted - ended : 0;
}

void
tally_add(const struct tally *t, size_t i, struct tally_sum *sum)
{
	size_t worker;

	if (i >= t->n_services)
		return;
	sum->lost += sum_row(&t->rows[i], sum);
	for (worker = 1; worker <= t->n_workers; worker++)
		sum->flows += sum_row(&t->rows[worker * t->column + i], sum);
}

void
tally_inherit(struct tally *t, const struct tally *former)
{
	size_t i, k;

	for (i = 0; i < former->n_services; i++) {
		k = tally_find(t, former->names[i], i);
		if (k < t->n_services)
			add_row(&t->rows[k], &former->rows[i]);
	}
}
