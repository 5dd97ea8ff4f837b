/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pass.c - what the relay says, as steps and reasons of the flow. */
#include "proxyd/flow/pass.h"

#include <assert.h>

#include "proxyd/base/sock.h"
#include "proxyd/flow/why.h"

enum { RESCUE_POLL_MS = 20 };

/* The other side gets what was sent before the reset, and then the reset. */
static void
rescue(struct flow *f)
{
	struct side *from = f->client.error ? &f->client : f->onward;
	struct side *to = from == &f->client ? f->onward : &f->client;
	struct loop *l = f->flows->loop;

	if (relay_rescue(&f->flows->relay, from, to))
		life_end(f, f->reason);
	else
		timer_set(&l->timers, &f->timer, l->now_ms + RESCUE_POLL_MS);
}

static void
note_first(struct flow *f)
{
	if (f->first == FIRST_NOBODY)
		f->first = f->client.eof ? FIRST_CLIENT : FIRST_SERVER;
}

static void
pump(struct flow *f)
{
	enum relay_state state;
	bool again;

	state = relay_pump(&f->flows->relay, &f->client, f->onward, &again);
	f->step_ms = f->flows->loop->now_ms;
	switch (state) {
	case RELAY_OPEN:
		break;
	case RELAY_HALF_CLOSED:
		note_first(f);
		if (f->step != STEP_HALF)
			life_enter(f, STEP_HALF);
		break;
	case RELAY_DONE:
		note_first(f);
		life_end(f, f->first == FIRST_CLIENT ? REASON_CLIENT_CLOSED
						     : REASON_SERVER_CLOSED);
		return;
	case RELAY_BROKEN:
		f->reason = why_broken(&f->client, f->onward);
		life_enter(f, STEP_RESCUE);
		rescue(f);
		return;
	}
	if (again)
		loop_again(f->flows->loop, &f->client_source);
}

void
pass_begin(struct flow *f)
{
	life_enter(f, STEP_RELAY);
	pump(f);
}

void
pass_on(struct flow *f)
{
	if (f->step == STEP_RESCUE)
		rescue(f);
	else
		pump(f);
}

/*
 * It lasts. Most do not, so only now the kernel is told to ask whether the
 * server is still there; the client's socket inherited that.
 */
static void
watch(struct flow *f)
{
	if (f->watched || f->onward->fd < 0)
		return;
	f->watched = true;
	(void)sock_keep_alive(f->onward->fd);
}

/*
 * Bytes that move do not touch the timer, only step_ms; so it may fire too
 * early and is then set for the rest.
 */
void
pass_timer(void *flow)
{
	struct flow *f = flow;

	assert(f->magic == FLOW_MAGIC);
	if (f->flows->loop->now_ms >= life_due_ms(f)) {
		life_end(f, life_late(f));
	} else if (f->step == STEP_RESCUE) {
		pass_on(f);
	} else {
		watch(f);
		life_wait(f);
	}
}
