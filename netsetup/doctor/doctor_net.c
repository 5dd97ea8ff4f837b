/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor_net.c - checks of interfaces, subnets, ip rules and routes.
 */
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/doctor/doctor_check.h"
#include "netsetup/state/capture.h"
#include "netsetup/state/meet.h"
#include "netsetup/state/return_path.h"

static bool
is_set(const struct doctor *d, const char *family, const char *iface,
       const char *setting)
{
	return box_number(d->box, 0, "net/%s/conf/%s/%s", family, iface,
			  setting) > 0;
}

/* --- interfaces ---------------------------------------------------------- */

/* Call `see` for every interface that an intercept names in full. */
static void
each_of(struct doctor *d, const struct policy_intercept *i,
	void (*see)(struct doctor *d, const struct policy_intercept *i,
		    const char *name))
{
	size_t k;

	for (k = 0; k < i->on.n; k++) {
		if (!i->on.list[k].wildcard)
			see(d, i, i->on.list[k].name);
	}
}

static void
each_named(struct doctor *d,
	   void (*see)(struct doctor *d, const struct policy_intercept *i,
		       const char *name))
{
	size_t i, j;

	for (i = 0; d->policy && i < d->policy->n_services; i++) {
		const struct policy_service *s = &d->policy->services[i];

		for (j = 0; j < s->n_intercepts; j++)
			each_of(d, &s->intercepts[j], see);
	}
}

static void
want_interface(struct doctor *d, const struct policy_intercept *i,
	       const char *name)
{
	(void)i;
	if (!box_iface(d->box, name))
		doctor_found(d, "iface", name, NULL);
}

void
check_no_interface(struct doctor *d)
{
	each_named(d, want_interface);
}

static void
want_up(struct doctor *d, const struct policy_intercept *i, const char *name)
{
	const struct box_iface *f = box_iface(d->box, name);

	(void)i;
	if (f && !f->up)
		doctor_found(d, "iface", name, NULL);
}

void
check_interface_down(struct doctor *d)
{
	each_named(d, want_up);
}

static void
want_ipv4(struct doctor *d, const struct policy_intercept *i, const char *name)
{
	const struct facts *f = d->facts->facts;
	size_t k;

	if (i->via != VIA_REDIRECT || !capture_has_family(i, AF_INET) ||
	    !(d->policy->gateway.families & FAMILY_IPV4))
		return;
	for (k = 0; k < f->n_ifaces; k++) {
		if (!strcmp(f->ifaces[k].name, name) && !f->ifaces[k].ipv4)
			doctor_found(d, "iface", name, NULL);
	}
}

void
check_no_ipv4_address(struct doctor *d)
{
	each_named(d, want_ipv4);
}

void
check_mtu(struct doctor *d)
{
	size_t i, j;

	for (i = 0; i < d->box->n_ifaces; i++) {
		const struct box_iface *in = &d->box->ifaces[i];

		for (j = 0; j < d->box->n_ifaces; j++) {
			const struct box_iface *out = &d->box->ifaces[j];
			bool more = in->mtu > out->mtu;

			if (in->mtu == out->mtu || out->loopback ||
			    !doctor_inside(d, in->name) ||
			    doctor_inside(d, out->name) ||
			    !doctor_outside(d, out->name))
				continue;
			doctor_found(
				d, "iface", more ? in->name : out->name,
				"other", more ? out->name : in->name, "have",
				doctor_number(d, more ? in->mtu : out->mtu),
				"want",
				doctor_number(d, more ? out->mtu : in->mtu),
				NULL);
		}
	}
}

/* --- forwarding ---------------------------------------------------------- */

static void
no_forwarding(struct doctor *d, const char *iface, const char *words,
	      const char *family)
{
	const char *mend;

	/* apply sets the one of all */
	if (d->policy->gateway.forwarding &&
	    !is_set(d, family, "all", "forwarding"))
		mend = arena_printf(d->arena, "netsetup apply%s",
				    doctor_file_option(d));
	else
		mend = arena_printf(
			d->arena, "sysctl -w net.%s.conf.%s.forwarding=1",
			family, doctor_key(d, iface ? iface : "all"));
	doctor_found(d, "iface", iface ? iface : "this box", "family", words,
		     "mend", mend, NULL);
}

