/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One node is followed all the way, the others only to their routes.
 */
#include "netsetup/explain/upleg.h"

#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <netinet/tcp.h>

#include "lib/arena.h"
#include "netsetup/state/meet.h"

enum { NODES_SHOWN_MAX = 8 };

/* --- the leg to the server -------------------------------------------------
 */

/* What proxyd sends to a node: the first packet, and where to. */
struct upstream {
	struct packet packet;
	struct hop hop;
	bool spoofs;
};

static uint32_t
spoof_mark(const struct finder *f)
{
	const struct policy_gateway *g = &f->q->policy->gateway;

	return policy_pool_spoofs(f->way->service->pool) ? g->mark_upstream : 0;
}

static struct endpoint
node_target(const struct finder *f, const struct policy_node *n)
{
	struct endpoint target = n->original ? f->q->server : n->endpoint;

	if (target.port == 0)
		target.port = f->q->server.port;
	return target;
}

/* The source that the policy names; family AF_UNSPEC: routing chooses. */
static struct endpoint
policy_source(const struct finder *f)
{
	const struct policy_pool *pool = f->way->service->pool;
	struct endpoint source = {0};

	switch (pool->source) {
	case SOURCE_GATEWAY:
		break;
	case SOURCE_CLIENT:
		source.addr = f->q->client.addr;
		break;
	case SOURCE_CLIENT_PORT:
		source = f->q->client;
		break;
	case SOURCE_ADDRESS:
		source.addr = pool->source_addr;
		break;
	}
	return source;
}

/*
 * The kernel does not look up routes for a source that is not the box's own
 * as sockets that may have one do; coming in by `lo` is the same to ip rules.
 */
static struct hop
route_from(struct finder *f, const struct packet *p)
{
	struct hop_query q = {
		.from = p->from.addr,
		.to = p->to.addr,
		.mark = p->mark,
		.protocol = p->protocol,
		.to_port = p->to.port,
	};
	bool foreign = q.from.family == AF_INET &&
		       !meet_is_local(f->q->facts, &q.from);
	struct hop hop;

	q.iif = foreign ? "lo" : NULL;
	hop = finder_route(f, &q);
	if (!foreign || hop.error == 0)
		return hop;
	q.iif = NULL;
	q.from.family = AF_UNSPEC;
	return finder_route(f, &q);
}

static struct upstream
find_upstream(struct finder *f, struct endpoint target)
{
	struct upstream u = {
		.packet = {.protocol = finder_protocol(f),
			   .from = policy_source(f),
			   .to = target,
			   .tcp_flags = TH_SYN,
			   .mark = spoof_mark(f),
			   .first = true,
			   .socket = true},
	};

	u.spoofs = u.packet.mark != 0;
	u.packet.transparent = u.spoofs;
	u.packet.socket_mark = u.packet.mark;
	u.hop = route_from(f, &u.packet);
	if (!u.packet.from.addr.family)
		u.packet.from.addr = u.hop.source;
	u.packet.oif = arena_strdup(f->arena, u.hop.oif);
	finder_ask_destination(f, &u.packet);
	return u;
}

static const char *
source_text(struct finder *f, const struct packet *p)
{
	char text[ADDR_TEXT_LEN];

	if (!p->from.addr.family)
		return "an address that routing would choose";
	addr_format(&p->from.addr, text);
	if (p->from.port == 0)
		return arena_printf(f->arena, "%s (any port)", text);
	return arena_printf(f->arena, "%s (port %u where that is free)", text,
			    p->from.port);
}

static bool
mixes_families(const struct finder *f, const struct endpoint *target)
{
	struct endpoint source = policy_source(f);

	return source.addr.family && source.addr.family != target->addr.family;
}

/* proxyd connects: what its first packet meets on the way out. */
static enum walk_end
write_upstream(struct finder *f, struct upstream *u)
{
	char text[ENDPOINT_TEXT_LEN];
	enum walk_end end;

	f->leg = "to the server";
	finder_step(f, "proxyd", "connects to %s from %s",
		    endpoint_format(&u->packet.to, text),
		    source_text(f, &u->packet));
	if (u->spoofs)
		finder_note(f, "mark 0x%08x: its source is not the box's own",
			    u->packet.mark);
	finder_step(f, "routing", "%s", finder_hop_text(f, &u->hop));
	if (u->hop.error)
		return WALK_END_DROPPED;
	end = finder_hook(f, NF_INET_LOCAL_OUT, WALK_ALIVE_NOW, &u->packet,
			  NULL);
	if (end == WALK_END_PASSED)
		end = finder_hook(f, NF_INET_POST_ROUTING, WALK_ALIVE_NOW,
				  &u->packet, NULL);
	return end;
}

