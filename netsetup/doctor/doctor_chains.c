/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor_chains.c - checks of others' filters: are captured flows let in,
 * and which of them would not have been forwarded?
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/doctor/doctor_check.h"
#include "netsetup/state/capture.h"

static const char *
chain_text(struct doctor *d, const struct kforeign_chain *c)
{
	return arena_printf(d->arena, "%s %s %s",
			    kstate_table_family(c->family), c->table, c->name);
}

enum { CLIENT_PORT = 40000 }; /* stands for any */

/* --- is it let in? ------------------------------------------------------- */

/* A captured flow on its way to its service. */
struct arrival {
	const struct policy_service *service;
	const struct policy_intercept *intercept;
	struct fpacket packet;
};

/* As iptables, where the chain is one of its own, or as nft. */
static const char *
let_in(struct doctor *d, const struct kforeign_chain *c,
       const struct arrival *a)
{
	const struct policy_gateway *g = &d->policy->gateway;
	const char *match;
	bool dnat = a->packet.dnat;

	if (c->family != NFPROTO_INET && !strcmp(c->table, "filter") &&
	    !strcmp(c->name, "INPUT")) {
		match = dnat ? "-m conntrack --ctstate DNAT"
			     : arena_printf(d->arena,
					    "-m mark --mark 0x%x/0x%x",
					    g->mark_deliver, g->mark_mask);
		return arena_printf(d->arena, "%s -I INPUT %s -j ACCEPT",
				    c->family == NFPROTO_IPV4 ? "iptables"
							      : "ip6tables",
				    match);
	}
	match = dnat ? "ct status dnat"
		     : arena_printf(d->arena, "meta mark and 0x%x == 0x%x",
				    g->mark_mask, g->mark_deliver);
	return arena_printf(d->arena, "nft insert rule %s %s accept",
			    chain_text(d, c), match);
}

static const char *
how_text(const struct fpacket *p)
{
	if (p->untracked)
		return "answered";
	return p->dnat ? "redirected" : "delivered";
}

static void
compare_chain(struct doctor *d, const struct arrival *a, enum fverdict bad)
{
	const struct foreign *f = &d->box->foreign;
	size_t i;

	for (i = 0; i < f->n_chains; i++) {
		const struct kforeign_chain *c = &f->chains[i];

		if (!kforeign_sees(c, a->packet.family, NF_INET_LOCAL_IN) ||
		    foreign_walk(f, c, &a->packet) != bad)
			continue;
		doctor_found(d, "chain", chain_text(d, c), "service",
			     a->service->name, "how", how_text(&a->packet),
			     "mend", let_in(d, c, a), NULL);
	}
}

static uint32_t
index_of(const struct doctor *d, const char *iface)
{
	const struct box_iface *i = iface ? box_iface(d->box, iface) : NULL;

	return i ? i->index : 0;
}

/* The packet by which a flow of this intercept arrives here. */
static struct fpacket
arriving(const struct doctor *d, const struct policy_service *s,
	 const struct policy_intercept *i, const char *iface, uint8_t family)
{
	struct fpacket p = {
		.family = family,
		.l4proto = s->proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP,
		.iif = iface,
		.iif_index = index_of(d, iface),
	};

	if (i->via == VIA_REDIRECT) {
		p.dnat = true;
		p.port = s->capture_port;
	} else {
		p.mark = d->policy->gateway.mark_deliver;
		p.port = i->ports.list[0].low;
	}
	return p;
}

/*
 * Call `see` for every service on every interface that is there, for both
 * families that are captured.
 */
static void
each_arrival(struct doctor *d, enum fverdict bad,
	     void (*see)(struct doctor *d, const struct arrival *a,
			 enum fverdict bad),
	     const struct policy_service *s, const struct policy_intercept *i)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	unsigned int wanted =
		d->policy->gateway.families & d->facts->facts->families;
	struct arrival a = {.service = s, .intercept = i};
	size_t j, k;

	for (j = 0; j < d->box->n_ifaces; j++) {
		const char *name = d->box->ifaces[j].name;

		for (k = 0; k < 2; k++) {
			if (!policy_iface_matches(&i->on, name) ||
			    !capture_has_family(i, families[k]) ||
			    !(wanted & (k ? FAMILY_IPV6 : FAMILY_IPV4)))
				continue;
			a.packet = arriving(d, s, i, name, families[k]);
			see(d, &a, bad);
		}
	}
}

