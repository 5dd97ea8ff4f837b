/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listing.h - the flows of a worker, written down while it works.
 *
 * A few flows in each turn of the loop, as JSON objects, into a file that the
 * master has given. Flows that come or go meanwhile are there or not; none is
 * there twice. Flows do not wait for it.
 */
#ifndef PROXYD_FLOW_LISTING_H
#define PROXYD_FLOW_LISTING_H

#include <stdint.h>

#include "lib/str.h"

#include "proxyd/base/loop.h"
#include "proxyd/ctl/wire.h"
#include "proxyd/flow/flows.h"

enum {
	LISTING_TURN = 200,		  /* flows looked at in one turn */
	LISTING_BYTES = 64 * 1024 * 1024, /* in the file; others are counted */
};

/* What is wanted: a part of the worker's order. */
struct listing_order {
	struct wire_filter filter;
	uint32_t worker; /* of which the objects shall speak */
};

/* What is said when all is written: one message into the pipe. */
struct listing_end {
	uint64_t listed;
	uint64_t left_out; /* there was no room */
};

struct listing {
	struct flows *flows; /* borrows */
	struct loop_source source;
	struct listing_order order;
	struct str text;
	struct listing_end so_far;
	uint64_t bytes;
	int fd;	     /* owns: where to write; -1: nothing is being listed */
	int done_fd; /* owns: where to say that all is written */
};

void listing_init(struct listing *l, struct flows *fs);
void listing_fini(struct listing *l);

/*
 * Begin, and forget what was not done yet. Both descriptors are taken over;
 * they are closed at the end, so that the pipe's end says it in any case.
 */
void listing_begin(struct listing *l, const struct listing_order *order, int fd,
		   int done_fd);

#endif
