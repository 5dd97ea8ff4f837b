/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's first packet, with proxyd and without; what follows is upleg's.
 */
#include "netsetup/explain/legs.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "netsetup/explain/finder.h"
#include "netsetup/explain/reason.h"
#include "netsetup/explain/upleg.h"

/* The first packet of the client. */
static struct packet
client_packet(struct finder *f)
{
	struct packet p = {
		.protocol = finder_protocol(f),
		.from = f->q->client,
		.to = f->q->server,
		.tcp_flags = TH_SYN,
		.iif = f->q->iface,
		.first = true,
		.listens = true,
	};

	finder_ask_destination(f, &p);
	return p;
}

static bool
will_forward(struct finder *f, int family)
{
	const char *path = family == AF_INET ? "net/ipv4/conf/all/forwarding"
					     : "net/ipv6/conf/all/forwarding";
	const struct kstate *s = f->q->rules;
	size_t i;

	if (finder_setting(f, path) > 0)
		return true;
	for (i = 0; i < s->n_sysctls; i++) {
		if (!strcmp(s->sysctls[i].path, path) &&
		    !strcmp(s->sysctls[i].value, "1"))
			return !f->q->installed;
	}
	return false;
}

/*
 * Ask how a packet goes on. Where forwarding is off IPv4 says no more than
 * that, and IPv6 nothing of it.
 */
static struct hop
route_onward(struct finder *f, const struct packet *p)
{
	struct hop_query q = finder_onward(p);
	struct hop hop = finder_route(f, &q);
	bool off = hop.error == -EHOSTUNREACH || hop_is_forward(&hop);

	if (!off ||
	    finder_setting(f, p->to.addr.family == AF_INET
				      ? "net/ipv4/conf/all/forwarding"
				      : "net/ipv6/conf/all/forwarding") > 0)
		return hop;
	if (!will_forward(f, p->to.addr.family)) {
		hop.error = -EHOSTUNREACH;
		return hop;
	}
	q.iif = NULL; /* as it will be */
	q.from.family = AF_UNSPEC;
	return finder_route(f, &q);
}

static enum way_fate
fate_of(enum walk_end end, enum way_fate otherwise)
{
	switch (end) {
	case WALK_END_PASSED:
		return otherwise;
	case WALK_END_DROPPED:
		return WAY_FATE_DROPPED;
	case WALK_END_REJECTED:
		return WAY_FATE_REFUSED;
	}
	return otherwise;
}

/* A packet that nobody has captured goes on. `ret_hop`: where. */
static enum way_fate
go_on(struct finder *f, struct packet *p, struct hop *ret_hop)
{
	struct hop hop = route_onward(f, p);
	enum walk_end end;

	*ret_hop = hop;
	finder_step(f, "routing", "%s", finder_hop_text(f, &hop));
	finder_note_filter(f, p, &hop);
	if (hop_is_local(&hop)) {
		end = finder_hook(f, NF_INET_LOCAL_IN, WALK_ALIVE_NOW, p, NULL);
		return fate_of(end, WAY_FATE_LOCAL);
	}
	if (!hop_is_forward(&hop))
		return WAY_FATE_UNREACHABLE;
	p->oif = arena_strdup(f->arena, hop.oif);
	end = finder_hook(f, NF_INET_FORWARD, WALK_ALIVE_NOW, p, NULL);
	if (end == WALK_END_PASSED)
		end = finder_hook(f, NF_INET_POST_ROUTING, WALK_ALIVE_NOW, p,
				  NULL);
	return fate_of(end, WAY_FATE_ROUTED);
}

static const char *
fate_text(struct finder *f, enum way_fate fate, const struct hop *hop)
{
	switch (fate) {
	case WAY_FATE_ROUTED:
		return arena_printf(f->arena, "routed %s, unproxied",
				    finder_hop_text(f, hop));
	case WAY_FATE_LOCAL:
		return "delivered to this box itself";
	case WAY_FATE_REFUSED:
		return f->q->proto == PROTO_TCP ? "refused with a reset"
						: "refused with an ICMP error";
	case WAY_FATE_DROPPED:
		return "dropped";
	case WAY_FATE_UNREACHABLE:
		return arena_printf(f->arena, "goes %s",
				    finder_hop_text(f, hop));
	case WAY_FATE_PROXIED:
		break;
	}
	return "proxied";
}

