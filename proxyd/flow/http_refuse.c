/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_refuse.c - answers of our own, and how a connection ends after them.
 *
 * Who closes a socket while the client still sends makes the kernel answer
 * with a reset, which can overtake the answer. So the end is told first, and
 * what comes is thrown away until the client has closed too, or for
 * STEP_LINGER's time (RFC 9112, section 9.6).
 */
#include "proxyd/flow/http_refuse.h"

#include "lib/clock.h"

#include "proxyd/http/answer.h"

#include "proxyd/flow/tell.h"

enum { LINGER_TURNS = 16 };

void
http_let_go(struct flow *f, bool reset)
{
	f->onward = &f->server;
	http_close_link(f->http, &f->flows->relay, reset);
}

/* --- the answer ----------------------------------------------------------- */

static unsigned int
status_of(const struct flow *f, enum reason reason)
{
	if (reason == REASON_BAD_REQUEST && f->http->bad)
		return (unsigned int)http_bad_status(f->http->bad);
	return reason_status(reason);
}

static void
send_answer(struct flow *f, unsigned int status)
{
	struct relay *r = &f->flows->relay;
	char date[CLOCK_HTTP_DATE_LEN];
	struct answer answer = {
		.status = status,
		.phrase = error_page_phrase(status),
		.date = clock_http_date(date),
		.close = !f->http->keep,
	};
	char head[ANSWER_HEAD_MAX];
	const char *page;
	size_t len;

	page = error_pages_find(f->flows->pages, f->service, status,
				&answer.len, &answer.type);
	len = answer_head(&answer, head);
	relay_send(r, &f->client, head, len);
	f->http->bytes_out += len;
	if (f->http->method == HTTP_METHOD_HEAD)
		return;
	relay_send(r, &f->client, page, answer.len);
	f->http->bytes_out += answer.len;
}

enum http_next
http_refuse(struct flow *f, enum reason reason)
{
	struct http *h = f->http;
	unsigned int status = status_of(f, reason);

	if (h->bad)
		shm_count(&f->flows->own->counts.bad[h->bad]);
	/* who has asked nothing is told nothing */
	if (h->answered || !status || f->client.error ||
	    (!h->active && !inbox_held(&h->from_client) && !h->bad)) {
		life_end(f, reason);
		return HTTP_ENDED;
	}
	/* what is left of a request that was not read is not another one */
	h->keep = h->keep && h->active && h->request.done && !h->bad &&
		  !f->flows->draining;
	if (!h->active)
		h->requests++;
	if (!h->began_ms)
		h->began_ms = f->flows->loop->now_ms;
	h->active = h->answered = true;
	h->status = (uint16_t)status;
	send_answer(f, status);
	life_tell(f, reason);
	http_let_go(f, true);
	http_over(h);
	if (!h->keep)
		return http_leave(f, reason);
	tell_refusal(f->flows, f->service, &f->peer, &f->destination, reason);
	life_enter(f, STEP_KEEP_ALIVE);
	return HTTP_GO_ON;
}

/* --- the end -------------------------------------------------------------- */

enum http_next
http_leave(struct flow *f, enum reason reason)
{
	/* the request is over: whoever is told of this connection's end */
	f->reason = reason;
	life_enter(f, STEP_LINGER);
	return HTTP_GO_ON;
}

/* Nothing that the client sent, or is about to, is in the way of closing. */
static bool
is_all_read(struct flow *f)
{
	const struct http *h = f->http;

	return f->client.eof ||
	       (f->reason == REASON_DONE && h->request.done &&
		!inbox_held(&h->from_client) && side_is_quiet(&f->client));
}

bool
http_taken(struct flow *f)
{
	struct relay *r = &f->flows->relay;
	uint64_t sent = f->client.sent;

	if (f->client.error)
		return true;
	if (relay_holds(&f->client))
		relay_flush(r, &f->client);
	if (f->client.sent != sent) {
		f->step_ms = f->flows->loop->now_ms;
		life_wait(f);
	}
	if (f->client.error || relay_holds(&f->client))
		return f->client.error;
	/* while the client thinks, others may need its pipe */
	relay_release(r, &f->client);
	return true;
}

enum http_next
http_linger(struct flow *f)
{
	struct relay *r = &f->flows->relay;
	int i;

	if (!http_taken(f))
		return HTTP_WAIT;
	if (f->client.error || is_all_read(f)) {
		life_end(f, f->reason);
		return HTTP_ENDED;
	}
	side_shut(&f->client);
	inbox_fini(&f->http->from_client);
	for (i = 0; i < LINGER_TURNS && f->client.readable; i++)
		side_receive(&f->client, r->scratch->data, SIDE_CHUNK_SIZE);
	if (f->client.eof || f->client.error) {
		life_end(f, f->reason);
		return HTTP_ENDED;
	}
	if (f->client.readable)
		loop_again(f->flows->loop, &f->client_source);
	return HTTP_WAIT;
}
