/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions that a finished policy answers: which service takes a flow, what
 * is called what, and the digests by which rules and daemon find each other.
 * Pure. Whatever is said here about matching, netsetup's rules must do too.
 */
#include <stdio.h>
#include <string.h>

#include "lib/hash.h"
#include "policy/keywords_tbl.h"
#include "policy/policy.h"

/* --- flows ---------------------------------------------------------------- */

/* What is known of a new flow. */
struct meeting {
	enum proto proto;
	const char *iface;
	const struct endpoint *client;
	const struct endpoint *destination;
	bool local; /* the destination is the box's own */
};

bool
policy_iface_matches(const struct policy_ifaces *list, const char *iface)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct policy_iface *one = &list->list[i];

		if (one->wildcard
			    ? !strncmp(iface, one->name, strlen(one->name))
			    : !strcmp(iface, one->name))
			return true;
	}
	return list->n == 0;
}

bool
policy_prefixes_match(const struct policy_prefixes *list,
		      const struct addr *addr)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (prefix_contains(&list->list[i], addr))
			return true;
	return list->n == 0;
}

bool
policy_ports_match(const struct policy_ports *list, uint16_t port)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (port >= list->list[i].low && port <= list->list[i].high)
			return true;
	return list->n == 0;
}

static bool
is_excepted(const struct policy_except *excepts, size_t n,
	    const struct meeting *m)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (policy_prefixes_match(&excepts[i].from, &m->client->addr) &&
		    policy_prefixes_match(&excepts[i].to,
					  &m->destination->addr) &&
		    policy_ports_match(&excepts[i].ports, m->destination->port))
			return true;
	return false;
}

bool
policy_prefixes_name(const struct policy_prefixes *to, const struct addr *addr)
{
	size_t i;

	for (i = 0; i < to->n; i++)
		if (prefix_is_host(&to->list[i]) &&
		    addr_equal(&to->list[i].addr, addr))
			return true;
	return false;
}

static bool
intercept_matches(const struct policy_intercept *i, const struct meeting *m)
{
	return i->proto == m->proto && policy_iface_matches(&i->on, m->iface) &&
	       policy_ports_match(&i->ports, m->destination->port) &&
	       policy_prefixes_match(&i->from, &m->client->addr) &&
	       policy_prefixes_match(&i->to, &m->destination->addr) &&
	       (!m->local ||
		policy_prefixes_name(&i->to, &m->destination->addr));
}

/* The statement of `s` that takes it, or NULL. */
static const struct policy_intercept *
service_matches(const struct policy_service *s, const struct meeting *m)
{
	size_t i;

	for (i = 0; i < s->n_intercepts; i++)
		if (intercept_matches(&s->intercepts[i], m))
			return is_excepted(s->excepts, s->n_excepts, m)
				       ? NULL
				       : &s->intercepts[i];
	return NULL;
}

static bool
has_family(const struct policy *p, const struct addr *addr)
{
	unsigned int bit = addr->family == AF_INET    ? FAMILY_IPV4
			   : addr->family == AF_INET6 ? FAMILY_IPV6
						      : 0;

	return p->gateway.families & bit;
}

const struct policy_service *
policy_match_by(const struct policy *p, enum proto proto, const char *iface,
		const char *outside, const struct endpoint *client,
		const struct endpoint *destination,
		const struct policy_intercept **ret_intercept)
{
	const struct meeting m = {proto, iface, client, destination, !outside};
	size_t i;

	*ret_intercept = NULL;
	if (!has_family(p, &destination->addr) ||
	    !addr_is_unicast(&destination->addr) ||
	    is_excepted(p->gateway.excepts, p->gateway.n_excepts, &m))
		return NULL;
	if (outside && !policy_iface_matches(&p->gateway.outside, outside))
		return NULL;
	for (i = 0; i < p->n_services; i++) {
		*ret_intercept = service_matches(&p->services[i], &m);
		if (*ret_intercept)
			return &p->services[i];
	}
	return NULL;
}

const struct policy_service *
policy_match(const struct policy *p, enum proto proto, const char *iface,
	     const char *outside, const struct endpoint *client,
	     const struct endpoint *destination)
{
	const struct policy_intercept *by;

	return policy_match_by(p, proto, iface, outside, client, destination,
			       &by);
}

/* --- names ---------------------------------------------------------------- */

const struct policy_service *
policy_service(const struct policy *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_services; i++)
		if (!strcmp(p->services[i].name, name))
			return &p->services[i];
	return NULL;
}

const struct policy_pool *
policy_pool(const struct policy *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_pools; i++)
		if (!strcmp(p->pools[i].name, name))
			return &p->pools[i];
	return NULL;
}

const char *
proto_name(enum proto proto)
{
	return choice_word(choices_proto, proto);
}

const char *
mode_name(enum mode mode)
{
	return choice_word(choices_mode, mode);
}

const char *
via_name(enum via via)
{
	return choice_word(choices_via, via);
}

const char *
source_kind_name(enum source_kind kind)
{
	return kind == SOURCE_ADDRESS ? "address"
				      : choice_word(choices_source, kind);
}

const char *
on_failure_name(enum on_failure action)
{
	return choice_word(choices_on_failure, action);
}

const char *
limit_kind_name(enum limit_kind kind)
{
	return choice_word(choices_limit, kind);
}

/* --- what rules and daemon agree on ----------------------------------------
 */

bool
policy_pool_spoofs(const struct policy_pool *pool)
{
	/* an address that is named may be any, also one of another box */
	return pool->source != SOURCE_GATEWAY;
}

bool
policy_spoofs(const struct policy *p)
{
	size_t i;

	for (i = 0; i < p->n_services; i++)
		if (policy_pool_spoofs(p->services[i].pool))
			return true;
	return false;
}

const char *
policy_bypass_set(int family)
{
	return family == AF_INET6 ? "bypass_ipv6" : "bypass_ipv4";
}

uint32_t
policy_mark_tproxied(const struct policy *p)
{
	return p->gateway.mark_deliver | p->gateway.mark_upstream;
}

const char *
policy_alive_set(const struct policy_service *s, char buf[POLICY_ALIVE_SET_LEN])
{
	snprintf(buf, POLICY_ALIVE_SET_LEN, "alive_%s_%u", s->name,
		 s->capture_port);
	return buf;
}

static enum via
service_via(const struct policy_service *s)
{
	return s->n_intercepts ? s->intercepts[0].via : VIA_REDIRECT;
}

/* Words with spaces between them, so that no two services look alike. */
uint64_t
policy_alive_digest(const struct policy_service *s)
{
	char text[NAME_MAX_LEN + sizeof("alive  udp redirect 65535")];
	int len;

	len = snprintf(text, sizeof(text), "alive %s %s %s %u", s->name,
		       proto_name(s->proto), via_name(service_via(s)),
		       s->capture_port);
	return hash64(text, (size_t)len, 0);
}

uint64_t
policy_return_path_digest(const struct policy *p)
{
	const struct policy_gateway *g = &p->gateway;
	char text[128];
	int len;

	len = snprintf(text, sizeof(text), "return-path %x %x %x %u %u %u",
		       g->mark_deliver, g->mark_upstream, g->mark_mask,
		       g->table, g->priority, g->zone);
	return hash64(text, (size_t)len, 0);
}
