/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/ast.h"

#include <string.h>

#include "lib/arena.h"
#include "lib/hash.h"

struct symbol {
	const char *name; /* NULL: free */
	void *value;
};

/* The slot that has this name, or the free one where it belongs. */
static struct symbol *
slot_of(const struct symbols *s, const char *name)
{
	size_t i = (size_t)hash64(name, strlen(name), 0);

	for (;; i++) {
		struct symbol *slot = &s->slots[i & (s->cap - 1)];

		if (!slot->name || !strcmp(slot->name, name))
			return slot;
	}
}

void *
symbols_find(const struct symbols *s, const char *name)
{
	return s->cap ? slot_of(s, name)->value : NULL;
}

static void
grow(struct arena *a, struct symbols *s)
{
	struct symbols bigger = {.n = s->n, .cap = s->cap ? 2 * s->cap : 16};
	size_t i;

	bigger.slots = arena_calloc(a, bigger.cap, sizeof(*bigger.slots));
	for (i = 0; i < s->cap; i++)
		if (s->slots[i].name)
			*slot_of(&bigger, s->slots[i].name) = s->slots[i];
	*s = bigger;
}

void
symbols_add(struct arena *a, struct symbols *s, const char *name, void *value)
{
	/* at least half of the slots stay free: searches are short */
	if (2 * s->n >= s->cap)
		grow(a, s);
	*slot_of(s, name) = (struct symbol){name, value};
	s->n++;
}