static void
all_arrivals(struct doctor *d, enum fverdict bad,
	     void (*see)(struct doctor *d, const struct arrival *a,
			 enum fverdict bad))
{
	size_t i, j;

	for (i = 0; d->policy && i < d->policy->n_services; i++) {
		const struct policy_service *s = &d->policy->services[i];

		for (j = 0; j < s->n_intercepts; j++)
			each_arrival(d, bad, see, s, &s->intercepts[j]);
	}
}

/* Of what no entry of conntrack tells, a server's answer is let in by none. */
static void
untracked_answers(struct doctor *d, enum fverdict bad)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct arrival a = {0};
	size_t i, k;

	if (!d->policy || d->policy->gateway.upstream_tracking != TRACKING_OFF)
		return;
	for (i = 0; i < d->policy->n_services; i++) {
		a.service = &d->policy->services[i];
		if (!policy_pool_spoofs(a.service->pool))
			continue;
		for (k = 0; k < 2; k++) {
			a.packet = (struct fpacket){
				.family = families[k],
				.l4proto = a.service->proto == PROTO_TCP
						   ? IPPROTO_TCP
						   : IPPROTO_UDP,
				.port = CLIENT_PORT,
				.iif = doctor_way_out(d),
				.iif_index = index_of(d, doctor_way_out(d)),
				.mark = d->policy->gateway.mark_deliver,
				.untracked = true,
			};
			compare_chain(d, &a, bad);
		}
	}
}

static void
check_input(struct doctor *d, enum fverdict bad)
{
	all_arrivals(d, bad, compare_chain);
	untracked_answers(d, bad);
}

void
check_input_drop(struct doctor *d)
{
	check_input(d, FVERDICT_DROP);
}

void
check_input_unsure(struct doctor *d)
{
	check_input(d, FVERDICT_UNSURE);
}

/* --- what does not see it any more --------------------------------------- */

static bool
excepts(const struct policy_except *list, size_t n, uint16_t port)
{
	size_t i, j;

	for (i = 0; i < n; i++) {
		for (j = 0; j < list[i].ports.n; j++) {
			if (list[i].from.n == 0 && list[i].to.n == 0 &&
			    list[i].ports.list[j].low <= port &&
			    list[i].ports.list[j].high >= port)
				return true;
		}
	}
	return false;
}

static void
compare_port(struct doctor *d, const struct arrival *a, uint16_t port,
	     enum fverdict bad)
{
	const struct policy_gateway *g = &d->policy->gateway;
	const struct foreign *f = &d->box->foreign;
	struct fpacket p = a->packet;
	size_t i;

	p.oif = doctor_way_out(d);
	p.oif_index = index_of(d, p.oif);
	p.dnat = false;
	p.mark = 0;
	p.port = port;
	if (excepts(g->excepts, g->n_excepts, port) ||
	    excepts(a->service->excepts, a->service->n_excepts, port))
		return;
	for (i = 0; i < f->n_chains; i++) {
		const struct kforeign_chain *c = &f->chains[i];

		if (kforeign_sees(c, p.family, NF_INET_FORWARD) &&
		    foreign_walk(f, c, &p) == bad)
			doctor_found(d, "chain", chain_text(d, c), "service",
				     a->service->name, "iface", p.iif, "port",
				     doctor_number(d, p.port), NULL);
	}
}

/* The first port of each range stands for the others. */
static void
compare_forward(struct doctor *d, const struct arrival *a, enum fverdict bad)
{
	size_t i;

	for (i = 0; i < a->intercept->ports.n; i++)
		compare_port(d, a, a->intercept->ports.list[i].low, bad);
}

void
check_forward_filter(struct doctor *d)
{
	all_arrivals(d, FVERDICT_DROP, compare_forward);
}