/* --- captured or not ---------------------------------------------------------
 */

/* The service whose capture port a packet was sent to, or NULL. */
static const struct policy_service *
find_service(const struct finder *f, const struct packet *p)
{
	const struct policy *policy = f->q->policy;
	uint16_t port = p->tproxied;
	size_t i;

	if (p->ct_status & PACKET_STATUS_DNAT)
		port = p->to.port;
	if (!policy || port == 0)
		return NULL;
	for (i = 0; i < policy->n_services; i++) {
		if (policy->services[i].n_intercepts > 0 &&
		    policy->services[i].capture_port == port)
			return &policy->services[i];
	}
	return NULL;
}

/* An address of this box that the client reaches: redirection takes one. */
static struct addr
inside_address(struct finder *f)
{
	struct hop_query q = {.to = f->q->client.addr};
	struct hop hop = finder_route(f, &q);

	return hop.source.family ? hop.source : f->q->server.addr;
}

static struct reason
find_reason(struct finder *f, const struct packet *p)
{
	const struct reason_flow flow = {
		.proto = f->q->proto,
		.iface = f->q->iface,
		.client = &f->q->client,
		.server = &f->q->server,
		.unicast =
			p->fib_type == RTN_UNICAST || p->fib_type == RTN_LOCAL,
		.local = p->fib_type == RTN_LOCAL,
		.outside = p->fib_oif,
		.families = f->q->facts->families,
	};

	return reason_find(f->q->policy, &flow, f->arena);
}

/* Not captured: why, by the policy, unless rules and policy differ. */
static void
write_reason(struct finder *f, const struct packet *p)
{
	struct reason r = {.text = "no policy is in force"};
	char left[CLOCK_DURATION_LEN];
	size_t i;

	if (f->q->policy)
		r = find_reason(f, p);
	if (f->q->bypass_ms > 0)
		r = (struct reason){
			.text = arena_printf(
				f->arena,
				"these two bypass the proxy for "
				"%s more",
				clock_duration((f->q->bypass_ms + 999) / 1000 *
						       1000,
					       left))};
	if (r.service && p->fib_type == RTN_LOCAL &&
	    r.service->capture_port == f->q->server.port)
		r.text = "it is for the capture port itself, which serves only "
			 "what was redirected";
	else if (r.service)
		r.text = "the rules that would are not there";
	f->way->reason = r.text;
	finder_step(f, "not captured", "%s", r.text);
	for (i = 0; i < r.n_notes; i++)
		finder_note(f, "%s", r.notes[i]);
}

/* Walk prerouting; `alive` says what to suppose. */
static enum way_fate
not_captured(struct finder *f, enum walk_alive alive,
	     const struct walk_trace *since)
{
	struct packet p = client_packet(f), fresh = p;
	enum way_fate fate;
	enum walk_end end;
	struct hop hop = {0};

	p.local = inside_address(f);
	end = finder_hook(f, NF_INET_PRE_ROUTING, alive, &p, since);
	if (!since)
		write_reason(f, &fresh);
	fate = fate_of(end, WAY_FATE_ROUTED);
	if (end == WALK_END_PASSED)
		fate = go_on(f, &p, &hop);
	if (since)
		finder_sum_up(f, "if proxyd is down: %s",
			      fate_text(f, fate, &hop));
	else
		finder_sum_up(f, "not captured: %s; %s", f->way->reason,
			      fate_text(f, fate, &hop));
	return fate;
}

/* --- captured
 * ------------------------------------------------------------------ */

/* The kernel looks at the source of a packet for itself, too. */
static bool
check_source(struct finder *f, const struct packet *p)
{
	struct hop_query q = finder_onward(p);
	struct hop hop = finder_route(f, &q);

	finder_step(f, "routing", "%s", finder_hop_text(f, &hop));
	finder_note_filter(f, p, &hop);
	return hop_is_local(&hop);
}

