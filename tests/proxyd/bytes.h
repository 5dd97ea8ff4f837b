/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bytes.h - for tests of parsers: bytes that end where memory ends.
 *
 * Whoever reads behind the last one gets a signal, sanitizers or not.
 */
#ifndef TESTS_PROXYD_BYTES_H
#define TESTS_PROXYD_BYTES_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit.h"

/* a text that may hold NUL, and its length */
#define BYTES(literal) (literal), sizeof(literal) - 1

struct bytes {
	char *map; /* owns */
	size_t room;
	size_t page;
};

static inline void
bytes_init(struct bytes *b, size_t room)
{
	b->page = (size_t)sysconf(_SC_PAGESIZE);
	b->room = (room + b->page - 1) / b->page * b->page;
	b->map = mmap(NULL, b->room + b->page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_FATAL(b->map != MAP_FAILED);
	CU_ASSERT_EQUAL(mprotect(b->map + b->room, b->page, PROT_NONE), 0);
}

static inline void
bytes_fini(struct bytes *b)
{
	munmap(b->map, b->room + b->page);
}

/* A copy of the text whose last byte is the last before the guard page. */
static inline const char *
bytes_put(struct bytes *b, const char *text, size_t len)
{
	CU_ASSERT_FATAL(len <= b->room);
	return memcpy(b->map + b->room - len, text, len);
}

#endif
