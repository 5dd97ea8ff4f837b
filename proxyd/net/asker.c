/* SPDX-License-Identifier: GPL-2.0-or-later */
/* asker.c - questions of asker.h, found again by their number. */
#include "proxyd/net/asker.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static struct question_list *
bucket(struct asker *a, uint64_t id)
{
	return &a->buckets[id % ASKER_BUCKETS];
}

/* false: the socket is full. Other errors leave the question unanswered. */
static bool
post(struct asker *a, const struct question *q)
{
	ssize_t n;

	n = send(a->source.fd, &q->ask, sizeof(q->ask),
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	return n >= 0 || (errno != EAGAIN && errno != ENOBUFS);
}

static void
post_queued(struct asker *a)
{
	struct question *q;

	while ((q = TAILQ_FIRST(&a->queue)) && post(a, q)) {
		TAILQ_REMOVE(&a->queue, q, queue);
		q->queued = false;
	}
}

static struct question *
find(struct asker *a, uint64_t id)
{
	struct question *q;

	LIST_FOREACH(q, bucket(a, id), link)
	if (q->ask.id == id)
		return q;
	return NULL;
}

static void
take_answer(struct asker *a, const struct tracker_answer *answer)
{
	struct question *q = find(a, answer->id);

	/* dropped meanwhile */
	if (!q)
		return;
	asker_drop(a, q);
	q->answered(q->owner, answer);
}

static void
on_ready(void *owner, uint32_t events)
{
	struct tracker_answer answer;
	struct asker *a = owner;
	ssize_t n;

	(void)events;
	for (;;) {
		n = recv(a->source.fd, &answer, sizeof(answer), MSG_DONTWAIT);
		if (n != sizeof(answer))
			break;
		take_answer(a, &answer);
	}
	post_queued(a);
}

int
asker_init(struct asker *a, struct loop *loop, int fd, uint32_t epoch)
{
	memset(a, 0, sizeof(*a));
	TAILQ_INIT(&a->queue);
	a->loop = loop;
	a->next_id = (uint64_t)epoch << 32;
	return loop_add(loop, &a->source, fd, EPOLLIN | EPOLLOUT | EPOLLET,
			on_ready, a);
}

void
asker_fini(struct asker *a)
{
	if (a->loop)
		loop_remove(a->loop, &a->source);
	a->loop = NULL;
}

void
asker_ask(struct asker *a, struct question *q,
	  void (*answered)(void *owner, const struct tracker_answer *an),
	  void *owner)
{
	asker_drop(a, q);
	q->ask.id = a->next_id++;
	q->answered = answered;
	q->owner = owner;
	q->asked = true;
	LIST_INSERT_HEAD(bucket(a, q->ask.id), q, link);
	q->queued = !TAILQ_EMPTY(&a->queue) || !post(a, q);
	if (q->queued)
		TAILQ_INSERT_TAIL(&a->queue, q, queue);
}

void
asker_drop(struct asker *a, struct question *q)
{
	if (!q->asked)
		return;
	LIST_REMOVE(q, link);
	if (q->queued)
		TAILQ_REMOVE(&a->queue, q, queue);
	q->asked = q->queued = false;
}
