/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_request.c - the client's half of http_request.h.
 *
 * A head is parsed where it was received, and the one that goes on is built
 * beside it; both are good for one call only. What has come of the body goes
 * on behind the head in the same piece.
 */
#include "proxyd/flow/http_request.h"

#include <string.h>

#include "proxyd/base/sock.h"
#include "proxyd/http/forward.h"
#include "proxyd/http/known.h"
#include "proxyd/http/parse.h"

#include "proxyd/flow/http_onward.h"
#include "proxyd/flow/why.h"

/* --- what is none --------------------------------------------------------- */

/* What was read goes first; the rest nobody looks at. */
enum http_next
http_not_http(struct flow *f)
{
	struct http *h = f->http;
	const struct inbox *in = &h->from_client;

	shm_count(&f->flows->own->counts.not_http);
	if (f->service->non_http == NON_HTTP_CLOSE) {
		life_end(f, REASON_NON_HTTP);
		return HTTP_ENDED;
	}
	if (inbox_held(in))
		relay_send(&f->flows->relay, &f->server, in->data + in->at,
			   inbox_held(in));
	http_free(h, &f->flows->relay, false);
	f->http = NULL;
	f->tunnelled = true;
	f->watched = false;
	return HTTP_TUNNEL;
}

/* --- the head ------------------------------------------------------------- */

/* Which of the fields of forward.h are said for this client? */
static struct forward
forward_of(const struct flow *f)
{
	const struct policy_service *s = f->service;
	const char *client = f->http->client;
	struct forward how = {
		.forwarded_replace = s->forwarded_for == FORWARDED_FOR_REPLACE,
		.upgrade = f->http->upgrade,
	};

	if (s->forwarded_for != FORWARDED_FOR_OFF)
		how.forwarded_for = client;
	if (s->cluster_client_ip)
		how.cluster_ip = client;
	how.close = s->pool->reuse == REUSE_NEVER && !how.upgrade;
	return how;
}

/* An upgrade whose request has a body would be two things at once. */
static void
begin(struct flow *f, const struct http_head *head, const char *buf)
{
	bool wanted = access_wanted(f->flows->access, f->service);
	struct http *h = f->http;

	http_begin(h, head, buf, wanted);
	if (wanted && !h->local.addr.family)
		h->local = sock_name(f->client.fd);
	h->head_ms = f->flows->loop->now_ms;
	if (!h->began_ms)
		h->began_ms = h->head_ms;
	h->keep = h->keep && !f->flows->draining;
	h->upgrade = h->upgrade && h->request.done;
	h->bytes_in = head->size;
	shm_count(&f->flows->own->counts.requests);
}

/* Send it, and what there is of its body. */
static enum http_next
go_on(struct flow *f, struct inbox_view *v, size_t out_len,
      void (*ready)(void *flow))
{
	struct http_scratch *s = f->flows->http;
	struct http *h = f->http;
	size_t at = s->head.size, room = sizeof(s->out) - out_len, used, n;
	enum http_next next;
	char *data;

	n = v->len - at < room ? v->len - at : room;
	n = body_take(&h->request, v->data + at, n, &used, &h->bad);
	if (h->bad)
		return http_refuse(f, REASON_BAD_REQUEST);
	h->bytes_in += used;
	data = s->out;
	if (n)
		data = inbox_prepend(v, at, s->out, out_len);
	if (!data) {
		data = s->out;
		memcpy(data + out_len, v->data + at, n);
	}
	next = http_onward(f, data, out_len + n, ready);
	/* the flow may be gone, and with it what was received */
	if (next != HTTP_ENDED)
		inbox_keep(&h->from_client, &f->client, v, at + used);
	return next;
}

static bool
is_too_large(const struct flow *f)
{
	uint64_t most = f->service->request_body_max;
	const struct body *b = &f->http->request;

	return most && (b->left > most || b->content > most);
}

static enum http_next
take_request(struct flow *f, struct inbox_view *v, void (*ready)(void *flow))
{
	struct http_scratch *s = f->flows->http;
	struct http *h = f->http;
	char host[ENDPOINT_TEXT_LEN];
	struct forward how;
	size_t n;

	begin(f, &s->head, v->data);
	if (is_too_large(f))
		return http_refuse(f, REASON_TOO_LARGE);
	h->bound |= known_binds(&s->head, v->data, HTTP_FIELD_AUTHORIZATION);
	how = forward_of(f);
	if (!http_has(&s->head, HTTP_FIELD_HOST))
		how.host = endpoint_format(&f->destination, host);
	n = forward_request(&s->head, v->data, &how, s->out, sizeof(s->out),
			    &h->bad);
	if (!n)
		return http_refuse(f, REASON_BAD_REQUEST);
	return go_on(f, v, n, ready);
}

