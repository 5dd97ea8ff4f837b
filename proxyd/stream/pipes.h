/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipes.h - a store of pipes, for bytes that need not be looked at.
 *
 * splice(2) moves bytes from a socket to a pipe, and from there to another
 * socket, without copying them. A pipe costs two descriptors and kernel
 * memory, so that a worker has few, lends one to a direction while bulk
 * passes there, and has it back as soon as it is empty. Knows no socket.
 */
#ifndef PROXYD_STREAM_PIPES_H
#define PROXYD_STREAM_PIPES_H

#include <stddef.h>
#include <stdint.h>

enum {
	PIPES_SPARE = 16, /* of them, kept while nobody needs them */
	PIPE_SIZE = 262144,
	/* the kernel gives less to a user who has many: then none is better */
	PIPE_SIZE_LEAST = 65536,
};

struct pipe {
	struct pipe *next; /* in the store */
	int in;		   /* owns */
	int out;	   /* owns */
	uint32_t held;	   /* bytes in it */
};

struct pipes {
	struct pipe *spare; /* owns: list; they are empty */
	unsigned int n_spare;
	unsigned int n; /* all that exist */
	unsigned int max;
};

/* As many as the limit of this process allows. Fini of a zeroed one is safe. */
void pipes_init(struct pipes *ps);
void pipes_fini(struct pipes *ps);

/*
 * An empty pipe, the caller's until it gives it back. NULL: there are as
 * many as there may be, or the kernel has none for us.
 */
struct pipe *pipes_get(struct pipes *ps);

/* Give it back. Bytes that are still in it are thrown away. */
void pipes_put(struct pipes *ps, struct pipe *p);

/* Read up to `size` bytes out of it after all; how many. */
size_t pipe_take(struct pipe *p, void *buf, size_t size);

#endif
