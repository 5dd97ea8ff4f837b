/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every packet that the box sends passes this chain. A few heartbeats are a
 * rule each; more of them are looked up in a map, by what they carry, so that
 * all others leave after one rule.
 */
#include "netsetup/state/heartbeat.h"

#include <linux/netfilter.h>
#include <string.h>

#include "lib/arena.h"

enum {
	PRIORITY_HEARTBEAT = -500,
	RULES_MAX = 4, /* beyond these, a map */
};

static const char front[] = "heartbeat";

/* What is being made. */
struct beats {
	struct draft *d;
	const struct policy *p;
	bool mapped;
	struct kelem *elems; /* of the map */
	size_t n;
};

static size_t
count_services(const struct policy *p)
{
	size_t i, n = 0;

	for (i = 0; i < p->n_services; i++)
		n += p->services[i].n_intercepts > 0;
	return n;
}

static void
match_lo(struct beats *b)
{
	const struct policy *p = b->p;

	rule_oifname(&b->d->rule, "lo");
	rule_mark_is(&b->d->rule, p->gateway.mark_mask,
		     policy_mark_tproxied(p));
}

static void
lead_to(struct beats *b, uint64_t digest, const char *chain)
{
	struct kelem *e = &b->elems[b->n++];
	int i;

	for (i = 0; i < 8; i++)
		e->low[i] = (uint8_t)(digest >> (56 - 8 * i));
	memcpy(e->high, e->low, sizeof(e->high));
	e->verdict = NFT_GOTO;
	e->chain = chain;
}

/*
 * Begin the rule for what carries `digest`. Returns its chain: the front
 * one, or one to which the map leads.
 */
static const char *
begin_beat(struct beats *b, uint64_t digest, const char *name,
	   struct place place)
{
	const char *chain;

	if (!b->mapped) {
		match_lo(b);
		rule_heartbeat(&b->d->rule, digest);
		return front;
	}
	chain = arena_printf(b->d->arena, "%s.%s", front, name);
	draft_chain(b->d, chain, place);
	lead_to(b, digest, chain);
	return chain;
}

static void
end_beat(struct beats *b, const char *chain, struct place place,
	 const char *name)
{
	rule_counter(&b->d->rule);
	rule_drop(&b->d->rule);
	draft_rule(b->d, chain, place, name);
}

static void
add_beat(struct beats *b, const struct policy_service *s)
{
	char alive[POLICY_ALIVE_SET_LEN];
	const char *chain =
		begin_beat(b, policy_alive_digest(s), s->name, s->place);

	rule_renew(&b->d->rule, policy_alive_set(s, alive),
		   b->p->gateway.alive_timeout_ms);
	end_beat(b, chain, s->place, s->name);
}

static void
add_probe(struct beats *b, const struct cause *cause)
{
	/* no service has a dot in its name */
	const char *chain = begin_beat(b, policy_return_path_digest(b->p),
				       "return.path", cause->place);

	end_beat(b, chain, cause->place, cause->name);
}

static void
add_map(struct beats *b)
{
	struct place place = b->p->gateway.place;
	const char *map;

	map = draft_map(b->d, "heartbeats", KSET_HEARTBEAT, b->elems, b->n,
			place, "gateway");
	match_lo(b);
	rule_heartbeat_vmap(&b->d->rule, map);
	draft_rule(b->d, front, place, "gateway");
}

void
heartbeat_add(struct draft *d, const struct policy *p,
	      const struct cause *cause)
{
	size_t n = count_services(p) + (cause != NULL), i;
	struct beats b = {.d = d, .p = p, .mapped = n > RULES_MAX};

	b.elems = arena_calloc(d->arena, n + 1, sizeof(*b.elems));
	draft_base_chain(d, front, "filter", NF_INET_LOCAL_OUT,
			 PRIORITY_HEARTBEAT, p->gateway.place);
	for (i = 0; i < p->n_services; i++) {
		if (p->services[i].n_intercepts > 0)
			add_beat(&b, &p->services[i]);
	}
	if (cause)
		add_probe(&b, cause);
	if (b.mapped)
		add_map(&b);
}
