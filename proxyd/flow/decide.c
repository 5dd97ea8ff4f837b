/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decide.c - the rules of decide.h, in the order in which they bind. */
#include "proxyd/flow/decide.h"

#include <string.h>

static unsigned int
family_bit(const struct addr *a)
{
	return a->family == AF_INET6 ? FAMILY_IPV6 : FAMILY_IPV4;
}

/* The address that the server shall see; AF_UNSPEC: our own. */
static struct endpoint
source_of(const struct policy_pool *pool, const struct endpoint *client)
{
	struct endpoint source = {0};

	switch (pool->source) {
	case SOURCE_GATEWAY:
		break;
	case SOURCE_CLIENT:
		source.addr = client->addr;
		break;
	case SOURCE_CLIENT_PORT:
		source = *client;
		break;
	case SOURCE_ADDRESS:
		source.addr = pool->source_addr;
		break;
	}
	return source;
}

/* A header may say anything: is there somebody to connect to? */
static bool
can_be_asked(const struct endpoint *destination)
{
	return destination->port && addr_is_unicast(&destination->addr);
}

/* Where the node is, for this flow. */
static enum reason
target_of(const struct decide_ask *ask, const struct policy_node *node,
	  struct endpoint *ret_target)
{
	*ret_target = node->original ? ask->destination : node->endpoint;
	if (!node->original && node->endpoint.port)
		return REASON_NONE;
	/* it needs what the client asked for, and that must be known */
	if (!ask->destination.addr.family)
		return REASON_NO_DESTINATION;
	if (node->original && ask->via == RECORD_VIA_LOCAL)
		return REASON_LOOP;
	if (ask->via == RECORD_VIA_PROXY && !can_be_asked(&ask->destination))
		return REASON_NO_DESTINATION;
	ret_target->port = ask->destination.port;
	return REASON_NONE;
}

static enum reason
check_source(const struct policy *p, const struct decide_ask *ask,
	     struct upstream *u)
{
	unsigned int family;

	if (!u->source.addr.family)
		return REASON_NONE;
	family = family_bit(&u->source.addr);
	if (u->source.addr.family != u->target.addr.family)
		return REASON_FAMILY;
	if (!policy_pool_spoofs(ask->service->pool))
		return REASON_NONE;
	if (!(ask->return_path & family))
		return REASON_NO_RETURN_PATH;
	u->mark = p->gateway.mark_upstream;
	return REASON_NONE;
}

enum reason
decide(const struct policy *p, struct balance *b, const struct decide_ask *ask,
       struct decision *ret_decision)
{
	struct decision *d = ret_decision;
	unsigned int families = FAMILY_BOTH;
	enum reason reason;

	memset(d, 0, sizeof(*d));
	if (ask->captured && ask->via == RECORD_VIA_LOCAL)
		return REASON_DIRECT;
	if (ask->captured && ask->via == RECORD_VIA_NONE)
		return REASON_NO_DESTINATION;
	d->pool = ask->service->pool;
	d->upstream.source = source_of(d->pool, &ask->client);
	if (d->upstream.source.addr.family)
		families = family_bit(&d->upstream.source.addr);
	d->node = balance_next(b, d->pool, families);
	if (!d->node)
		return REASON_FAMILY;
	reason = target_of(ask, d->node, &d->upstream.target);
	if (reason == REASON_NONE)
		reason = check_source(p, ask, &d->upstream);
	return reason;
}

bool
decide_needs_port(const struct policy_service *s)
{
	return s->pool->source == SOURCE_CLIENT_PORT || s->pool->send_proxy;
}
