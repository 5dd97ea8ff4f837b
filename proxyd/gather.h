/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gather.h - the flows of all workers, put together.
 *
 * Each worker writes its own down, see listing.h, into a file that the master
 * made for it; when all have done so, or have stopped, one answer is made of
 * the files. Nobody is waited for who does not go on writing: such a worker
 * is named in the answer. One question at a time, and the others wait.
 */
#ifndef PROXYD_GATHER_H
#define PROXYD_GATHER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proxyd/base/loop.h"
#include "proxyd/base/timer.h"
#include "proxyd/child.h"
#include "proxyd/ctl/control.h"
#include "proxyd/ctl/wire.h"
#include "proxyd/flow/listing.h"

enum {
	GATHER_SILENT_MS = 1000,  /* without another byte: not waited for */
	GATHER_LONGEST_MS = 8000, /* in any case */
};

/* A worker to ask, and its number. */
struct gather_worker {
	struct child *child; /* borrows */
	uint32_t worker;
};

/* Who wants to know what. */
struct gather_question {
	uint64_t id; /* of control.h; 0: nobody */
	struct wire_filter filter;
};

struct gather_part;

struct gather {
	struct loop *loop;	 /* borrows */
	struct control *control; /* borrows */
	/* the workers there are, at most `max`; borrows */
	size_t (*workers)(void *owner, struct gather_worker *ret_list,
			  size_t max);
	void *owner;
	struct gather_question now;
	struct gather_question next[CONTROL_CLIENTS];
	size_t n_next;
	struct gather_part *parts; /* owns */
	size_t n;
	size_t n_open; /* parts that have not ended */
	struct timer timer;
	uint64_t until_ms;
};

/* The members that are borrowed are filled in. */
void gather_init(struct gather *g);

/* In a child, after loop_fini(). */
void gather_fini(struct gather *g);

/* Ask all workers; control_send() or control_refuse() follows. */
void gather_ask(struct gather *g, uint64_t id, const struct wire_filter *f);

#endif