/* --- reading it ----------------------------------------------------------- */

static enum http_next
nothing_came(struct flow *f)
{
	if (f->client.error)
		life_end(f, why_broken(&f->client, f->onward));
	else if (f->client.eof)
		life_end(f, REASON_CLIENT_CLOSED);
	else
		return HTTP_WAIT;
	return HTTP_ENDED;
}

/* The head is not whole. */
static enum http_next
wait_for_more(struct flow *f, const struct inbox_view *v)
{
	struct http *h = f->http;

	inbox_keep(&h->from_client, &f->client, v, 0);
	if (f->client.error) {
		life_end(f, why_broken(&f->client, f->onward));
		return HTTP_ENDED;
	}
	if (f->client.eof) {
		life_end(f, REASON_CLIENT_CUT);
		return HTTP_ENDED;
	}
	if (!h->began_ms)
		h->began_ms = f->flows->loop->now_ms;
	if (f->step != STEP_HEAD)
		life_enter(f, STEP_HEAD);
	return f->client.readable ? HTTP_GO_ON : HTTP_WAIT;
}

/*
 * The first line of a connection says what it is, once and for all; one that
 * is only too long has said so.
 */
static bool
is_not_http(const struct flow *f, const struct inbox_view *v)
{
	return !f->http->requests && f->http->bad != HTTP_BAD_LINE_TOO_LONG &&
	       http_sniff(v->data, v->len, f->service->request_head_max) ==
		       HTTP_REFUSED;
}

static enum http_next
look_at(struct flow *f, struct inbox_view *v, void (*ready)(void *flow))
{
	struct http *h = f->http;
	enum http_verdict verdict;

	verdict = http_parse_request(v->data, v->len,
				     f->service->request_head_max,
				     &f->flows->http->head, &h->bad);
	if (verdict == HTTP_HEAD)
		return take_request(f, v, ready);
	if (is_not_http(f, v)) {
		h->bad = HTTP_BAD_NONE;
		inbox_keep(&h->from_client, &f->client, v, 0);
		return http_not_http(f);
	}
	if (verdict == HTTP_MORE)
		return wait_for_more(f, v);
	h->keep = false;
	return http_refuse(f, REASON_BAD_REQUEST);
}

enum http_next
http_read_request(struct flow *f, void (*ready)(void *flow))
{
	struct inbox_view v;

	/* not before the client took what it asked for before */
	if (!http_taken(f))
		return HTTP_WAIT;
	v = inbox_look(&f->http->from_client, &f->client,
		       f->flows->relay.scratch, f->service->request_head_max);
	return v.len ? look_at(f, &v, ready) : nothing_came(f);
}

/* --- the body ------------------------------------------------------------- */

/* Of chunks that are small several are looked at at once. */
enum {
	PLAIN_LEAST = SIDE_CHUNK_SIZE / 2,
	TURNS = 8, /* pieces before others have a turn */
};

/* One piece; false: there is no more now. */
static bool
pass_once(struct flow *f, bool *again)
{
	struct relay *r = &f->flows->relay;
	struct http *h = f->http;
	uint64_t plain = body_plain(&h->request);
	struct inbox_view v;
	size_t n, used;

	if (!inbox_held(&h->from_client) &&
	    (h->request.framing == HTTP_LENGTH || plain >= PLAIN_LEAST)) {
		plain = relay_pass(r, &f->client, f->onward, plain, again);
		body_passed(&h->request, plain);
		h->bytes_in += plain;
		return plain;
	}
	v = inbox_look(&h->from_client, &f->client, r->scratch,
		       f->service->request_head_max);
	n = body_take(&h->request, v.data, v.len, &used, &h->bad);
	if (n)
		relay_send(r, f->onward, v.data, n);
	h->bytes_in += used;
	inbox_keep(&h->from_client, &f->client, &v, used);
	return used || f->client.readable;
}

enum http_next
http_pass_request(struct flow *f, bool *ret_again)
{
	struct http *h = f->http;
	int i;

	/* a server that does not listen may still have an answer */
	if (f->onward->error)
		return HTTP_WAIT;
	for (i = 0; i < TURNS && relay_flush(&f->flows->relay, f->onward); i++)
		if (h->request.done || h->bad || !pass_once(f, ret_again))
			break;
	*ret_again |= i == TURNS;
	if (f->client.error) {
		life_end(f, why_broken(&f->client, f->onward));
		return HTTP_ENDED;
	}
	if (h->bad)
		return http_refuse(f, REASON_BAD_REQUEST);
	if (is_too_large(f))
		return http_refuse(f, REASON_TOO_LARGE);
	if (f->client.eof && !h->request.done && !f->client.readable) {
		life_end(f, REASON_CLIENT_CUT);
		return HTTP_ENDED;
	}
	return HTTP_WAIT;
}
