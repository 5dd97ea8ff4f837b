/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp_parcel.c - packs, looks into, and unpacks parcels of udp_parcel.h. */
#include "proxyd/flow/udp_parcel.h"

#include <stdio.h>
#include <string.h>

void
udp_parcel_pack(const struct udp_flow *f, struct udp_parcel *ret_parcel)
{
	struct udp_parcel *p = ret_parcel;

	/* also what lies between its members goes to another process */
	memset(p, 0, sizeof(*p));
	p->version = UDP_PARCEL_VERSION;
	p->size = sizeof(*p);
	snprintf(p->service, sizeof(p->service), "%s", f->service->name);
	p->kind = (uint8_t)f->kind;
	p->via = (uint8_t)f->via;
	p->port_taken = f->port_taken;
	p->answered = f->answered;
	p->client_join = f->client_join;
	p->server_join = f->server_join;
	p->a = f->pair.a;
	p->b = f->pair.b;
	p->client = f->client;
	p->destination = f->destination;
	p->upstream = f->decision.upstream;
	p->opened_ms = f->opened_ms;
	p->active_ms = f->active_ms;
	p->ms_answer = f->ms_answer;
	p->bytes_in = f->bytes_in;
	p->bytes_out = f->bytes_out;
	p->dropped = f->dropped;
	p->owed = f->owed;
}

static bool
is_family(const struct endpoint *e, int family)
{
	return e->addr.family == family;
}

bool
udp_parcel_check(const struct udp_parcel *p, size_t len)
{
	int family;

	if (len != sizeof(*p) || p->version != UDP_PARCEL_VERSION ||
	    p->size != sizeof(*p))
		return false;
	if (!memchr(p->service, '\0', sizeof(p->service)) ||
	    p->kind > LISTENER_LISTEN || p->via > RECORD_VIA_LOCAL ||
	    p->port_taken > 1 || p->answered > 1)
		return false;
	family = p->a.addr.family;
	if (family != AF_INET && family != AF_INET6)
		return false;
	if (!is_family(&p->b, family) || !is_family(&p->client, family))
		return false;
	return is_family(&p->upstream.target, AF_INET) ||
	       is_family(&p->upstream.target, AF_INET6);
}

void
udp_parcel_unpack(const struct udp_parcel *p, struct udp_flow *f)
{
	f->via = (enum record_via)p->via;
	f->port_taken = p->port_taken;
	f->client_join = p->client_join;
	f->server_join = p->server_join;
	f->client = p->client;
	f->destination = p->destination;
	f->decision.upstream = p->upstream;
	if (p->answered)
		udp_life_answered(f);
	f->opened_ms = p->opened_ms;
	f->active_ms = p->active_ms;
	f->ms_answer = p->ms_answer;
	f->bytes_in = p->bytes_in;
	f->bytes_out = p->bytes_out;
	f->dropped = p->dropped;
	f->owed = p->owed;
}
