/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/hash.h"
#include "lib/inet.h"
#include "lib/names.h"
#include "policy/fit.h"
#include "policy/limits.h"

enum { HIDDEN_BUDGET = 10 * 1000 * 1000 }; /* comparisons; only a warning */

struct checker {
	struct sources *sources;	 /* borrows */
	const struct model_notes *notes; /* borrows */
	struct policy *policy;		 /* borrows */
	struct policy_service *services; /* of the policy, to complete */
	bool *used;			 /* by pool */
	long budget;
};

/* --- gateway -------------------------------------------------------------- */

static void
check_marks(struct checker *c)
{
	const struct policy_gateway *g = &c->policy->gateway;
	uint32_t both = g->mark_deliver & g->mark_upstream;

	if (c->notes->mark_bad)
		return;
	if (both)
		report(c->sources, DIAG_ERROR, c->notes->mark,
		       "the two marks share the bits 0x%x", both);
	if ((g->mark_deliver | g->mark_upstream) & ~g->mark_mask)
		report(c->sources, DIAG_ERROR, c->notes->mark,
		       "the marks use bits outside of the mask: 0x%x",
		       (g->mark_deliver | g->mark_upstream) & ~g->mark_mask);
}

static void
check_gateway(struct checker *c)
{
	const struct policy_gateway *g = &c->policy->gateway;

	check_marks(c);
	if (g->table >= 253 && g->table <= 255)
		report(c->sources, DIAG_ERROR, c->notes->table,
		       "table %u belongs to the system (253-255: default, "
		       "main, local)",
		       g->table);
}

/* Intercepts without interfaces would capture from everywhere. */
static void
check_inside(struct checker *c)
{
	const struct policy *p = c->policy;
	size_t i;

	if (c->notes->gateway_inside.line)
		return;
	for (i = 0; i < p->n_services; i++) {
		if (!p->services[i].n_intercepts)
			continue;
		report(c->sources, DIAG_ERROR,
		       p->services[i].intercepts[0].place,
		       "'intercept' needs the interfaces where clients arrive: "
		       "'gateway { inside IFACE }'");
		return;
	}
}

/* --- pools ---------------------------------------------------------------- */

static void
check_node(struct checker *c, const struct policy_pool *pool,
	   struct symbols *seen, const struct policy_node *node)
{
	char text[ENDPOINT_TEXT_LEN];
	struct place *first;

	if (node->original) {
		if (pool->n_nodes > 1)
			report(c->sources, DIAG_ERROR, node->place,
			       "'node original' stands alone in its pool");
		return;
	}
	if (node->endpoint.addr.family == AF_UNSPEC)
		return; /* a mistake that was reported */
	endpoint_format(&node->endpoint, text);
	first = symbols_find(seen, text);
	if (first) {
		report(c->sources, DIAG_ERROR, node->place,
		       "node %s is in pool '%s' twice", text, pool->name);
		report(c->sources, DIAG_NOTE, *first, "the first one");
		return;
	}
	symbols_add(c->sources->scratch, seen,
		    arena_strdup(c->sources->scratch, text),
		    arena_memdup(c->sources->scratch, &node->place,
				 sizeof(node->place)));
}

static void
check_pool(struct checker *c, const struct policy_pool *pool)
{
	struct symbols seen = {0};
	size_t i;

	if (!pool->n_nodes)
		report(c->sources, DIAG_ERROR, pool->place,
		       "pool '%s' has no 'node'", pool->name);
	for (i = 0; i < pool->n_nodes; i++)
		check_node(c, pool, &seen, &pool->nodes[i]);
}

/* --- services ------------------------------------------------------------- */

/* Put the pool where so far only its name is known. */
static void
find_pool(struct checker *c, struct policy_service *s)
{
	const struct policy *p = c->policy;
	const struct policy_pool *stub = s->pool;
	const char **names, *nearest = NULL;
	size_t i;

	s->pool = policy_pool(p, stub->name);
	if (s->pool) {
		c->used[s->pool - p->pools] = true;
		return;
	}
	s->pool = &p->pools[0];
	names = arena_calloc(c->sources->scratch, p->n_pools, sizeof(*names));
	for (i = 0; i < p->n_pools; i++)
		names[i] = p->pools[i].name;
	if (!report_is_full(c->sources))
		nearest = name_nearest(stub->name, names, p->n_pools);
	report(c->sources, DIAG_ERROR, stub->place,
	       "service '%s' uses pool '%s', which is not defined%s%s%s",
	       s->name, stub->name, nearest ? ", did you mean '" : "",
	       nearest ? nearest : "", nearest ? "'?" : "");
}

