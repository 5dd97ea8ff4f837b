/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_response.c - the server's half of http_response.h.
 *
 * The server's connection is free for another request as soon as all of the
 * response was read from it, however slowly the client takes what is left.
 */
#include "proxyd/flow/http_response.h"

#include <stdlib.h>

#include "proxyd/http/forward.h"
#include "proxyd/http/known.h"
#include "proxyd/http/parse.h"

#include "proxyd/flow/http_onward.h"
#include "proxyd/flow/pass.h"
#include "proxyd/flow/why.h"

enum {
	TURNS = 8, /* pieces before others have a turn */
	RESPONSE_HEAD_MAX = 60 * 1024,
	PLAIN_LEAST = SIDE_CHUNK_SIZE / 2,
};

/* --- the end -------------------------------------------------------------- */

static void
let_link_go(struct flow *f)
{
	struct http *h = f->http;
	struct link *l = h->link;

	if (!h->keep_link || !h->request.done || inbox_held(&h->from_server) ||
	    relay_holds(&l->side)) {
		http_let_go(f, !h->request.done);
		return;
	}
	relay_release(&f->flows->relay, &l->side);
	if (h->bound || link_is_private(l)) {
		/* nobody else may have it */
		if (!h->keep)
			http_let_go(f, false);
		return;
	}
	f->onward = &f->server;
	http_keep_link(h);
}

static enum http_next
finish(struct flow *f)
{
	struct http *h = f->http;
	bool keep = h->keep && h->request.done;

	life_tell(f, REASON_DONE);
	let_link_go(f);
	http_over(h);
	if (!keep)
		return http_leave(f, REASON_DONE);
	life_enter(f, STEP_KEEP_ALIVE);
	if (f->client.readable || f->client.eof || inbox_held(&h->from_client))
		return HTTP_GO_ON;
	return HTTP_WAIT;
}

/* --- another protocol ----------------------------------------------------- */

/* From now on it is a relay like any other. */
static enum http_next
become_tunnel(struct flow *f)
{
	struct relay *r = &f->flows->relay;
	struct http *h = f->http;
	struct inbox *in;

	h->tunnel = true;
	h->tunnel_in = f->client.received - inbox_held(&h->from_client);
	h->tunnel_out = f->client.sent;
	in = &h->from_client;
	if (inbox_held(in))
		relay_send(r, f->onward, in->data + in->at, inbox_held(in));
	inbox_fini(in);
	in = &h->from_server;
	if (inbox_held(in))
		relay_send(r, &f->client, in->data + in->at, inbox_held(in));
	inbox_fini(in);
	f->watched = false;
	pass_begin(f);
	return HTTP_ENDED;
}

/* --- the head ------------------------------------------------------------- */

/* `n` bytes of a body, at `at` of what was seen, go out behind the head. */
static void
send_head(struct flow *f, const struct inbox_view *v, size_t at, size_t out_len,
	  size_t n)
{
	struct relay *r = &f->flows->relay;
	const char *out = f->flows->http->out;
	char *data = NULL;

	f->http->bytes_out += out_len + n;
	if (n)
		data = inbox_prepend(v, at, out, out_len);
	if (data) {
		relay_send(r, &f->client, data, out_len + n);
		return;
	}
	relay_send(r, &f->client, out, out_len);
	if (n)
		relay_send(r, &f->client, v->data + at, n);
}

/*
 * 1xx: it is not the last one, which may have come together with it. To
 * HTTP/1.0 there is no such thing.
 */
static enum http_next
take_interim(struct flow *f, struct inbox_view *v, bool *ret_more)
{
	struct http_scratch *s = f->flows->http;
	struct http *h = f->http;
	struct forward how = {.upgrade = s->head.status == 101};
	size_t n;

	if (s->head.status == 101 && !h->upgrade)
		return http_refuse(f, REASON_BAD_RESPONSE);
	n = forward_response(&s->head, v->data, &how, s->out, sizeof(s->out),
			     &h->bad);
	if (!n)
		return http_refuse(f, REASON_BAD_RESPONSE);
	if (h->minor)
		send_head(f, v, s->head.size, n, 0);
	inbox_keep(&h->from_server, f->onward, v, s->head.size);
	*ret_more = inbox_held(&h->from_server);
	if (s->head.status != 101)
		return HTTP_WAIT;
	h->status = 101;
	h->answered = true;
	return become_tunnel(f);
}

static void
decide_connections(struct flow *f, const struct http_head *head,
		   const char *buf, struct forward *how)
{
	struct http *h = f->http;

	h->status = head->status;
	h->keep_link = head->keep && head->framing != HTTP_UNTIL_CLOSE;
	h->bound |= known_binds(head, buf, HTTP_FIELD_WWW_AUTHENTICATE);
	how->strip = head->framing == HTTP_CHUNKED && !h->minor;
	how->upgrade = head->status == 426;
	/* a client that still sends is not read to its end */
	h->keep = h->keep && h->request.done && !how->strip &&
		  !f->flows->draining && head->framing != HTTP_UNTIL_CLOSE;
	how->close = !h->keep;
	how->keep_alive = h->keep && !h->minor;
}

