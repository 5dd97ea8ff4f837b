/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One `DIGEST FINGERPRINT` a line, both hexadecimal. Decides nothing: what
 * to do about a rule that was edited is for whoever compares states.
 */
#include "netsetup/change/readback.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"

static int
compare_entries(const void *a, const void *b)
{
	const struct readback_entry *x = a, *y = b;

	return (x->digest > y->digest) - (x->digest < y->digest);
}

static void
add(struct readback *rb, uint64_t digest, uint64_t raw, struct arena *arena)
{
	rb->list = arena_push(arena, rb->list, rb->n, sizeof(*rb->list));
	rb->list[rb->n].digest = digest;
	rb->list[rb->n++].raw = raw;
}

/* Sort, and keep one of each digest. */
static void
settle(struct readback *rb)
{
	size_t i, n = 0;

	if (rb->n == 0)
		return;
	qsort(rb->list, rb->n, sizeof(*rb->list), compare_entries);
	for (i = 0; i < rb->n; i++) {
		if (n == 0 || rb->list[n - 1].digest != rb->list[i].digest)
			rb->list[n++] = rb->list[i];
	}
	rb->n = n;
}

static const struct readback_entry *
find(const struct readback *rb, uint64_t digest)
{
	const struct readback_entry key = {.digest = digest};

	if (rb->n == 0)
		return NULL;
	return bsearch(&key, rb->list, rb->n, sizeof(key), compare_entries);
}

int
readback_load(const struct journal *j, struct arena *arena,
	      struct readback *ret_readback)
{
	struct readback rb = {0};
	struct str text = {0};
	uint64_t digest, raw;
	char *line, *end;
	int r;

	r = journal_read(j, "rules", &text);
	for (line = text.data; r == 0 && line && *line; line = end) {
		digest = strtoull(line, &end, 16);
		raw = strtoull(end, &end, 16);
		if (end == line || *end++ != '\n')
			break; /* not of ours */
		add(&rb, digest, raw, arena);
	}
	str_fini(&text);
	if (r < 0)
		return r;
	settle(&rb);
	*ret_readback = rb;
	return 0;
}

void
readback_mark(const struct readback *rb, struct kstate *observed)
{
	const struct readback_entry *e;
	size_t i;

	for (i = 0; i < observed->n_rules; i++) {
		e = find(rb, observed->rules[i].digest);
		observed->rules[i].edited =
			e && e->raw != observed->rules[i].raw;
	}
}

static bool
same(const struct readback *a, const struct readback *b)
{
	return a->n == b->n && (a->n == 0 || !memcmp(a->list, b->list,
						     a->n * sizeof(*a->list)));
}

int
readback_store(const struct journal *j, const struct readback *before,
	       const struct kstate *now, struct arena *arena)
{
	const struct readback_entry *e;
	struct readback rb = {0};
	struct str text = {0};
	size_t i;
	int r;

	for (i = 0; i < now->n_rules; i++) {
		const struct krule *rule = &now->rules[i];

		if (rule->digest == 0)
			continue;
		e = find(before, rule->digest);
		add(&rb, rule->digest, e ? e->raw : rule->raw, arena);
	}
	settle(&rb);
	if (same(&rb, before))
		return 0;
	for (i = 0; i < rb.n; i++)
		str_addf(&text, "%" PRIx64 " %" PRIx64 "\n", rb.list[i].digest,
			 rb.list[i].raw);
	r = journal_replace(j, "rules", &text);
	str_fini(&text);
	return r;
}