static void
check_proto(struct checker *c, const struct policy_service *s, enum proto proto,
	    struct place place)
{
	if (proto == s->proto)
		return;
	report(c->sources, DIAG_ERROR, place,
	       "service '%s' is %s: a service has one protocol", s->name,
	       proto_name(s->proto));
	report(c->sources, DIAG_NOTE,
	       s->n_intercepts ? s->intercepts[0].place : s->listens[0].place,
	       "it began here");
}

/* The capture port's socket listens for one of them. */
static void
report_via(struct checker *c, const struct policy_service *s,
	   const struct policy_intercept *i)
{
	report(c->sources, DIAG_ERROR, i->place,
	       "service '%s' captures via %s: 'via %s' needs a service of its "
	       "own",
	       s->name, via_name(s->intercepts[0].via), via_name(i->via));
	report(c->sources, DIAG_NOTE, s->intercepts[0].place, "it began here");
}

static void
check_service(struct checker *c, struct policy_service *s)
{
	size_t i;

	find_pool(c, s);
	if (!s->n_intercepts && !s->n_listens)
		report(c->sources, DIAG_ERROR, s->place,
		       "service '%s' has neither 'intercept' nor 'listen'",
		       s->name);
	for (i = 0; i < s->n_intercepts; i++) {
		check_proto(c, s, s->intercepts[i].proto,
			    s->intercepts[i].place);
		if (s->intercepts[i].proto == s->proto &&
		    s->intercepts[i].via != s->intercepts[0].via)
			report_via(c, s, &s->intercepts[i]);
	}
	for (i = 0; i < s->n_listens; i++)
		check_proto(c, s, s->listens[i].proto, s->listens[i].place);
	if (s->n_intercepts || s->n_listens)
		fit_service(c->sources, s);
}

/* --- listen --------------------------------------------------------------- */

/* One protocol, address and port: free, or who has it? */
static const struct place *
claim(struct checker *c, struct symbols *claimed,
      const struct policy_listen *listen, const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_LEN], *key;
	const struct place *first;

	key = arena_printf(c->sources->scratch, "%s %s",
			   proto_name(listen->proto),
			   endpoint_format(endpoint, text));
	first = symbols_find(claimed, key);
	if (!first)
		symbols_add(c->sources->scratch, claimed, key,
			    (void *)&listen->place);
	return first;
}

/* Without address it is every address of both families. */
static const struct place *
claim_listen(struct checker *c, struct symbols *claimed,
	     const struct policy_listen *listen)
{
	struct endpoint any = listen->endpoint;
	const struct place *first, *second;

	if (any.addr.family != AF_UNSPEC)
		return claim(c, claimed, listen, &any);
	any.addr.family = AF_INET;
	first = claim(c, claimed, listen, &any);
	any.addr.family = AF_INET6;
	second = claim(c, claimed, listen, &any);
	return first ? first : second;
}

static void
check_listen(struct checker *c, struct symbols *claimed,
	     const struct policy_listen *listen)
{
	const struct port_range *range = &c->policy->gateway.capture_ports;
	uint16_t port = listen->endpoint.port;
	const struct place *first;

	if (!port)
		return; /* a mistake that was reported */
	if (port >= range->low && port <= range->high)
		report(c->sources, DIAG_ERROR, listen->place,
		       "port %u is one of 'capture-ports %u-%u'", port,
		       range->low, range->high);
	first = claim_listen(c, claimed, listen);
	if (!first)
		return;
	report(c->sources, DIAG_ERROR, listen->place,
	       "port %u of this address is taken already", port);
	report(c->sources, DIAG_NOTE, *first, "the first 'listen'");
}

static void
check_listens(struct checker *c)
{
	const struct policy *p = c->policy;
	struct symbols claimed = {0};
	size_t i, j;

	for (i = 0; i < p->n_services; i++)
		for (j = 0; j < p->services[i].n_listens; j++)
			check_listen(c, &claimed, &p->services[i].listens[j]);
}

/* --- capture ports -------------------------------------------------------- */

static int
compare_names(const void *va, const void *vb)
{
	const struct policy_service *const *a = va, *const *b = vb;

	return strcmp((*a)->name, (*b)->name);
}

