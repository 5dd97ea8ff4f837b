/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two sorted lists of pointers. Pure: no system calls.
 */
#include "netsetup/state/kindex.h"

#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"

static int
compare_sets(const void *a, const void *b)
{
	const struct kset *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int
compare_chains(const void *a, const void *b)
{
	const struct kchain *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

struct kindex
kindex_make(const struct kstate *s, struct arena *arena)
{
	struct kindex x = {.n_sets = s->n_sets, .n_chains = s->n_chains};
	size_t i;

	x.sets = arena_calloc(arena, x.n_sets + 1, sizeof(*x.sets));
	x.chains = arena_calloc(arena, x.n_chains + 1, sizeof(*x.chains));
	for (i = 0; i < x.n_sets; i++)
		x.sets[i] = &s->sets[i];
	for (i = 0; i < x.n_chains; i++)
		x.chains[i] = &s->chains[i];
	qsort(x.sets, x.n_sets, sizeof(*x.sets), compare_sets);
	qsort(x.chains, x.n_chains, sizeof(*x.chains), compare_chains);
	return x;
}

const struct kset *
kindex_set(const struct kindex *x, const char *name)
{
	const struct kset key = {.name = name}, *wanted = &key, **found;

	found = bsearch(&wanted, x->sets, x->n_sets, sizeof(*x->sets),
			compare_sets);
	return found ? *found : NULL;
}

const struct kchain *
kindex_chain(const struct kindex *x, const char *name)
{
	const struct kchain key = {.name = name}, *wanted = &key, **found;

	found = bsearch(&wanted, x->chains, x->n_chains, sizeof(*x->chains),
			compare_chains);
	return found ? *found : NULL;
}
