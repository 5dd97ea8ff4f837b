/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flows.c - sets up and gives back what flows.h holds. */
#include "proxyd/flow/flows.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

bool
flows_have_reserve(struct flows *fs)
{
	/* a file of its own: one less also for the whole system */
	while (fs->reserve_fd < 0) {
		fs->reserve_fd = eventfd(0, EFD_CLOEXEC);
		if (fs->reserve_fd < 0 && !reuse_shed(&fs->reuse))
			return false;
	}
	return true;
}

bool
flows_use_reserve(struct flows *fs)
{
	if (fs->reserve_fd < 0)
		return false;
	close(fs->reserve_fd);
	fs->reserve_fd = -1;
	return true;
}

void
flows_show(struct flows *fs)
{
	atomic_store(&fs->own->flows, fs->n);
}

void
flows_began(struct flows *fs, const struct policy_service *s)
{
	shm_count(&fs->own->counts.accepted);
	tally_begin(&fs->tally[s - fs->policy->services]);
}

void
flows_left(struct flows *fs, const struct policy_service *s)
{
	shm_uncount(&fs->own->counts.accepted);
	tally_leave(&fs->tally[s - fs->policy->services]);
}

void
flows_ended(struct flows *fs, const struct policy_service *s,
	    enum reason reason, uint64_t bytes_in, uint64_t bytes_out)
{
	shm_count(&fs->own->counts.ended[reason]);
	tally_end(&fs->tally[s - fs->policy->services], reason, bytes_in,
		  bytes_out);
}

bool
flows_is_loop(struct flows *fs, enum proto proto, const struct endpoint *target)
{
	return listeners_answer(fs->listeners, proto, target) &&
	       route_is_local(&fs->route, &target->addr, fs->loop->now_ms);
}

/* Nobody is captured on the way to the box itself: it is not `original`. */
static bool
is_sent_home(struct flows *fs, const struct decide_ask *ask,
	     const struct decision *d)
{
	return ask->via == RECORD_VIA_PROXY && d->node->original &&
	       route_is_local(&fs->route, &d->upstream.target.addr,
			      fs->loop->now_ms);
}

enum reason
flows_decide(struct flows *fs, struct decide_ask *ask,
	     struct decision *ret_decision)
{
	enum reason reason;

	ask->return_path = atomic_load(&fs->shm->return_path);
	reason = decide(fs->policy, &fs->balance, ask, ret_decision);
	if (reason == REASON_NONE &&
	    (flows_is_loop(fs, ask->service->proto,
			   &ret_decision->upstream.target) ||
	     is_sent_home(fs, ask, ret_decision)))
		reason = REASON_LOOP;
	return reason;
}

int
flows_init(struct flows *fs, int tracker_fd)
{
	int r;

	LIST_INIT(&fs->list);
	fs->reserve_fd = -1;
	if (getrandom(&fs->epoch, sizeof(fs->epoch), 0) < 0)
		return -errno;
	r = relay_init(&fs->relay);
	if (r == 0)
		r = reuse_init(&fs->reuse, fs->loop, fs->policy);
	if (r == 0) {
		fs->http = malloc(sizeof(*fs->http));
		r = fs->http ? 0 : -ENOMEM;
	}
	if (r == 0)
		r = balance_init(&fs->balance, fs->policy);
	if (r == 0)
		r = route_init(&fs->route);
	if (r == 0)
		r = asker_init(&fs->asker, fs->loop, tracker_fd, fs->epoch);
	if (r == 0 && !flows_have_reserve(fs))
		r = -errno;
	if (r < 0)
		flows_fini(fs);
	return r;
}

void
flows_fini(struct flows *fs)
{
	if (fs->loop)
		asker_fini(&fs->asker);
	route_fini(&fs->route);
	balance_fini(&fs->balance);
	reuse_fini(&fs->reuse);
	free(fs->http);
	fs->http = NULL;
	relay_fini(&fs->relay);
	/* 0 is standard input: a zeroed one has nothing to close */
	if (fs->reserve_fd > 0)
		close(fs->reserve_fd);
	if (fs->count_fd > 0)
		close(fs->count_fd);
	fs->reserve_fd = fs->count_fd = -1;
}