/* IPv4 asks the interface on which a packet comes, IPv6 the whole box. */
void
check_forwarding(struct doctor *d)
{
	unsigned int families;
	size_t i;

	if (!d->policy || !capture_wanted(d->policy))
		return;
	families = d->policy->gateway.families & d->facts->facts->families;
	for (i = 0; families & FAMILY_IPV4 && i < d->box->n_ifaces; i++) {
		const char *name = d->box->ifaces[i].name;

		if ((doctor_inside(d, name) || doctor_outside(d, name)) &&
		    !is_set(d, "ipv4", name, "forwarding"))
			no_forwarding(d, name, "IPv4", "ipv4");
	}
	if (families & FAMILY_IPV6 && !is_set(d, "ipv6", "all", "forwarding"))
		no_forwarding(d, NULL, "IPv6", "ipv6");
}

void
check_router_advertisements(struct doctor *d)
{
	const struct facts *f = d->facts->facts;
	size_t i;

	if (!d->policy || !capture_wanted(d->policy) || f->forwards_ipv6 ||
	    !d->policy->gateway.forwarding ||
	    !(d->policy->gateway.families & FAMILY_IPV6))
		return;
	for (i = 0; i < f->n_ifaces; i++) {
		if (f->ifaces[i].ra_route && f->ifaces[i].accept_ra == 1)
			doctor_found(d, "iface", f->ifaces[i].name, NULL);
	}
}

/* --- subnets ------------------------------------------------------------- */

/* "node original; " for the one that is replaced whole when it is written. */
static const char *
nodes_of(const struct policy_pool *pool)
{
	return pool->place.line == 0 ? "node original; " : "";
}

static bool
is_own(const struct doctor *d, const struct addr *addr)
{
	return addr_is_loopback(addr) || meet_is_local(d->facts->facts, addr);
}

static void
compare_node(struct doctor *d, const struct policy_pool *pool,
	     const struct policy_node *node)
{
	char text[ADDR_TEXT_LEN];
	size_t i, j;

	for (i = 0; i < d->box->n_ifaces; i++) {
		const struct box_iface *f = &d->box->ifaces[i];

		if (!doctor_inside(d, f->name) ||
		    is_own(d, &node->endpoint.addr))
			continue;
		for (j = 0; j < f->n_nets; j++) {
			if (!prefix_contains(&f->nets[j], &node->endpoint.addr))
				continue;
			addr_format(&node->endpoint.addr, text);
			doctor_found(d, "what",
				     arena_printf(d->arena, "node %s", text),
				     "iface", f->name, "pool", pool->name,
				     "nodes", nodes_of(pool), NULL);
		}
	}
}

static void
compare_nodes(struct doctor *d, const struct policy_service *s)
{
	size_t i;

	for (i = 0; i < s->pool->n_nodes; i++) {
		if (!s->pool->nodes[i].original && policy_pool_spoofs(s->pool))
			compare_node(d, s->pool, &s->pool->nodes[i]);
	}
}

void
check_same_subnet(struct doctor *d)
{
	doctor_each_service(d, compare_nodes);
}

/* --- servers on the box itself ------------------------------------------- */

static void
compare_own(struct doctor *d, const struct policy_service *s, const char *what,
	    const struct addr *addr)
{
	char text[ADDR_TEXT_LEN];

	if (is_own(d, addr))
		doctor_found(d, "service", s->name, "what",
			     arena_printf(d->arena, "%s %s", what,
					  addr_format(addr, text)),
			     "pool", s->pool->name, "nodes", nodes_of(s->pool),
			     NULL);
}

/* Destinations of the box's own are captured only where `to` names them. */
static void
compare_named(struct doctor *d, const struct policy_service *s)
{
	size_t i, j;

	for (i = 0; i < s->n_intercepts; i++) {
		const struct policy_prefixes *to = &s->intercepts[i].to;

		for (j = 0; j < to->n; j++) {
			if (prefix_is_host(&to->list[j]))
				compare_own(d, s, "destination",
					    &to->list[j].addr);
		}
	}
}

