/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop.h - one thread waits for descriptors and for time.
 *
 * A thin layer over epoll and the timers. It knows nothing of what it waits
 * for. Events of a turn that belong to a source which was removed earlier in
 * the same turn are not delivered, so an owner may free itself at any time.
 */
#ifndef PROXYD_BASE_LOOP_H
#define PROXYD_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/queue.h>

#include "proxyd/base/timer.h"

enum { LOOP_BATCH = 128 };

/* A descriptor that is waited for. Lives in its owner. Zeroed: not in use. */
struct loop_source {
	TAILQ_ENTRY(loop_source) link;
	void (*ready)(void *owner, uint32_t events);
	void *owner;  /* borrows */
	int fd;	      /* borrows */
	bool waiting; /* is in the epoll set */
	bool again;   /* is in loop.again */
};

TAILQ_HEAD(loop_sources, loop_source);

struct loop {
	int epfd;	 /* owns */
	uint64_t now_ms; /* as of the last wait */
	struct timers timers;
	struct loop_sources again;
	unsigned int n_again;
	struct epoll_event batch[LOOP_BATCH];
	int n_batch;
	int at; /* the event being delivered */
};

/* 0 or -errno. loop_fini() closes; sources stay their owners'. */
int loop_init(struct loop *l);
void loop_fini(struct loop *l);

/*
 * Wait for `events` (EPOLL*, with EPOLLET if wanted) on `fd` and call
 * ready(owner, events). 0 or -errno.
 */
int loop_add(struct loop *l, struct loop_source *s, int fd, uint32_t events,
	     void (*ready)(void *owner, uint32_t events), void *owner);

/* Wait for other events. 0 or -errno. */
int loop_change(struct loop *l, struct loop_source *s, uint32_t events);

/* No longer wait. The descriptor is still open, perhaps elsewhere too. */
void loop_remove(struct loop *l, struct loop_source *s);

/*
 * The same where the descriptor is closed right after and nobody else has
 * it: the kernel forgets it then, without a call.
 */
void loop_forget(struct loop *l, struct loop_source *s);

/* Call ready(owner, 0) in the next turn, which will not wait. */
void loop_again(struct loop *l, struct loop_source *s);

/*
 * Wait until something happens, deliver it, fire timers. 0 or -errno, which
 * is fatal.
 */
int loop_turn(struct loop *l);

#endif
