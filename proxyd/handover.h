/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * handover.h - what one proxyd leaves to the one that takes its place.
 *
 * Text in a memfd, a line a thing: which descriptors are the sockets of
 * clients, which is the shared memory, which crews there are, their policies
 * and processes, and how they are spoken to. The two may be of different
 * versions, so nothing of it is trusted: what cannot be read is an error, and
 * the new one then starts as if nobody had been there. Decides nothing and
 * starts nobody.
 */
#ifndef PROXYD_HANDOVER_H
#define PROXYD_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/str.h"

enum {
	HANDOVER_SIZE_MAX = 4 << 20, /* bytes of text */
	HANDOVER_LIST_MAX = 65536,   /* lines of one kind */
	HANDOVER_CREW_MAX = 4096,    /* workers, or slots, of a crew */
};

enum handover_state {
	HANDOVER_SERVING, /* one crew at most */
	HANDOVER_DRAINING,
	HANDOVER_ENDING,
};

/* The processes of one policy, see crew.h. */
struct handover_crew {
	uint32_t generation; /* no other has it */
	enum handover_state state;
	bool followed;
	uint32_t n_workers;
	uint32_t n_slots;
	uint32_t n_listeners;
	uint64_t shut_ms;
	uint64_t kill_ms;
	int policy_fd; /* of a file with its policy */
	int tally_fd;
};

/* A tracker or a worker; a child of ours before and after. */
struct handover_child {
	uint32_t generation; /* of a crew that was named before */
	bool is_tracker;
	pid_t pid;	 /* 0: it does not run */
	int talk_fd;	 /* with the master, if it runs */
	uint32_t index;	 /* a worker's: which one */
	uint32_t place;	 /* likewise: in the shared memory */
	int pair_fds[2]; /* likewise: its talk with the tracker, both ends */
};

/* Who serves a slot. */
struct handover_slot {
	uint32_t generation;
	uint32_t slot;
	uint32_t index; /* the worker's */
};

struct handover {
	int shm_fd;    /* -1: none */
	int limits_fd; /* what limits have counted; -1: none */
	int *sockets;
	size_t n_sockets;
	struct handover_crew *crews;
	size_t n_crews;
	struct handover_child *children;
	size_t n_children;
	struct handover_slot *slots;
	size_t n_slots;
};

/* Empty. Fini frees the lists; descriptors and processes stay. */
void handover_init(struct handover *h);
void handover_fini(struct handover *h);

/* Add to a list. 0; -ENOMEM; -E2BIG: HANDOVER_LIST_MAX are there. */
int handover_add_socket(struct handover *h, int fd);
int handover_add_crew(struct handover *h, const struct handover_crew *c);
int handover_add_child(struct handover *h, const struct handover_child *c);
int handover_add_slot(struct handover *h, const struct handover_slot *s);

/* As text, added to `text`. Pure. */
void handover_write(const struct handover *h, struct str *text);

/* The crew of that generation; NULL: there is none. */
const struct handover_crew *handover_crew(const struct handover *h,
					  uint64_t generation);

/*
 * Read `len` bytes of such text, of which nothing is believed. 0; -EBADMSG:
 * they are of another version, or wrong in line *ret_line; -ENOMEM. Then `h`
 * is empty. Pure.
 */
int handover_read(struct handover *h, const char *text, size_t len,
		  unsigned int *ret_line);

#endif