static enum http_next
take_response(struct flow *f, struct inbox_view *v, bool *ret_more)
{
	struct http_scratch *s = f->flows->http;
	struct http *h = f->http;
	struct forward how = {.strip = false};
	size_t at = s->head.size, n, used, out_len;

	if (s->head.status < 200)
		return take_interim(f, v, ret_more);
	decide_connections(f, &s->head, v->data, &how);
	out_len = forward_response(&s->head, v->data, &how, s->out,
				   sizeof(s->out), &h->bad);
	if (!out_len)
		return http_refuse(f, REASON_BAD_RESPONSE);
	body_init(&h->response, &s->head, how.strip);
	n = body_take(&h->response, v->data + at, v->len - at, &used, &h->bad);
	if (h->bad)
		return http_refuse(f, REASON_BAD_RESPONSE);
	h->answered = true;
	/* it will not be asked again */
	free(h->again);
	h->again = NULL;
	send_head(f, v, at, out_len, n);
	inbox_keep(&h->from_server, f->onward, v, at + used);
	return HTTP_WAIT;
}

/* --- reading -------------------------------------------------------------- */

/* *ret_more: there are bytes that nobody has looked at. */
static enum http_next
read_head(struct flow *f, bool *ret_more)
{
	struct http_scratch *s = f->flows->http;
	struct http *h = f->http;
	enum http_verdict verdict;
	struct inbox_view v;

	v = inbox_look(&h->from_server, f->onward, f->flows->relay.scratch,
		       RESPONSE_HEAD_MAX);
	if (!v.len)
		return HTTP_WAIT;
	if (!h->first_ms)
		h->first_ms = f->flows->loop->now_ms;
	verdict = http_parse_response(v.data, v.len, RESPONSE_HEAD_MAX,
				      h->method == HTTP_METHOD_HEAD, &s->head,
				      &h->bad);
	if (verdict == HTTP_HEAD)
		return take_response(f, &v, ret_more);
	if (verdict == HTTP_REFUSED)
		return http_refuse(f, REASON_BAD_RESPONSE);
	inbox_keep(&h->from_server, f->onward, &v, 0);
	return HTTP_WAIT;
}

static void
pass_body(struct flow *f, bool *again)
{
	struct relay *r = &f->flows->relay;
	struct http *h = f->http;
	uint64_t plain = body_plain(&h->response);
	struct inbox_view v;
	size_t n, used;

	if (!inbox_held(&h->from_server) &&
	    (h->response.framing != HTTP_CHUNKED || plain >= PLAIN_LEAST)) {
		plain = relay_pass(r, f->onward, &f->client, plain, again);
		body_passed(&h->response, plain);
		h->bytes_out += plain;
		return;
	}
	v = inbox_look(&h->from_server, f->onward, r->scratch,
		       RESPONSE_HEAD_MAX);
	n = body_take(&h->response, v.data, v.len, &used, &h->bad);
	if (n)
		relay_send(r, &f->client, v.data, n);
	h->bytes_out += n;
	inbox_keep(&h->from_server, f->onward, &v, used);
}

/* The server said all it will, or cannot be heard any more. */
static enum http_next
server_ended(struct flow *f, void (*ready)(void *flow))
{
	struct http *h = f->http;

	if (!h->answered)
		return http_server_failed(f, ready);
	if (!f->onward->error && body_ended(&h->response))
		return finish(f);
	life_end(f, f->onward->error ? why_broken(&f->client, f->onward)
				     : REASON_SERVER_CUT);
	return HTTP_ENDED;
}

enum http_next
http_pass_response(struct flow *f, bool *ret_again, void (*ready)(void *flow))
{
	struct http *h = f->http;
	enum http_next next = HTTP_WAIT;
	bool more;
	int i;

	for (i = 0; i < TURNS; i++) {
		more = false;
		if (!relay_flush(&f->flows->relay, &f->client))
			break;
		if (!h->answered)
			next = read_head(f, &more);
		else if (!h->response.done)
			pass_body(f, ret_again);
		if (next != HTTP_WAIT)
			return next;
		if (h->bad)
			return http_refuse(f, REASON_BAD_RESPONSE);
		if ((h->answered && h->response.done) ||
		    (!more && !f->onward->readable))
			break;
	}
	if (h->answered && h->response.done)
		return finish(f);
	if (f->client.error) {
		life_end(f, why_broken(&f->client, f->onward));
		return HTTP_ENDED;
	}
	if (f->onward->eof || (f->onward->error && !f->onward->readable))
		return server_ended(f, ready);
	*ret_again |= i == TURNS;
	return HTTP_WAIT;
}