/* --- the server's answer ---------------------------------------------------
 */

static struct packet
answer_packet(struct finder *f, const struct upstream *u)
{
	struct packet p = u->packet;

	p.from = u->packet.to;
	p.to = u->packet.from;
	p.tcp_flags = TH_SYN | TH_ACK;
	p.iif = u->packet.oif;
	p.oif = NULL;
	p.mark = 0;
	p.untracked = false;
	p.first = false;
	p.reply = true;
	finder_ask_destination(f, &p);
	return p;
}

/* The ip rule of ours that would take this mark, or NULL. */
static const struct kiprule *
find_iprule(const struct finder *f, const struct packet *p)
{
	const struct kstate *s = f->q->rules;
	size_t i;

	for (i = 0; i < s->n_iprules; i++) {
		const struct kiprule *r = &s->iprules[i];

		if (r->family == p->to.addr.family &&
		    r->action == FR_ACT_TO_TBL &&
		    (p->mark & r->mask) == r->mark)
			return r;
	}
	return NULL;
}

/* Does it come back to proxyd? Asked, unless that is not installed yet. */
static bool
comes_back(struct finder *f, const struct packet *p)
{
	struct hop_query q = finder_onward(p);
	const struct kiprule *rule = find_iprule(f, p);
	struct hop hop = finder_route(f, &q);

	if (rule && !f->q->installed && !hop_is_local(&hop)) {
		finder_step(f, "routing", "to this box (table %u)",
			    rule->table);
		finder_note(f,
			    "once ip rule %u is installed; now it would "
			    "go %s",
			    rule->priority, finder_hop_text(f, &hop));
		return true;
	}
	finder_step(f, "routing", "%s", finder_hop_text(f, &hop));
	if (rule && hop_is_local(&hop))
		finder_note(f, "ip rule %u: mark 0x%08x", rule->priority,
			    rule->mark);
	finder_note_filter(f, p, &hop);
	if (!hop_is_local(&hop))
		finder_note(f, "proxyd waits for it in vain: `netsetup status` "
			       "shows what is missing");
	return hop_is_local(&hop);
}

static void
note_settings(struct finder *f, const struct packet *p)
{
	int filter, marks;

	if (p->to.addr.family != AF_INET)
		return;
	filter = finder_effective(f, "rp_filter", p->iif);
	marks = finder_effective(f, "src_valid_mark", p->iif);
	finder_note(f,
		    "rp_filter %d, src_valid_mark %d (the greater of all "
		    "and %s)",
		    filter, marks, p->iif);
}

/* A server on this box answers: what is for others leaves by the network. */
static bool
stays_here(struct finder *f, const struct packet *p)
{
	struct hop_query q = {.from = p->from.addr, .to = p->to.addr};
	struct hop hop = finder_route(f, &q);

	if (hop_is_local(&hop))
		return true;
	finder_step(f, "routing", "%s", finder_hop_text(f, &hop));
	finder_note(f, "this box is the server, too: its answers go to the "
		       "client past proxyd; `source gateway` keeps them here");
	return false;
}

/*
 * true: proxyd gets it. What the box sends to itself comes in by `lo`, and
 * is not routed a second time there.
 */
static bool
write_answer(struct finder *f, const struct upstream *u)
{
	struct packet p = answer_packet(f, u);
	char from[ENDPOINT_TEXT_LEN], to[ENDPOINT_TEXT_LEN];
	bool own = hop_is_local(&u->hop);

	f->leg = "the server's answer";
	if (own && !stays_here(f, &p))
		return false;
	finder_step(f, "arrives", "by %s, from %s to %s", p.iif,
		    endpoint_format(&p.from, from), endpoint_format(&p.to, to));
	if (!own)
		note_settings(f, &p);
	if (finder_hook(f, NF_INET_PRE_ROUTING, WALK_ALIVE_NOW, &p, NULL) !=
	    WALK_END_PASSED)
		return false;
	if (!own && !comes_back(f, &p))
		return false;
	return finder_hook(f, NF_INET_LOCAL_IN, WALK_ALIVE_NOW, &p, NULL) ==
	       WALK_END_PASSED;
}

