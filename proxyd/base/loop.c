/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loop.c - epoll behind loop.h. One turn is one wait. */
#include "proxyd/base/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"

int
loop_init(struct loop *l)
{
	memset(l, 0, sizeof(*l));
	TAILQ_INIT(&l->again);
	l->now_ms = clock_now_ms();
	timers_init(&l->timers, l->now_ms);
	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	return l->epfd < 0 ? -errno : 0;
}

void
loop_fini(struct loop *l)
{
	/* 0 is standard input: a zeroed loop has nothing to close */
	if (l->epfd > 0)
		close(l->epfd);
	l->epfd = -1;
}

int
loop_add(struct loop *l, struct loop_source *s, int fd, uint32_t events,
	 void (*ready)(void *owner, uint32_t events), void *owner)
{
	struct epoll_event ev = {.events = events, .data.ptr = s};

	assert(!s->waiting && !s->again);
	s->fd = fd;
	s->ready = ready;
	s->owner = owner;
	if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	s->waiting = true;
	return 0;
}

int
loop_change(struct loop *l, struct loop_source *s, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = s};

	assert(s->waiting);
	if (epoll_ctl(l->epfd, EPOLL_CTL_MOD, s->fd, &ev) < 0)
		return -errno;
	return 0;
}

void
loop_remove(struct loop *l, struct loop_source *s)
{
	if (s->waiting)
		epoll_ctl(l->epfd, EPOLL_CTL_DEL, s->fd, NULL);
	loop_forget(l, s);
}

void
loop_forget(struct loop *l, struct loop_source *s)
{
	int i;

	for (i = l->at; i < l->n_batch; i++)
		if (l->batch[i].data.ptr == s)
			l->batch[i].data.ptr = NULL;
	if (s->again) {
		TAILQ_REMOVE(&l->again, s, link);
		l->n_again--;
	}
	s->again = false;
	s->waiting = false;
}

void
loop_again(struct loop *l, struct loop_source *s)
{
	if (s->again)
		return;
	TAILQ_INSERT_TAIL(&l->again, s, link);
	l->n_again++;
	s->again = true;
}

/* Not those that ask again meanwhile, so that nobody starves the rest. */
static void
call_again(struct loop *l)
{
	struct loop_source *s;
	unsigned int n;

	for (n = l->n_again; n > 0; n--) {
		s = TAILQ_FIRST(&l->again);
		if (!s)
			return;
		TAILQ_REMOVE(&l->again, s, link);
		l->n_again--;
		s->again = false;
		s->ready(s->owner, 0);
	}
}

static void
deliver(struct loop *l)
{
	struct loop_source *s;

	for (l->at = 0; l->at < l->n_batch; l->at++) {
		s = l->batch[l->at].data.ptr;
		if (s)
			s->ready(s->owner, l->batch[l->at].events);
	}
	l->n_batch = l->at = 0;
}

int
loop_turn(struct loop *l)
{
	int n, wait_ms;

	wait_ms = TAILQ_EMPTY(&l->again) ? timers_wait_ms(&l->timers) : 0;
	n = epoll_wait(l->epfd, l->batch, LOOP_BATCH, wait_ms);
	if (n < 0 && errno != EINTR)
		return -errno;
	l->n_batch = n > 0 ? n : 0;
	l->now_ms = clock_now_ms();
	call_again(l);
	deliver(l);
	timers_run(&l->timers, l->now_ms);
	return 0;
}
