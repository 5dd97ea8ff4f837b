/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kindex.h - sets and chains of a state by name, where there are thousands.
 */
#ifndef NETSETUP_STATE_KINDEX_H
#define NETSETUP_STATE_KINDEX_H

#include "netsetup/state/kstate.h"

/* All point into the state that it was made from. */
struct kindex {
	const struct kset **sets; /* sorted by name; in the maker's arena */
	const struct kchain **chains;
	size_t n_sets;
	size_t n_chains;
};

/* Of `s`, whose lists must stay as they are. */
struct kindex kindex_make(const struct kstate *s, struct arena *arena);

/* NULL if there is none. */
const struct kset *kindex_set(const struct kindex *x, const char *name);
const struct kchain *kindex_chain(const struct kindex *x, const char *name);

#endif