/*
 * proxyd's answer. Redirected, its source is put right after these hooks;
 * tproxied, its socket has that name, and the mark of such.
 */
static void
write_to_client(struct finder *f, const struct packet *taken)
{
	struct packet p = *taken;
	struct hop_query q = {.to = f->q->client.addr};
	char text[ENDPOINT_TEXT_LEN];
	struct hop hop;

	f->leg = "to the client";
	p.from = taken->to;
	p.to = f->q->client;
	p.tcp_flags = TH_SYN | TH_ACK;
	p.first = false;
	p.reply = true;
	p.iif = NULL;
	p.mark = p.tproxied ? policy_mark_tproxied(f->q->policy) : 0;
	q.mark = p.mark;
	hop = finder_route(f, &q);
	p.oif = arena_strdup(f->arena, hop.oif);
	finder_step(f, "routing", "%s", finder_hop_text(f, &hop));
	finder_hook(f, NF_INET_LOCAL_OUT, WALK_ALIVE_NOW, &p, NULL);
	finder_step(f, "leaves", "as if from %s",
		    endpoint_format(&f->q->server, text));
}

/* --- nodes ------------------------------------------------------------------
 */

/* The other nodes of a pool: a line each. */
static void
write_others(struct finder *f, const struct policy_pool *pool, size_t first)
{
	struct upstream u;
	char text[ENDPOINT_TEXT_LEN];
	struct endpoint target;
	size_t i, shown = 0;

	f->leg = "other nodes";
	for (i = 0; i < pool->n_nodes; i++) {
		target = node_target(f, &pool->nodes[i]);
		if (i == first || mixes_families(f, &target))
			continue;
		if (shown++ == NODES_SHOWN_MAX) {
			finder_step(f, "...", "and more");
			return;
		}
		u = find_upstream(f, target);
		finder_step(f, "proxyd", "connects to %s from %s",
			    endpoint_format(&target, text),
			    source_text(f, &u.packet));
		finder_note(f, "%s", finder_hop_text(f, &u.hop));
	}
}

/* The first node that this pool can use, or n_nodes. */
static size_t
first_node(const struct finder *f, const struct policy_pool *pool)
{
	struct endpoint target;
	size_t i;

	for (i = 0; i < pool->n_nodes; i++) {
		target = node_target(f, &pool->nodes[i]);
		if (!mixes_families(f, &target))
			break;
	}
	return i;
}

static void
sum_up_captured(struct finder *f, const struct policy_pool *pool)
{
	struct way *w = f->way;

	finder_sum_up(f, "captured by service %s, proxied to %s from %s%s",
		      w->service->name, w->upstream, w->source,
		      pool->n_nodes > 1 ? ", or another node" : "");
	if (!w->alive)
		finder_sum_up(f, "but not now: proxyd is not alive for it");
	if (w->broken)
		finder_sum_up(f, "but it cannot work: see `%s`", f->leg);
}

void
upleg_follow(struct finder *f, const struct packet *taken)
{
	const struct policy_pool *pool = f->way->service->pool;
	size_t node = first_node(f, pool);
	char text[ENDPOINT_TEXT_LEN];
	struct endpoint target;
	struct upstream u;

	if (node == pool->n_nodes) {
		f->way->broken = true;
		f->way->upstream = "nowhere";
		f->way->source = "no address: no node is of that family";
		sum_up_captured(f, pool);
		return;
	}
	target = node_target(f, &pool->nodes[node]);
	u = find_upstream(f, target);
	f->way->upstream =
		arena_strdup(f->arena, endpoint_format(&target, text));
	f->way->source = source_text(f, &u.packet);
	f->way->broken = write_upstream(f, &u) != WALK_END_PASSED ||
			 !write_answer(f, &u);
	sum_up_captured(f, pool);
	if (!f->way->broken)
		write_to_client(f, taken);
	if (pool->n_nodes > 1)
		write_others(f, pool, node);
}
