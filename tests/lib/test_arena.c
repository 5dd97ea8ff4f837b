/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/arena.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit.h"

static void
pieces_are_zeroed_aligned_and_apart(void)
{
	struct arena *a = arena_new();
	unsigned char *prev = NULL, *p;
	size_t i, size;

	for (size = 0; size < 50000; size = size * 3 + 1) {
		p = arena_alloc(a, size);
		CU_ASSERT_EQUAL((uintptr_t)p % _Alignof(max_align_t), 0);
		CU_ASSERT_PTR_NOT_EQUAL(p, prev);
		for (i = 0; i < size; i++)
			if (p[i])
				break;
		CU_ASSERT_EQUAL(i, size);
		memset(p, 0xff, size);
		prev = p;
	}
	arena_free(a);
}

static void
strings_are_copied(void)
{
	struct arena *a = arena_new();

	UNIT_STRINGS(arena_strdup(a, "abc"), "abc");
	UNIT_STRINGS(arena_strndup(a, "abc", 2), "ab");
	UNIT_STRINGS(arena_strndup(a, "abc", 9), "abc");
	UNIT_STRINGS(arena_printf(a, "%s-%d", "x", 7), "x-7");
	arena_free(a);
}

static void
push_keeps_what_was_pushed(void)
{
	struct arena *a = arena_new();
	int *list = NULL;
	int i;

	for (i = 0; i < 1000; i++) {
		list = arena_push(a, list, (size_t)i, sizeof(*list));
		CU_ASSERT_EQUAL(list[i], 0);
		list[i] = i;
	}
	for (i = 0; i < 1000; i++)
		CU_ASSERT_EQUAL(list[i], i);
	arena_free(a);
}

static const struct unit_test tests[] = {
	{"pieces_are_zeroed_aligned_and_apart",
	 pieces_are_zeroed_aligned_and_apart},
	{"strings_are_copied", strings_are_copied},
	{"push_keeps_what_was_pushed", push_keeps_what_was_pushed},
};

UNIT_MAIN("arena", tests)
