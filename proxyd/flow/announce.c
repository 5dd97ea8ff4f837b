/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * announce.c - a header is looked at, and taken when it is whole.
 *
 * Until then it stays in the socket: a flow that waits holds no memory for
 * it, and what follows is not touched. Each byte that comes is an event, so
 * that nothing is missed.
 */
#include "proxyd/flow/announce.h"

#include "proxyd/base/sock.h"
#include "proxyd/flow/why.h"

/* It is not whole. Can it still be? */
static void
wait_for_more(struct flow *f, size_t len, uint32_t events)
{
	const struct side *client = &f->client;

	if (client->error)
		life_end(f, why_broken(client, f->onward));
	else if (client->eof && !len)
		life_end(f, REASON_CLIENT_CLOSED); /* it only looked in */
	else if (events & (EPOLLRDHUP | EPOLLHUP))
		life_end(f, REASON_PROXY_HEADER);
}

/* False: nobody can be that. */
static bool
believe(struct flow *f, const struct proxyproto *header)
{
	if (header->local)
		return true;
	if (!addr_is_unicast(&header->client.addr))
		return false;
	f->peer = header->client;
	f->destination = header->destination;
	f->via = RECORD_VIA_PROXY;
	return true;
}

bool
announce_take(struct flow *f, uint32_t events)
{
	struct proxyproto header;
	char buf[PROXYPROTO_MAX];
	size_t len;

	len = side_peek(&f->client, buf, sizeof(buf));
	switch (proxyproto_parse(buf, len, &header)) {
	case PROXYPROTO_MORE:
		wait_for_more(f, len, events);
		return false;
	case PROXYPROTO_BAD:
		life_end(f, REASON_PROXY_HEADER);
		return false;
	case PROXYPROTO_DONE:
		break;
	}
	len = side_receive(&f->client, buf, header.size);
	/* what is said about the client is not what it said */
	f->client.received = 0;
	/* less: the peer has meanwhile made a byte of it urgent */
	if (len == header.size && believe(f, &header))
		return true;
	life_end(f, REASON_PROXY_HEADER);
	return false;
}

size_t
announce_build(const struct flow *f, char buf[PROXYPROTO_BUILD_MAX])
{
	enum proxyproto_version version = PROXYPROTO_V1;
	struct endpoint to = f->destination;

	switch (f->decision.pool->send_proxy) {
	case SEND_PROXY_NONE:
		return 0;
	case SEND_PROXY_V1:
		break;
	case SEND_PROXY_V2:
		version = PROXYPROTO_V2;
		break;
	}
	/* conntrack does not know: then where it came to */
	if (!to.addr.family)
		to = sock_name(f->client.fd);
	return proxyproto_build(version, &f->peer, &to, buf);
}