void
check_own_server(struct doctor *d)
{
	size_t i, j;

	for (i = 0; d->policy && i < d->policy->n_services; i++) {
		const struct policy_service *s = &d->policy->services[i];
		const struct policy_pool *pool = s->pool;

		if (!policy_pool_spoofs(pool) ||
		    (pool->source == SOURCE_ADDRESS &&
		     is_own(d, &pool->source_addr)))
			continue;
		for (j = 0; j < pool->n_nodes; j++) {
			if (pool->nodes[j].original)
				compare_named(d, s);
			else
				compare_own(d, s, "node",
					    &pool->nodes[j].endpoint.addr);
		}
	}
}

/* --- clients and servers in one subnet ----------------------------------- */

/* A pool in use that spoofs towards wherever the client wanted to go. */
static const struct policy_pool *
find_original(const struct policy *p)
{
	size_t i;

	for (i = 0; p && i < p->n_services; i++) {
		if (p->services[i].n_intercepts > 0 &&
		    p->services[i].pool->nodes[0].original &&
		    policy_pool_spoofs(p->services[i].pool))
			return p->services[i].pool;
	}
	return NULL;
}

static void
compare_subnets(struct doctor *d, const struct policy_pool *pool,
		const struct box_iface *in, const struct box_iface *out)
{
	char text[PREFIX_TEXT_LEN];
	size_t i, j;

	for (i = 0; i < in->n_nets; i++) {
		for (j = 0; j < out->n_nets; j++) {
			if (!prefix_covers(&in->nets[i], &out->nets[j]) &&
			    !prefix_covers(&out->nets[j], &in->nets[i]))
				continue;
			prefix_format(&in->nets[i], text);
			doctor_found(d, "iface", in->name, "other", out->name,
				     "subnet", text, "pool", pool->name,
				     "nodes", nodes_of(pool), NULL);
		}
	}
}

void
check_shared_subnet(struct doctor *d)
{
	const struct policy_pool *pool = find_original(d->policy);
	size_t i, j;

	for (i = 0; pool && i < d->box->n_ifaces; i++) {
		for (j = 0; j < d->box->n_ifaces; j++) {
			const struct box_iface *in = &d->box->ifaces[i];
			const struct box_iface *out = &d->box->ifaces[j];

			if (i != j && doctor_inside(d, in->name) &&
			    !doctor_inside(d, out->name) && !out->loopback)
				compare_subnets(d, pool, in, out);
		}
	}
}

/* --- routes -------------------------------------------------------------- */

/* The interface of the best default route of the main table, or "". */
static const char *
main_default(const struct doctor *d, uint8_t family)
{
	const struct box_route *best = NULL;
	size_t i;

	for (i = 0; i < d->box->n_routes; i++) {
		const struct box_route *r = &d->box->routes[i];

		if (r->family == family && r->table == RT_TABLE_MAIN &&
		    r->to.len == 0 && (!best || r->metric < best->metric))
			best = r;
	}
	return best ? best->iface : "";
}

/* The larger of both counts; 1 is strict, 2 is loose. */
static bool
is_strict(const struct doctor *d, const char *iface)
{
	long all = box_number(d->box, 0, "net/ipv4/conf/all/rp_filter");
	long own = box_number(d->box, 0, "net/ipv4/conf/%s/rp_filter", iface);

	return (all > own ? all : own) == 1;
}

/* Clients that the policy names, but whom the box reaches another way. */
static void
compare_clients(struct doctor *d, const struct policy_intercept *i,
		const char *name)
{
	char text[PREFIX_TEXT_LEN];
	size_t j, k;

	for (j = 0; j < i->from.n && is_strict(d, name); j++) {
		const struct prefix *from = &i->from.list[j];

		for (k = 0; k < d->box->n_ways; k++) {
			const struct box_way *w = &d->box->ways[k];

			if (from->addr.family != AF_INET || from->len == 0 ||
			    !addr_equal(&w->to, &from->addr) || !w->iface[0] ||
			    policy_iface_matches(&i->on, w->iface))
				continue;
			doctor_found(d, "iface", name, "what",
				     prefix_format(from, text), "other",
				     w->iface, NULL);
		}
	}
}

/*
 * Servers that are reached by another interface than the main table says,
 * because policy routing or a second default route leads there.
 */
void
check_rp_filter(struct doctor *d)
{
	const char *best = main_default(d, AF_INET);
	size_t i;

	each_named(d, compare_clients);
	for (i = 0; i < d->box->n_routes; i++) {
		const struct box_route *r = &d->box->routes[i];

		if (r->family == AF_INET && r->to.len == 0 && r->iface[0] &&
		    best[0] && strcmp(r->iface, best) != 0 &&
		    doctor_outside(d, r->iface) && is_strict(d, r->iface))
			doctor_found(d, "iface", r->iface, "what",
				     "servers beyond", "other", best, NULL);
	}
}

