/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A chain of chunks, the newest first; a piece that does not fit opens a new
 * chunk. Nothing is moved, so pointers stay good until arena_free().
 */
#include "lib/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_SIZE = 16 * 1024,
	ALIGNMENT = _Alignof(max_align_t),
};

struct chunk {
	struct chunk *next; /* owns */
	size_t used;
	size_t size;
	max_align_t data[];
};

struct arena {
	struct chunk *chunks; /* owns */
};

static void *
must_calloc(size_t size)
{
	void *p;

	p = calloc(1, size);
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

struct arena *
arena_new(void)
{
	return must_calloc(sizeof(struct arena));
}

void
arena_free(struct arena *a)
{
	struct chunk *c, *next;

	if (!a)
		return;
	for (c = a->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

static struct chunk *
chunk_with_room(struct arena *a, size_t size)
{
	struct chunk *c = a->chunks;
	size_t room;

	if (c && c->size - c->used >= size)
		return c;
	room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
	assert(room <= SIZE_MAX - sizeof(*c));
	c = must_calloc(sizeof(*c) + room);
	c->size = room;
	/* a piece of its own size goes behind, so small ones still fit */
	if (a->chunks && size > CHUNK_SIZE) {
		c->next = a->chunks->next;
		a->chunks->next = c;
	} else {
		c->next = a->chunks;
		a->chunks = c;
	}
	return c;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	struct chunk *c;
	void *p;

	assert(size <= SIZE_MAX - ALIGNMENT);
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!size)
		size = ALIGNMENT;
	c = chunk_with_room(a, size);
	p = (char *)c->data + c->used;
	c->used += size;
	return p;
}

void *
arena_calloc(struct arena *a, size_t n, size_t size)
{
	assert(!size || n <= SIZE_MAX / size);
	return arena_alloc(a, n * size);
}

void *
arena_memdup(struct arena *a, const void *data, size_t len)
{
	void *p = arena_alloc(a, len);

	if (len)
		memcpy(p, data, len);
	return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_memdup(a, s, strlen(s) + 1);
}

char *
arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *p;

	len = strnlen(s, len);
	p = arena_alloc(a, len + 1);
	memcpy(p, s, len);
	return p;
}

char *
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	assert(len >= 0);
	p = arena_alloc(a, (size_t)len + 1);
	vsnprintf(p, (size_t)len + 1, fmt, ap);
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void *
arena_push(struct arena *a, void *array, size_t n, size_t size)
{
	void *moved;

	/* full at 0, 1, 2, 4, 8...: the capacities it has had */
	if (n & (n - 1))
		return array;
	moved = arena_calloc(a, n ? 2 * n : 1, size);
	if (n)
		memcpy(moved, array, n * size);
	return moved;
}