/*
 * A hash of the name, the next free one where it is taken. Names in their
 * order, so that the order of the text does not matter.
 */
static void
give_ports(const struct port_range *range, struct policy_service **sorted,
	   size_t n, bool *taken)
{
	size_t i, slot, size = (size_t)range->high - range->low + 1;
	const char *name;

	for (i = 0; i < n; i++) {
		name = sorted[i]->name;
		slot = hash64(name, strlen(name), 0) % size;
		while (taken[slot])
			slot = (slot + 1) % size;
		taken[slot] = true;
		sorted[i]->capture_port = (uint16_t)(range->low + slot);
	}
}

static void
assign_ports(struct checker *c)
{
	const struct port_range *range = &c->policy->gateway.capture_ports;
	size_t size = (size_t)range->high - range->low + 1;
	struct policy_service **sorted;
	size_t i, n = 0;

	sorted = arena_calloc(c->sources->scratch, c->policy->n_services,
			      sizeof(struct policy_service *));
	for (i = 0; i < c->policy->n_services; i++)
		if (c->services[i].n_intercepts)
			sorted[n++] = &c->services[i];
	if (n > size) {
		report(c->sources, DIAG_ERROR, c->notes->capture_ports,
		       "%zu services with 'intercept' need as many capture "
		       "ports, here are %zu",
		       n, size);
		return;
	}
	if (n)
		qsort(sorted, n, sizeof(struct policy_service *),
		      compare_names);
	give_ports(range, sorted, n,
		   arena_calloc(c->sources->scratch, size, sizeof(bool)));
}

/* --- what can never have an effect ---------------------------------------- */

static bool
ifaces_cover(const struct policy_ifaces *outer,
	     const struct policy_ifaces *inner)
{
	size_t i;

	for (i = 0; i < inner->n; i++) {
		const struct policy_iface *one = &inner->list[i];
		struct policy_ifaces wild = *outer;
		size_t j;

		if (!one->wildcard && policy_iface_matches(outer, one->name))
			continue;
		for (j = 0; j < wild.n; j++)
			if (wild.list[j].wildcard &&
			    !strncmp(one->name, wild.list[j].name,
				     strlen(wild.list[j].name)))
				break;
		if (j == wild.n)
			return false;
	}
	return true;
}

static bool
prefixes_cover(struct checker *c, const struct policy_prefixes *outer,
	       const struct policy_prefixes *inner)
{
	size_t i, j;

	if (!outer->n)
		return true;
	if (!inner->n)
		return false;
	for (i = 0; i < inner->n; i++) {
		for (j = 0; j < outer->n && c->budget > 0; j++, c->budget--)
			if (prefix_covers(&outer->list[j], &inner->list[i]))
				break;
		if (j == outer->n || c->budget <= 0)
			return false;
	}
	return true;
}

static bool
ports_cover(struct checker *c, const struct policy_ports *outer,
	    const struct policy_ports *inner)
{
	size_t i, j;

	for (i = 0; i < inner->n; i++) {
		for (j = 0; j < outer->n && c->budget > 0; j++, c->budget--)
			if (outer->list[j].low <= inner->list[i].low &&
			    outer->list[j].high >= inner->list[i].high)
				break;
		if (j == outer->n || c->budget <= 0)
			return false;
	}
	return true;
}

/* A `to` that names an address captures it even if it is the box's own. */
static bool
names_an_address(const struct policy_intercept *i)
{
	size_t n;

	for (n = 0; n < i->to.n; n++)
		if (prefix_is_host(&i->to.list[n]))
			return true;
	return false;
}

static bool
intercept_covers(struct checker *c, const struct policy_intercept *outer,
		 const struct policy_intercept *inner)
{
	c->budget--;
	return outer->proto == inner->proto &&
	       ports_cover(c, &outer->ports, &inner->ports) &&
	       !names_an_address(inner) &&
	       ifaces_cover(&outer->on, &inner->on) &&
	       prefixes_cover(c, &outer->from, &inner->from) &&
	       prefixes_cover(c, &outer->to, &inner->to);
}

static bool
service_covers(struct checker *c, const struct policy_service *outer,
	       const struct policy_service *inner)
{
	size_t i, j;

	if (outer->n_excepts)
		return false;
	for (i = 0; i < inner->n_intercepts; i++) {
		for (j = 0; j < outer->n_intercepts && c->budget > 0; j++)
			if (intercept_covers(c, &outer->intercepts[j],
					     &inner->intercepts[i]))
				break;
		if (j == outer->n_intercepts || c->budget <= 0)
			return false;
	}
	return true;
}

