/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * There are four sorts: a block's limits become a row of four places, in
 * which each finds its own, or finds it taken.
 */
#include "policy/limits.h"

#include <string.h>

#include "lib/arena.h"

enum { SORTS = 4 };

struct row {
	const struct policy_limit *of[SORTS]; /* NULL: there is none */
};

static size_t
sort_of(const struct policy_limit *l)
{
	return 2 * (size_t)l->kind + l->per_client;
}

static void
report_twice(struct sources *sources, const struct policy_limit *l,
	     const struct policy_limit *first)
{
	report(sources, DIAG_ERROR, l->place, "'limit %s%s' is given twice",
	       limit_kind_name(l->kind), l->per_client ? " per client" : "");
	report(sources, DIAG_NOTE, first->place, "the first one");
}

/* A limit of no number has a mistake that was reported. */
static void
read_row(struct sources *sources, const struct policy_limit *list, size_t n,
	 struct row *ret_row)
{
	const struct policy_limit **place;
	size_t i;

	*ret_row = (struct row){0};
	for (i = 0; i < n; i++) {
		place = &ret_row->of[sort_of(&list[i])];
		if (*place && list[i].count)
			report_twice(sources, &list[i], *place);
		else if (list[i].count)
			*place = &list[i];
	}
}

static void
write_row(struct arena *keep, const struct row *row,
	  const struct policy_limit **ret_list, size_t *ret_n)
{
	struct policy_limit list[SORTS];
	size_t i, n = 0;

	for (i = 0; i < SORTS; i++)
		if (row->of[i])
			list[n++] = *row->of[i];
	*ret_list = n ? arena_memdup(keep, list, n * sizeof(*list)) : NULL;
	*ret_n = n;
}

void
limits_complete(struct sources *sources, struct policy *p)
{
	struct policy_service *services = (struct policy_service *)p->services;
	struct row all, own;
	size_t i, sort;

	read_row(sources, p->gateway.limits, p->gateway.n_limits, &all);
	for (i = 0; i < p->n_services; i++) {
		read_row(sources, services[i].limits, services[i].n_limits,
			 &own);
		for (sort = 0; sort < SORTS; sort++)
			if (!own.of[sort])
				own.of[sort] = all.of[sort];
		write_row(sources->keep, &own, &services[i].limits,
			  &services[i].n_limits);
	}
	write_row(sources->keep, &all, &p->gateway.limits,
		  &p->gateway.n_limits);
}