static void
write_listener(struct finder *f, const struct packet *p)
{
	char text[ENDPOINT_TEXT_LEN];
	struct endpoint at = p->to;
	int listens = -1, r;

	if (p->tproxied)
		at.port = p->tproxied;
	r = f->box->listens(f->box->data, f->q->proto, &at, &listens);
	if (r < 0 && f->error == 0)
		f->error = r;
	endpoint_format(&at, text);
	if (listens == 0)
		finder_step(f, "listener", "nobody listens on %s", text);
	else if (listens > 0)
		finder_step(f, "listener", "somebody listens on %s", text);
}

static void
write_service(struct finder *f)
{
	const struct policy_service *s = f->way->service;

	finder_step(f, "proxyd", "service %s, pool %s, source %s", s->name,
		    s->pool->name, source_kind_name(s->pool->source));
	if (f->way->alive)
		finder_note(f, "now: alive");
	else
		finder_note(f, "now: not alive, so see below what happens "
			       "without it");
}

/* Redirection takes the interface's first address, and without one drops. */
static bool
has_address(struct finder *f, const struct packet *p)
{
	const struct facts *facts = f->q->facts;
	bool redirected = p->ct_status & PACKET_STATUS_DNAT;
	size_t i;

	for (i = 0; i < facts->n_ifaces; i++) {
		if (strcmp(facts->ifaces[i].name, f->q->iface) != 0 ||
		    facts->ifaces[i].ipv4)
			continue;
		if (!redirected || p->to.addr.family != AF_INET)
			continue;
		finder_step(f, "redirection",
			    "drops it: %s has no IPv4 address", f->q->iface);
		finder_note(f, "give it one, or capture with `via tproxy`");
		return false;
	}
	return true;
}

/* The client's packet as far as proxyd. false: it does not get there. */
static bool
write_capture(struct finder *f, struct packet *p)
{
	enum walk_end end;

	f->leg = "from the client";
	end = finder_hook(f, NF_INET_PRE_ROUTING, WALK_ALIVE_YES, p, NULL);
	if (end != WALK_END_PASSED || !has_address(f, p) || !check_source(f, p))
		return false;
	end = finder_hook(f, NF_INET_LOCAL_IN, WALK_ALIVE_YES, p, NULL);
	write_listener(f, p);
	write_service(f);
	return end == WALK_END_PASSED;
}

/* Is it captured if proxyd is so? Tells nothing. */
static struct packet
suppose(struct finder *f, enum walk_alive alive, struct walk_trace *ret_trace)
{
	struct packet p = client_packet(f);

	p.local = inside_address(f);
	finder_try(f, NF_INET_PRE_ROUTING, alive, &p, ret_trace);
	return p;
}

int
legs_find(const struct way_question *q, const struct way_box *box,
	  struct arena *arena, struct way *ret_way)
{
	struct way way = {0};
	struct finder f = {.q = q, .box = box, .arena = arena, .way = &way};
	struct packet p, now;
	struct walk_trace with, unused;
	bool arrives;

	p = suppose(&f, WALK_ALIVE_YES, &with);
	way.service = find_service(&f, &p);
	f.leg = "from the client";
	if (!way.service) {
		way.now = not_captured(&f, WALK_ALIVE_NOW, NULL);
		way.down = way.now;
		*ret_way = way;
		return f.error;
	}
	now = suppose(&f, WALK_ALIVE_NOW, &unused);
	way.alive = find_service(&f, &now) == way.service;
	p = client_packet(&f);
	p.local = inside_address(&f);
	arrives = write_capture(&f, &p);
	if (arrives)
		upleg_follow(&f, &p);
	else
		finder_sum_up(&f,
			      "captured by service %s, but dropped on its "
			      "way to proxyd",
			      way.service->name);
	f.leg = "if proxyd is down";
	way.down = not_captured(&f, WALK_ALIVE_NO, &with);
	way.now = !way.alive ? way.down
		  : arrives  ? WAY_FATE_PROXIED
			     : WAY_FATE_DROPPED;
	*ret_way = way;
	return f.error;
}
