/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/ast.h"

#include <stdio.h>

#include "lib/arena.h"
#include "tests/unit.h"

static void
test_symbols(void)
{
	enum { NAMES = 5000 };
	struct arena *a = arena_new();
	struct symbols s = {0};
	char *names[NAMES];
	int i;

	CU_ASSERT_PTR_NULL(symbols_find(&s, "a"));
	for (i = 0; i < NAMES; i++) {
		names[i] = arena_printf(a, "name%d", i);
		CU_ASSERT_PTR_NULL(symbols_find(&s, names[i]));
		symbols_add(a, &s, names[i], &names[i]);
	}
	for (i = 0; i < NAMES; i++)
		CU_ASSERT_PTR_EQUAL(symbols_find(&s, names[i]), &names[i]);
	CU_ASSERT_PTR_NULL(symbols_find(&s, "name"));
	CU_ASSERT_PTR_NULL(symbols_find(&s, ""));
	CU_ASSERT_EQUAL(s.n, NAMES);
	/* half of the slots stay free */
	CU_ASSERT(s.cap >= 2 * NAMES);
	arena_free(a);
}

static const struct unit_test tests[] = {
	{"symbols", test_symbols},
};

UNIT_MAIN("ast", tests)
