/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_onward.c - which connection a request goes on by.
 *
 * One that is idle and has the same key, if there is one; a request that
 * must not be sent twice does so only where the server was heard of just
 * now, because a server that is about to close would take it along. What
 * nobody else may use, for the server knows whose it is, stays with the
 * client's connection.
 */
#include "proxyd/flow/http_onward.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/base/sock.h"
#include "proxyd/stream/proxyproto.h"

#include "proxyd/flow/why.h"

enum { FRESH_MS = 1000 };

/* --- which one ------------------------------------------------------------ */

/* May it be sent twice? Source: RFC 9110, section 9.2.2. */
static bool
is_idempotent(uint8_t method)
{
	switch ((enum http_method)method) {
	case HTTP_METHOD_GET:
	case HTTP_METHOD_HEAD:
	case HTTP_METHOD_PUT:
	case HTTP_METHOD_DELETE:
	case HTTP_METHOD_OPTIONS:
	case HTTP_METHOD_TRACE:
		return true;
	case HTTP_METHOD_OTHER:
	case HTTP_METHOD_POST:
	case HTTP_METHOD_PATCH:
	case HTTP_METHOD_CONNECT:
		return false;
	}
	return false;
}

static struct link_key
key_of(const struct flow *f)
{
	struct link_key key = {
		.pool = f->decision.pool,
		.node = f->decision.node,
		.upstream = f->decision.upstream,
	};

	if (key.pool->send_proxy != SEND_PROXY_NONE) {
		key.client = f->peer;
		key.destination = f->destination;
	}
	return key;
}

/* That of this client's former request; else it is closed. */
static bool
is_own_good(struct flow *f, const struct link_key *key)
{
	struct http *h = f->http;

	if (!h->link)
		return false;
	if ((h->bound && h->link->key.pool == key->pool) ||
	    link_key_equal(&h->link->key, key))
		return true;
	http_let_go(f, false);
	return false;
}

/* --- a new one ------------------------------------------------------------ */

static void
send_proxy_header(struct flow *f, const struct link_key *key)
{
	char buf[PROXYPROTO_BUILD_MAX];
	size_t len;

	if (key->pool->send_proxy == SEND_PROXY_NONE)
		return;
	len = proxyproto_build(key->pool->send_proxy == SEND_PROXY_V2
				       ? PROXYPROTO_V2
				       : PROXYPROTO_V1,
			       &key->client, &key->destination, buf);
	relay_send(&f->flows->relay, &f->http->link->side, buf, len);
}

/* With the descriptors of idle links, and the last one, if there are none. */
static int
open_link(struct flow *f, const struct link_key *key, void (*ready)(void *flow))
{
	struct flows *fs = f->flows;
	int r;

	do {
		r = link_open(&fs->reuse, key, ready, f, &f->http->link);
	} while ((r == -EMFILE || r == -ENFILE) &&
		 (reuse_shed(&fs->reuse) || flows_use_reserve(fs)));
	return r;
}

static enum http_next
open_new(struct flow *f, struct link_key *key, void (*ready)(void *flow))
{
	int r;

	r = open_link(f, key, ready);
	if ((r == -EADDRNOTAVAIL || r == -EADDRINUSE) &&
	    key->upstream.source.port) {
		key->upstream.source.port = 0;
		f->port_taken = true;
		r = open_link(f, key, ready);
	}
	if (r < 0)
		return http_refuse(f, why_not_connected(-r));
	f->onward = &f->http->link->side;
	send_proxy_header(f, key);
	return HTTP_WAIT;
}

/* --- a request ------------------------------------------------------------ */

/* It went by a connection that may be closing: remember it. */
static void
remember(struct flow *f, const char *data, size_t len)
{
	struct http *h = f->http;

	if (!h->request.done || !is_idempotent(h->method))
		return;
	h->again = malloc(len);
	if (!h->again)
		return;
	memcpy(h->again, data, len);
	h->again_len = (uint32_t)len;
}

static enum http_next
send_on(struct flow *f, const char *data, size_t len)
{
	relay_send(&f->flows->relay, f->onward, data, len);
	life_enter(f, f->http->reused ? STEP_RESPONSE : STEP_CONNECT);
	/* most often there is nothing to do until the server says something */
	if (f->http->request.done && !f->onward->readable && !f->onward->error)
		return HTTP_WAIT;
	return HTTP_GO_ON;
}

enum http_next
http_onward(struct flow *f, const char *data, size_t len,
	    void (*ready)(void *flow))
{
	struct http *h = f->http;
	struct link_key key;
	enum http_next next;
	enum reason reason = life_decide(f);

	if (reason != REASON_NONE)
		return http_refuse(f, reason);
	key = key_of(f);
	if (!is_own_good(f, &key))
		h->link = reuse_take(&f->flows->reuse, &key,
				     is_idempotent(h->method) ? UINT64_MAX
							      : FRESH_MS);
	h->reused = h->link;
	if (h->reused) {
		f->onward = &h->link->side;
		link_own(h->link, ready, f);
		remember(f, data, len);
		return send_on(f, data, len);
	}
	next = open_new(f, &key, ready);
	return next == HTTP_WAIT ? send_on(f, data, len) : next;
}

enum http_next
http_connected(struct flow *f)
{
	struct http *h = f->http;
	struct side *s = &h->link->side;

	if (f->client.error) {
		life_end(f, why_broken(&f->client, s));
		return HTTP_ENDED;
	}
	if (s->error)
		return http_refuse(f, why_not_connected(s->error));
	if (!s->writable)
		return HTTP_WAIT;
	h->ms_connect = (int64_t)(f->flows->loop->now_ms - f->step_ms);
	if (access_wanted(f->flows->access, f->service))
		h->link->name = sock_name(s->fd);
	life_enter(f, STEP_RESPONSE);
	return HTTP_GO_ON;
}

enum http_next
http_server_failed(struct flow *f, void (*ready)(void *flow))
{
	struct http *h = f->http;
	int error = h->link->side.error;
	struct link_key key = h->link->key;
	enum http_next next;

	if (!h->again || h->first_ms) {
		if (error && error != EPIPE)
			return http_refuse(
				f, why_broken(&f->client, &h->link->side));
		return http_refuse(f, REASON_SERVER_CUT);
	}
	http_let_go(f, true);
	h->reused = false;
	next = open_new(f, &key, ready);
	if (next != HTTP_WAIT)
		return next;
	next = send_on(f, h->again, h->again_len);
	/* once is enough */
	free(h->again);
	h->again = NULL;
	return next;
}
