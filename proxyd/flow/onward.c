/* SPDX-License-Identifier: GPL-2.0-or-later */
/* onward.c - the tries of onward.h, and what each error means. */
#include "proxyd/flow/onward.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/log.h"

#include "proxyd/flow/announce.h"
#include "proxyd/flow/pass.h"
#include "proxyd/flow/why.h"

static void
fail_connect(struct flow *f, int error)
{
	enum reason reason = why_not_connected(error);
	uint64_t held;

	if (reason == REASON_INTERNAL &&
	    limiter_pass(&f->flows->said[reason], f->flows->loop->now_ms,
			 &held))
		log_error("connect: %s (and %" PRIu64 " before)",
			  strerror(error), held);
	life_end(f, reason);
}

/* A server that speaks first waits for it: at once, not with the first data. */
static void
announce(struct flow *f)
{
	char buf[PROXYPROTO_BUILD_MAX];
	size_t len = announce_build(f, buf);

	if (len)
		relay_send(&f->flows->relay, f->onward, buf, len);
}

static void
on_server(void *owner, uint32_t events)
{
	struct flow *f = owner;

	assert(f->magic == FLOW_MAGIC);
	side_event(&f->server, events);
	if (f->step == STEP_CONNECT && f->server.error) {
		fail_connect(f, f->server.error);
		return;
	}
	if (f->step == STEP_CONNECT) {
		if (!f->server.writable)
			return;
		f->ms_connect = (int64_t)(f->flows->loop->now_ms - f->step_ms);
		announce(f);
		pass_begin(f);
		return;
	}
	pass_on(f);
}

/* Connect; if the last descriptor is gone, with the one in reserve. */
static int
open_socket(struct flow *f, int *ret_fd)
{
	int r;

	r = upstream_connect(&f->decision.upstream, ret_fd);
	if ((r == -EMFILE || r == -ENFILE) && flows_use_reserve(f->flows))
		r = upstream_connect(&f->decision.upstream, ret_fd);
	return r;
}

static void
on_evicted(void *owner, const struct tracker_answer *answer)
{
	struct flow *f = owner;

	assert(f->magic == FLOW_MAGIC);
	/* whether there was one to delete or not: try again, once */
	(void)answer;
	life_answered(f);
	onward_connect(f);
}

/* EPERM may mean that conntrack remembers the same four numbers. */
static void
evict(struct flow *f)
{
	const struct upstream *u = &f->decision.upstream;
	const struct tracker_ask ask = {
		.kind = TRACKER_EVICT,
		.zone = (uint16_t)f->flows->policy->gateway.zone,
		.from = u->source,
		.to = u->target,
	};

	f->retried = true;
	if (!u->source.port) {
		onward_connect(f);
		return;
	}
	life_enter(f, STEP_EVICT);
	life_ask(f, &ask, on_evicted);
}

void
onward_connect(struct flow *f)
{
	struct upstream *u = &f->decision.upstream;
	struct flows *fs = f->flows;
	int fd, r;

	r = open_socket(f, &fd);
	if ((r == -EADDRNOTAVAIL || r == -EADDRINUSE) && u->source.port) {
		u->source.port = 0;
		f->port_taken = true;
		r = open_socket(f, &fd);
	}
	if (r == -EPERM && u->mark && !f->retried) {
		evict(f);
		return;
	}
	if (r == 0) {
		f->server.fd = fd;
		r = loop_add(fs->loop, &f->server_source, fd, SIDE_EVENTS,
			     on_server, f);
	}
	if (r < 0)
		fail_connect(f, -r);
	else
		life_enter(f, STEP_CONNECT);
}