void
check_no_route(struct doctor *d)
{
	char text[ADDR_TEXT_LEN];
	size_t i;

	for (i = 0; i < d->box->n_ways; i++) {
		const struct box_way *w = &d->box->ways[i];

		if (!w->iface[0] && !addr_is_any(&w->to))
			doctor_found(d, "what", addr_format(&w->to, text),
				     NULL);
	}
}

/* One arm: what comes in by an interface goes on by the same. */
void
check_send_redirects(struct doctor *d)
{
	const char *best = main_default(d, AF_INET);
	size_t i;

	for (i = 0; i < d->box->n_ifaces; i++) {
		const char *name = d->box->ifaces[i].name;

		if (!strcmp(name, best) && doctor_inside(d, name) &&
		    (is_set(d, "ipv4", "all", "send_redirects") ||
		     is_set(d, "ipv4", name, "send_redirects")))
			doctor_found(d, "iface", name, NULL);
	}
}

/* --- ip rules ------------------------------------------------------------ */

/* Is there one from `low` to `high`? */
static bool
has_iprule(const struct doctor *d, uint32_t low, uint32_t high)
{
	size_t i;

	for (i = 0; i < d->box->n_iprules; i++) {
		uint32_t p = d->box->iprules[i].priority;

		if (p >= low && p <= high)
			return true;
	}
	return false;
}

/* The next priority whose neighbours are free as well, below or above. */
static const char *
free_priority(struct doctor *d, uint32_t from, int step)
{
	uint32_t n = from;

	while (n > 1 && n < 32000 && has_iprule(d, n - 1, n + 1))
		n += (uint32_t)step;
	return doctor_number(d, n);
}

static bool
has_default(const struct doctor *d, uint8_t family, uint32_t table)
{
	size_t i;

	for (i = 0; i < d->box->n_routes; i++) {
		const struct box_route *r = &d->box->routes[i];

		if (r->family == family && r->table == table && r->to.len == 0)
			return true;
	}
	return false;
}

void
check_early_rule(struct doctor *d)
{
	const struct policy *p = d->policy;
	size_t i;

	if (!p || !return_path_wanted(p))
		return;
	for (i = 0; i < d->box->n_iprules; i++) {
		const struct box_iprule *r = &d->box->iprules[i];

		if (r->action != FR_ACT_TO_TBL || r->narrow ||
		    r->priority + 1 >= p->gateway.priority ||
		    !has_default(d, r->family, r->table))
			continue;
		doctor_found(d, "priority", doctor_number(d, r->priority),
			     "table", doctor_number(d, r->table), "free",
			     free_priority(d, r->priority, -1), NULL);
	}
}

void
check_priority_used(struct doctor *d)
{
	const struct policy *p = d->policy;
	size_t i;

	if (!p || !return_path_wanted(p))
		return;
	for (i = 0; i < d->box->n_iprules; i++) {
		uint32_t n = d->box->iprules[i].priority;

		if (n + 1 >= p->gateway.priority &&
		    n <= p->gateway.priority + 1)
			doctor_found(d, "priority", doctor_number(d, n), "free",
				     free_priority(d, n, 1), NULL);
	}
}

static const char *
free_table(struct doctor *d, uint32_t n)
{
	size_t i = 0;

	n++;
	while (i < d->box->n_iprules) {
		if (d->box->iprules[i++].table != n)
			continue;
		n++;
		i = 0;
	}
	return doctor_number(d, n);
}

void
check_table_used(struct doctor *d)
{
	const struct policy *p = d->policy;
	char text[PREFIX_TEXT_LEN];
	size_t i;

	if (!p || !return_path_wanted(p))
		return;
	for (i = 0; i < d->box->n_routes; i++) {
		const struct box_route *r = &d->box->routes[i];

		if (r->table != p->gateway.table)
			continue;
		doctor_found(d, "table", doctor_number(d, r->table), "what",
			     r->to.len ? prefix_format(&r->to, text)
				       : "everywhere",
			     "free", free_table(d, r->table), NULL);
	}
}
