/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handover.h - what one proxyd leaves to the one that takes its place.
 *
 * Text in a memfd, a line a thing: which descriptors are the sockets of
 * clients, which is the shared memory, which processes are alive and how
 * they are spoken to. The two may be of different versions, so nothing of
 * it is trusted: what cannot be read is an error, and the new one then
 * starts as if nobody had been there. Decides nothing and starts nobody.
 */
#ifndef PROXYD_HANDOVER_H
#define PROXYD_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/str.h"

enum {
	HANDOVER_VERSION = 1,
	HANDOVER_SIZE_MAX = 4 << 20, /* bytes of text */
	HANDOVER_LIST_MAX = 65536,   /* lines of one kind */
};

/* The processes of one policy, which drain together. */
struct handover_crew {
	uint32_t id;
	uint32_t drain_ms;	  /* its policy's drain-timeout */
	uint64_t drains_until_ms; /* it drains already; 0: it does not */
};

/* A process of the old proxyd: it has become ours to wait for. */
struct handover_child {
	pid_t pid;
	int talk_fd;
	uint32_t crew; /* an id of a crew that was named before */
	bool is_tracker;
	uint32_t slot;	/* a worker's, of the listening sockets */
	uint32_t place; /* a worker's, in the shared memory */
};

/* A heartbeat that rules wait for, and its families, FAMILY_* bits. */
struct handover_beat {
	uint64_t digest;
	uint32_t families;
};

struct handover {
	int shm_fd; /* -1: none */
	int *sockets;
	size_t n_sockets;
	struct handover_crew *crews;
	size_t n_crews;
	struct handover_child *children;
	size_t n_children;
	struct handover_beat *beats;
	size_t n_beats;
};

/* Empty. Fini frees the lists; descriptors and processes stay. */
void handover_init(struct handover *h);
void handover_fini(struct handover *h);

/* Add to a list. 0; -ENOMEM; -E2BIG: HANDOVER_LIST_MAX are there. */
int handover_add_socket(struct handover *h, int fd);
int handover_add_crew(struct handover *h, const struct handover_crew *c);
int handover_add_child(struct handover *h, const struct handover_child *c);
int handover_add_beat(struct handover *h, const struct handover_beat *b);

/* As text, added to `text`. Pure. */
void handover_write(const struct handover *h, struct str *text);

/*
 * Read `len` bytes of such text, of which nothing is believed. 0; -EBADMSG:
 * they are of another version, or wrong in line *ret_line; -ENOMEM. Then `h`
 * is empty. Pure.
 */
int handover_read(struct handover *h, const char *text, size_t len,
		  unsigned int *ret_line);

#endif
