/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pairs.c - found by both ends, or by the first. */
#include <stdlib.h>

#include "proxyd/flow/pairs.h"

#include "tests/unit.h"

enum { MANY = 5000 };

static const struct siphash_key key = {{7, 11}};

static struct endpoint
at(const char *text)
{
	struct endpoint e = {0};

	endpoint_parse(text, &e);
	return e;
}

static struct pair
pair_of(const char *a, const char *b, void *owner)
{
	return (struct pair){.a = at(a), .b = at(b), .owner = owner};
}

static void *
find(const struct pairs *t, const char *a, const char *b)
{
	struct endpoint x = at(a), y = at(b);

	return pairs_find(t, &x, &y);
}

/* Any difference in address, port, family or direction is another pair. */
static void
test_find(void)
{
	struct pair one = pair_of("10.1.0.2:5000", "10.2.0.2:53", &one);
	struct pair two = pair_of("[::2]:5000", "[::3]:53", &two);
	struct pairs t;

	CU_ASSERT_EQUAL_FATAL(pairs_init(&t, PAIRS_BY_BOTH, 1, &key), 0);
	pairs_add(&t, &one);
	pairs_add(&t, &two);
	CU_ASSERT_PTR_EQUAL(find(&t, "10.1.0.2:5000", "10.2.0.2:53"), &one);
	CU_ASSERT_PTR_EQUAL(find(&t, "[::2]:5000", "[::3]:53"), &two);
	CU_ASSERT_PTR_NULL(find(&t, "10.1.0.2:5001", "10.2.0.2:53"));
	CU_ASSERT_PTR_NULL(find(&t, "10.1.0.3:5000", "10.2.0.2:53"));
	CU_ASSERT_PTR_NULL(find(&t, "10.1.0.2:5000", "10.2.0.3:53"));
	CU_ASSERT_PTR_NULL(find(&t, "10.1.0.2:5000", "10.2.0.2:54"));
	CU_ASSERT_PTR_NULL(find(&t, "10.2.0.2:53", "10.1.0.2:5000"));
	pairs_remove(&one);
	pairs_remove(&one);
	CU_ASSERT_PTR_NULL(find(&t, "10.1.0.2:5000", "10.2.0.2:53"));
	pairs_fini(&t);
}

static void
test_first(void)
{
	struct pair one = pair_of("10.1.0.2:5000", "10.2.0.2:53", &one);
	struct endpoint a = one.a, other = at("10.1.0.2:5001");
	struct pairs t;

	CU_ASSERT_EQUAL_FATAL(pairs_init(&t, PAIRS_BY_FIRST, 1, &key), 0);
	CU_ASSERT(!pairs_has_first(&t, &a));
	pairs_add(&t, &one);
	CU_ASSERT(pairs_has_first(&t, &a));
	CU_ASSERT(!pairs_has_first(&t, &other));
	CU_ASSERT_PTR_EQUAL(find(&t, "10.1.0.2:5000", "10.2.0.2:53"), &one);
	CU_ASSERT_PTR_NULL(find(&t, "10.1.0.2:5000", "10.2.0.3:53"));
	pairs_fini(&t);
}

/* More than it was made for, each found, and no bucket with very many. */
static void
test_many(void)
{
	struct pair *p = calloc(MANY, sizeof(*p));
	struct pairs t;
	size_t i, n, longest = 0, bad = 0;
	const struct pair *q;

	CU_ASSERT_FATAL(p && pairs_init(&t, PAIRS_BY_BOTH, 1000, &key) == 0);
	for (i = 0; i < MANY; i++) {
		p[i] = pair_of("10.1.0.2", "10.2.0.2:53", &p[i]);
		p[i].a.port = (uint16_t)(i + 1);
		pairs_add(&t, &p[i]);
	}
	for (i = 0; i < MANY; i++)
		bad += pairs_find(&t, &p[i].a, &p[i].b) != &p[i];
	CU_ASSERT_EQUAL(bad, 0);
	for (i = 0; i <= t.mask; i++) {
		n = 0;
		LIST_FOREACH(q, &t.buckets[i], link)
		n++;
		longest = n > longest ? n : longest;
	}
	UNIT_CHECK(longest < 20, "%zu in one bucket", longest);
	pairs_fini(&t);
	free(p);
}

static const struct unit_test tests[] = {
	{"find", test_find},
	{"first", test_first},
	{"many", test_many},
};

UNIT_MAIN("pairs", tests)