static void
warn_hidden(struct checker *c, size_t n)
{
	const struct policy_service *s = &c->policy->services[n];
	size_t i;

	if (!s->n_intercepts || s->n_listens)
		return;
	for (i = 0; i < n && c->budget > 0; i++) {
		const struct policy_service *other = &c->policy->services[i];

		if (!service_covers(c, other, s))
			continue;
		report(c->sources, DIAG_WARNING, s->place,
		       "service '%s' never gets a flow: '%s' before it takes "
		       "them all",
		       s->name, other->name);
		report(c->sources, DIAG_NOTE, other->place, "that service");
		return;
	}
}

static unsigned int
families_of(const struct policy_prefixes *list)
{
	unsigned int bits = 0;
	size_t i;

	for (i = 0; i < list->n; i++)
		bits |= list->list[i].addr.family == AF_INET6 ? FAMILY_IPV6
							      : FAMILY_IPV4;
	return list->n ? bits : FAMILY_BOTH;
}

static void
warn_service(struct checker *c, const struct policy_service *s)
{
	size_t i;

	for (i = 0; i < s->n_intercepts; i++) {
		const struct policy_intercept *one = &s->intercepts[i];

		if (!(families_of(&one->from) & families_of(&one->to) &
		      c->policy->gateway.families))
			report(c->sources, DIAG_WARNING, one->place,
			       "this never holds: 'from', 'to' and 'family' "
			       "have no address family in common");
	}
	if (s->n_excepts && !s->n_intercepts)
		report(c->sources, DIAG_WARNING, s->excepts[0].place,
		       "'except' has no effect without 'intercept'");
}

/* A spoofing source reaches only nodes of its own family. */
static void
warn_families(struct checker *c, const struct policy_pool *pool)
{
	int family = pool->source_addr.family;
	size_t i;

	if (pool->source != SOURCE_ADDRESS)
		return;
	for (i = 0; i < pool->n_nodes; i++)
		if (pool->nodes[i].original ||
		    pool->nodes[i].endpoint.addr.family == family)
			return;
	report(c->sources, DIAG_WARNING, pool->source_place,
	       "no node of pool '%s' can be reached from an %s address",
	       pool->name, inet_family_name(family));
}

/* Which pools do services of http use? The others keep no connections. */
static void
warn_reuse(struct checker *c)
{
	const struct policy *p = c->policy;
	bool *http;
	size_t i;

	http = arena_calloc(c->sources->scratch, p->n_pools, sizeof(*http));
	for (i = 0; i < p->n_services; i++)
		if (p->services[i].mode == MODE_HTTP)
			http[p->services[i].pool - p->pools] = true;
	for (i = 0; i < p->n_pools; i++)
		if (p->pools[i].reuse_place.line && c->used[i] && !http[i])
			report(c->sources, DIAG_WARNING,
			       p->pools[i].reuse_place,
			       "this has no effect: no service of 'mode http' "
			       "uses pool '%s'",
			       p->pools[i].name);
}

static void
warn(struct checker *c)
{
	const struct policy *p = c->policy;
	size_t i;

	for (i = 0; i < p->n_services; i++) {
		warn_hidden(c, i);
		warn_service(c, &p->services[i]);
	}
	for (i = 0; i < p->n_pools; i++) {
		if (!p->pools[i].place.line)
			continue;
		warn_families(c, &p->pools[i]);
		if (!c->used[i])
			report(c->sources, DIAG_WARNING, p->pools[i].place,
			       "pool '%s' is never used", p->pools[i].name);
	}
	warn_reuse(c);
}

void
check_policy(struct sources *sources, const struct model_notes *notes,
	     struct policy *p)
{
	struct checker c = {
		.sources = sources,
		.notes = notes,
		.policy = p,
		.services = (struct policy_service *)p->services,
		.budget = HIDDEN_BUDGET,
	};
	size_t i;

	c.used = arena_calloc(sources->scratch, p->n_pools, sizeof(*c.used));
	check_gateway(&c);
	check_inside(&c);
	limits_complete(sources, p);
	for (i = 0; i < p->n_pools; i++)
		check_pool(&c, &p->pools[i]);
	for (i = 0; i < p->n_services; i++)
		check_service(&c, &c.services[i]);
	check_listens(&c);
	assign_ports(&c);
	if (!sources->errors)
		warn(&c);
}
