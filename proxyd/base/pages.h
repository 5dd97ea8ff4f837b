/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages.h - memory that processes share, and that outlives the program.
 *
 * A memfd, mapped: children that are forked later have it, and so has a
 * program that is executed in the place of this one, if it is handed the
 * descriptor and has the same idea of what is in there. What that is, is not
 * known here; a number stands for it, its layout.
 */
#ifndef PROXYD_BASE_PAGES_H
#define PROXYD_BASE_PAGES_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed: none. */
struct pages {
	void *at;    /* `size` bytes, aligned for any type; shared */
	size_t size; /* of them */
	int fd;	     /* owns, while `at` is set; close-on-exec */
};

/*
 * `size` zeroed bytes whose layout has this number. `name` is for
 * /proc/PID/maps. 0 or -errno.
 */
int pages_new(struct pages *p, const char *name, size_t size, uint64_t layout);

/*
 * The same memory again, by a descriptor that is ours from then on. 0;
 * -EPROTOTYPE: that is something else, or of another layout; other -errno.
 * Then the descriptor stays the caller's.
 */
int pages_take(struct pages *p, int fd, uint64_t layout);

/* Unmap it, but leave the descriptor to the caller. A zeroed one is fine. */
void pages_let_go(struct pages *p);

/* Unmap it here; other processes keep theirs. A zeroed one is fine. */
void pages_free(struct pages *p);

#endif
