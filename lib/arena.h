/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena.h - memory that is given back all at once.
 *
 * A policy, a kernel state or a plan is built of thousands of small pieces
 * that live and die together. They come from one arena; there is no free of
 * a single piece. Running out of memory ends the program: neither program
 * can do anything sensible without its policy, and both start over cleanly.
 * The data path of proxyd does not use arenas.
 */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* Make an empty arena. The caller owns it. Never NULL. */
struct arena *arena_new(void);

/* Give back the arena and all that came from it. NULL is allowed. */
void arena_free(struct arena *a);

/* `size` zeroed bytes, aligned for any type; never NULL, also for size 0. */
void *arena_alloc(struct arena *a, size_t size);

/* `n` zeroed elements of `size` bytes; an overflow of n * size aborts. */
void *arena_calloc(struct arena *a, size_t n, size_t size);

/* A copy of `len` bytes at `data`. */
void *arena_memdup(struct arena *a, const void *data, size_t len);

/* A copy of the string `s`; arena_strndup stops after `len` bytes. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);

/* A formatted string. */
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/*
 * Room for one more element in a growing array: returns the array, moved if
 * it had to grow, whose element `n` is zeroed and free to use. Capacity
 * doubles at powers of two, so `n` alone tells when to move: the array must
 * only ever have grown through this call, one element at a time.
 */
void *arena_push(struct arena *a, void *array, size_t n, size_t size);

#endif
