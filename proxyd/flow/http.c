/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http.c - whose turn it is, in http.h.
 *
 * The step says what a flow waits for; each part of the way says whether
 * there is another step to look at. Nobody has more than some requests in a
 * row before others have their turn.
 */
#include "proxyd/flow/http.h"

#include <assert.h>

#include "proxyd/flow/http_onward.h"
#include "proxyd/flow/http_refuse.h"
#include "proxyd/flow/http_request.h"
#include "proxyd/flow/http_response.h"
#include "proxyd/flow/pass.h"

enum { STEPS_IN_A_ROW = 64 };

static void on_link(void *flow);

/* --- a request and its response ------------------------------------------- */

/* What is it that the exchange waits for? */
static enum step
step_of(const struct flow *f)
{
	const struct http *h = f->http;

	if (!h->request.done && !relay_holds(f->onward) && !f->onward->error)
		return STEP_BODY;
	return h->answered ? STEP_ANSWER : STEP_RESPONSE;
}

/* The time in which the client could not send is not the client's. */
static void
note_stall(struct http *h, enum step from, enum step to, uint64_t now_ms)
{
	if (to == STEP_BODY && h->stall_ms) {
		h->stalled_ms += now_ms - h->stall_ms;
		h->stall_ms = 0;
	} else if (from == STEP_BODY && !h->request.done) {
		h->stall_ms = now_ms;
	}
}

static void
wait_on(struct flow *f, bool moved)
{
	enum step step = step_of(f);

	if (step != f->step) {
		note_stall(f->http, f->step, step, f->flows->loop->now_ms);
		life_enter(f, step);
	} else if (moved) {
		f->step_ms = f->flows->loop->now_ms;
	}
}

static enum http_next
exchange(struct flow *f)
{
	const struct http *h = f->http;
	uint64_t before = h->bytes_in + h->bytes_out;
	enum http_next next;
	bool again = false;

	next = http_pass_request(f, &again);
	if (next == HTTP_WAIT)
		next = http_pass_response(f, &again, on_link);
	/* it may be over, and wait for another request already */
	if (next != HTTP_WAIT || !h->active)
		return next;
	wait_on(f, h->bytes_in + h->bytes_out != before);
	if (again)
		loop_again(f->flows->loop, &f->client_source);
	return HTTP_WAIT;
}

/* --- steps ---------------------------------------------------------------- */

static enum http_next
look(struct flow *f)
{
	switch (f->step) {
	case STEP_SNIFF:
	case STEP_HEAD:
	case STEP_KEEP_ALIVE:
		return http_read_request(f, on_link);
	case STEP_CONNECT:
		return http_connected(f);
	case STEP_BODY:
	case STEP_RESPONSE:
	case STEP_ANSWER:
		return exchange(f);
	case STEP_LINGER:
		return http_linger(f);
	case STEP_RELAY:
	case STEP_HALF:
	case STEP_RESCUE:
		pass_on(f);
		return HTTP_ENDED;
	case STEP_PROXY_HEAD:
	case STEP_ORIGIN:
	case STEP_EVICT:
	case STEP_COUNT:
		assert(0);
	}
	return HTTP_WAIT;
}

static bool
run(struct flow *f)
{
	enum http_next next = HTTP_GO_ON;
	int i;

	for (i = 0; i < STEPS_IN_A_ROW && next == HTTP_GO_ON; i++)
		next = look(f);
	if (next == HTTP_GO_ON)
		loop_again(f->flows->loop, &f->client_source);
	return next == HTTP_TUNNEL;
}

static void
on_link(void *flow)
{
	struct flow *f = flow;

	assert(f->magic == FLOW_MAGIC && f->http->link);
	/* between two requests a server has nothing to say but that it ends */
	if (!f->http->active) {
		if (f->onward->readable || f->onward->error)
			http_let_go(f, false);
		return;
	}
	/* only what is not yet HTTP can become a flow of TCP */
	(void)run(f);
}

bool
http_open(struct flow *f)
{
	f->http = http_new(&f->peer.addr);
	if (!f->http) {
		life_end(f, REASON_RESOURCES);
		return false;
	}
	f->watched = true;
	/* who is silent may wait for the server, or for the user to click */
	life_enter(f, f->service->non_http == NON_HTTP_TUNNEL ? STEP_SNIFF
							      : STEP_HEAD);
	return f->client.readable ? run(f) : false;
}

bool
http_on(struct flow *f)
{
	return run(f);
}

/* --- too late ------------------------------------------------------------- */

static enum http_next
give_up(struct flow *f)
{
	switch (f->step) {
	case STEP_SNIFF:
		return http_not_http(f);
	case STEP_KEEP_ALIVE:
	case STEP_LINGER:
		life_end(f, life_late(f));
		return HTTP_ENDED;
	case STEP_HEAD:
	case STEP_CONNECT:
	case STEP_BODY:
	case STEP_RESPONSE:
	case STEP_ANSWER:
		return http_refuse(f, life_late(f));
	case STEP_RELAY:
	case STEP_HALF:
	case STEP_RESCUE:
		pass_timer(f);
		return HTTP_ENDED;
	case STEP_PROXY_HEAD:
	case STEP_ORIGIN:
	case STEP_EVICT:
	case STEP_COUNT:
		assert(0);
	}
	return HTTP_WAIT;
}

bool
http_late(struct flow *f)
{
	enum http_next next;

	if (f->http->tunnel) {
		pass_timer(f);
		return false;
	}
	if (f->flows->loop->now_ms < life_due_ms(f)) {
		life_wait(f);
		return false;
	}
	next = give_up(f);
	return next == HTTP_GO_ON ? run(f) : next == HTTP_TUNNEL;
}
