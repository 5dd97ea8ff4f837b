/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * asker.h - a worker's end of the talk with the tracker.
 *
 * Never blocks: a question is a member of whoever asks, and its answer is a
 * call. It has no timer: who waits has one, and drops the question then.
 */
#ifndef PROXYD_NET_ASKER_H
#define PROXYD_NET_ASKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "proxyd/base/loop.h"
#include "proxyd/net/tracker.h"

enum { ASKER_BUCKETS = 1024 };

/* Zeroed: nothing is asked. */
struct question {
	LIST_ENTRY(question) link;
	TAILQ_ENTRY(question) queue;
	struct tracker_ask ask;
	void (*answered)(void *owner, const struct tracker_answer *answer);
	void *owner; /* borrows */
	bool asked;
	bool queued; /* the socket was full */
};

LIST_HEAD(question_list, question);
TAILQ_HEAD(question_queue, question);

struct asker {
	struct loop *loop; /* borrows */
	struct loop_source source;
	uint64_t next_id;
	struct question_queue queue;
	struct question_list buckets[ASKER_BUCKETS];
};

/* `fd` is the worker's end, borrowed. `epoch`: no two workers' ids meet. */
int asker_init(struct asker *a, struct loop *loop, int fd, uint32_t epoch);
void asker_fini(struct asker *a);

/*
 * Ask; `q->ask` but for its id is filled in. answered(owner) is called once,
 * from the loop, unless the question is dropped before.
 */
void asker_ask(struct asker *a, struct question *q,
	       void (*answered)(void *owner, const struct tracker_answer *an),
	       void *owner);

/* Never mind if it was not asked or is answered. */
void asker_drop(struct asker *a, struct question *q);

#endif
