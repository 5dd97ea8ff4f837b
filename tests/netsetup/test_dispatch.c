/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does the tree of chains do what the list does? Rules and packets come by
 * chance, always the same; each packet must meet the same rules that match
 * it, in the same order. The rules' own matches are not looked at here, only
 * what dispatch() is told of them; the maps are read as the kernel reads them.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/state/diff.h"
#include "netsetup/state/dispatch.h"
#include "tests/unit.h"

enum { ROUNDS = 3000, PACKETS = 60, RULES_MAX = 90, MET_MAX = 256 };

static const struct place nowhere;

struct packet {
	uint8_t l4;
	int family;
	uint16_t port;
	struct addr from, to;
	char iface[KELEM_LEN];
};

/* What a packet met: indices of rules that match it. */
struct met {
	size_t rules[MET_MAX];
	size_t n;
};

struct chance {
	uint32_t x;
};

static uint32_t
draw(struct chance *c, uint32_t n)
{
	c->x ^= c->x << 13;
	c->x ^= c->x >> 17;
	c->x ^= c->x << 5;
	return c->x % n;
}

/* --- rules by chance ------------------------------------------------------ */

static const char *const names[] = {"eth0", "eth1", "wan", "eth"};

/* Values near each other, so that keys touch, nest and overlap; and ends. */
static uint32_t
draw_value(struct chance *c)
{
	static const uint32_t ends[] = {0, 1, 0xfffe, 0xffff};

	return draw(c, 8) ? 100 + draw(c, 40) : ends[draw(c, 4)];
}

static void
put_value(uint8_t *out, uint32_t value, enum kset_type type)
{
	size_t len = kset_type_len(type);

	memset(out, 0, KELEM_LEN);
	if (type == KSET_PORT) {
		out[0] = (uint8_t)(value >> 8);
		out[1] = (uint8_t)value;
		return;
	}
	/* 0.0.0.0, 10.1.x.x, 255.255.255.255; likewise in 16 bytes */
	if (value >= 0xfffe) {
		memset(out, 0xff, len);
		out[len - 1] = (uint8_t)value;
	} else if (value > 1) {
		out[0] = 10;
		out[len - 1] = (uint8_t)value;
	} else {
		out[len - 1] = (uint8_t)value;
	}
}

static struct dispatch_keys
draw_keys(struct chance *c, struct arena *a, enum kset_type type)
{
	size_t n = 1 + draw(c, 3), i;
	struct kelem *list = arena_calloc(a, n, sizeof(*list));
	struct dispatch_keys keys = {.list = list};
	uint32_t low, high;

	for (i = 0; i < n; i++) {
		low = draw_value(c);
		high = draw(c, 3) ? low : draw_value(c);
		put_value(list[i].low, low < high ? low : high, type);
		put_value(list[i].high, low < high ? high : low, type);
	}
	keys.n = kset_normalise(list, n, type);
	return keys;
}

static struct policy_ifaces
draw_ifaces(struct chance *c, struct arena *a)
{
	size_t n = 1 + draw(c, 2), i;
	struct policy_iface *list = arena_calloc(a, n, sizeof(*list));
	struct policy_ifaces on = {.list = list, .n = n};

	for (i = 0; i < n; i++) {
		strcpy(list[i].name, names[draw(c, 4)]);
		list[i].wildcard = draw(c, 4) == 0;
	}
	return on;
}

/* `asks`: in one of so many cases a rule asks for addresses. */
static struct dispatch_rule
draw_rule(struct chance *c, struct draft *d, uint32_t asks)
{
	struct dispatch_rule r = {.families = FAMILY_BOTH};
	enum kset_type type = draw(c, 2) ? KSET_IPV4 : KSET_IPV6;

	r.l4 = draw(c, 5) == 0 ? IPPROTO_UDP : IPPROTO_TCP;
	if (draw(c, 12))
		r.ports = draw_keys(c, d->arena, KSET_PORT);
	else if (draw(c, 2))
		r.l4 = 0;
	if (draw(c, asks) == 0)
		r.from = draw_keys(c, d->arena, type);
	if (draw(c, asks) == 0)
		r.to = draw_keys(c, d->arena, type);
	if (r.from.n || r.to.n || draw(c, 6) == 0)
		r.families = type == KSET_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6;
	if (draw(c, asks) == 0)
		r.on = draw_ifaces(c, d->arena);
	rule_counter(&d->rule);
	r.rule = draft_finish(d, "front", nowhere, "x");
	return r;
}

/* --- what the kernel would do --------------------------------------------- */

static bool
has_key(const struct dispatch_keys *keys, const uint8_t *value)
{
	size_t i;

	for (i = 0; i < keys->n; i++) {
		if (memcmp(value, keys->list[i].low, KELEM_LEN) >= 0 &&
		    memcmp(value, keys->list[i].high, KELEM_LEN) <= 0)
			return true;
	}
	return keys->n == 0;
}

static bool
matches(const struct dispatch_rule *r, const struct packet *p)
{
	uint8_t port[KELEM_LEN];

	put_value(port, p->port, KSET_PORT);
	return (r->l4 == 0 || r->l4 == p->l4) &&
	       r->families &
		       (p->family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6) &&
	       has_key(&r->ports, port) && has_key(&r->from, p->from.bytes) &&
	       has_key(&r->to, p->to.bytes) &&
	       policy_iface_matches(&r->on, p->iface);
}

/* What is in the register after this load. */
static void
load(const struct kexpr *e, const struct packet *p, uint8_t *ret_value)
{
	bool v4 = p->family == AF_INET;

	memset(ret_value, 0, KELEM_LEN);
	if (e->kind == KEXPR_META && e->key == NFT_META_NFPROTO)
		ret_value[0] = v4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	else if (e->kind == KEXPR_META && e->key == NFT_META_L4PROTO)
		ret_value[0] = p->l4;
	else if (e->kind == KEXPR_META)
		memcpy(ret_value, p->iface, KELEM_LEN);
	else if (e->key == NFT_PAYLOAD_TRANSPORT_HEADER)
		put_value(ret_value, p->port, KSET_PORT);
	else if (e->offset == (v4 ? 12 : 8))
		memcpy(ret_value, p->from.bytes, e->len);
	else
		memcpy(ret_value, p->to.bytes, e->len);
}

/* The chain to which a map leads this packet, or NULL. */
static const char *
look_up(const struct kstate *s, const struct krule *rule,
	const struct packet *p)
{
	uint8_t value[KELEM_LEN] = {0};
	const struct kset *map;
	size_t i, k;

	for (i = 0; i < rule->n_exprs; i++) {
		const struct kexpr *e = &rule->exprs[i];

		if (e->kind == KEXPR_META || e->kind == KEXPR_PAYLOAD)
			load(e, p, value);
		if (e->kind == KEXPR_CMP && memcmp(value, e->data, e->len) != 0)
			return NULL;
		if (e->kind != KEXPR_VMAP)
			continue;
		map = kstate_set(s, e->name);
		for (k = 0; map && k < map->n_elems; k++) {
			if (memcmp(value, map->elems[k].low, KELEM_LEN) >= 0 &&
			    memcmp(value, map->elems[k].high, KELEM_LEN) <= 0)
				return map->elems[k].chain;
		}
	}
	return NULL;
}

struct scene {
	struct arena *arena;
	struct kstate state;
	struct draft draft;
	struct dispatch_rule rules[RULES_MAX];
	size_t n;
};

/* Which of the rules was copied? By its expressions, which are shared. */
static size_t
index_of(const struct scene *s, const struct krule *rule)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->rules[i].rule.exprs == rule->exprs)
			return i;
	}
	return RULES_MAX;
}

static void
walk_chain(const struct scene *s, const char *chain, const struct packet *p,
	   struct met *m)
{
	const struct krule *r;
	const char *next;
	size_t i, rule;

	for (i = 0; i < s->state.n_rules; i++) {
		r = &s->state.rules[i];
		if (strcmp(r->chain, chain) != 0)
			continue;
		rule = index_of(s, r);
		if (rule < RULES_MAX) {
			if (matches(&s->rules[rule], p) && m->n < MET_MAX)
				m->rules[m->n++] = rule;
		} else if (r->exprs[r->n_exprs - 1].kind == KEXPR_VMAP) {
			next = look_up(&s->state, r, p);
			if (next) {
				walk_chain(s, next, p, m);
				return; /* goto: not back to this chain */
			}
		} else {
			walk_chain(s, r->exprs[r->n_exprs - 1].name, p, m);
		}
	}
}

static void
walk_list(const struct scene *s, const struct packet *p, struct met *m)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (matches(&s->rules[i], p))
			m->rules[m->n++] = i;
	}
}

static void
draw_packet(struct chance *c, struct packet *p)
{
	static const uint8_t l4s[] = {IPPROTO_TCP, IPPROTO_TCP, IPPROTO_UDP,
				      IPPROTO_ICMP};
	enum kset_type type = draw(c, 2) ? KSET_IPV4 : KSET_IPV6;

	memset(p, 0, sizeof(*p));
	p->l4 = l4s[draw(c, 4)];
	p->family = type == KSET_IPV4 ? AF_INET : AF_INET6;
	p->port = (uint16_t)draw_value(c);
	put_value(p->from.bytes, draw_value(c), type);
	put_value(p->to.bytes, draw_value(c), type);
	strcpy(p->iface, draw(c, 5) ? names[draw(c, 4)] : "eth7");
}

static void
scene_init(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->arena = arena_new();
	draft_init(&s->draft, s->arena, &s->state);
	draft_base_chain(&s->draft, "front", "filter", NF_INET_PRE_ROUTING, 0,
			 nowhere);
}

static void
scene_build(struct scene *s)
{
	dispatch(&s->draft, "front", nowhere, "gateway", s->rules, s->n);
}

/* Names that are there twice, or lead nowhere, the kernel would refuse. */
static bool
is_sound(const struct kstate *s)
{
	size_t i, k;

	for (i = 0; i < s->n_chains; i++)
		if (kstate_chain(s, s->chains[i].name) != &s->chains[i])
			return false;
	for (i = 0; i < s->n_sets; i++) {
		if (kstate_set(s, s->sets[i].name) != &s->sets[i])
			return false;
		for (k = 0; k < s->sets[i].n_elems; k++)
			if (!kstate_chain(s, s->sets[i].elems[k].chain))
				return false;
	}
	return true;
}

/* One list of rules, many packets. Returns how many maps there were. */
static size_t
one_round(struct chance *c)
{
	uint32_t asks = 1 + draw(c, 6);
	struct met want, got;
	struct packet p;
	struct scene s;
	size_t i, maps, want_n = 1 + draw(c, RULES_MAX);
	bool same = true;

	scene_init(&s);
	while (s.n < want_n)
		s.rules[s.n++] = draw_rule(c, &s.draft, asks);
	scene_build(&s);
	for (i = 0; i < PACKETS && same; i++) {
		draw_packet(c, &p);
		memset(&want, 0, sizeof(want));
		memset(&got, 0, sizeof(got));
		walk_list(&s, &p, &want);
		walk_chain(&s, "front", &p, &got);
		same = want.n == got.n &&
		       !memcmp(want.rules, got.rules,
			       want.n * sizeof(want.rules[0]));
	}
	UNIT_CHECK(same, "%zu rules, packet %zu: meets %zu, not %zu", s.n, i,
		   got.n, want.n);
	UNIT_CHECK(is_sound(&s.state), "%zu rules: names", s.n);
	UNIT_CHECK(s.state.n_rules < 8 * s.n, "%zu rules became %zu", s.n,
		   s.state.n_rules);
	maps = s.state.n_sets;
	arena_free(s.arena);
	return maps;
}

static void
test_chance(void)
{
	struct chance c = {.x = 20260704};
	size_t trees = 0, i;

	for (i = 0; i < ROUNDS; i++)
		trees += one_round(&c) > 0;
	/* chance has not made them all alike */
	UNIT_CHECK(trees > ROUNDS / 5 && trees < ROUNDS / 2, "%zu trees",
		   trees);
}

/* --- how many are tried, and what one service more changes ---------------- */

enum { MANY = 1000, TRIED_MAX = 12 };

/* A third each: by port, by destination on one port, by source there. */
static struct dispatch_rule
one_of_many(struct draft *d, size_t i)
{
	struct kelem *key = arena_calloc(d->arena, 1, sizeof(*key));
	struct kelem *port = arena_calloc(d->arena, 1, sizeof(*port));
	struct dispatch_rule r = {.l4 = IPPROTO_TCP, .families = FAMILY_BOTH};
	size_t kind = 3 * i / MANY;
	uint16_t n = (uint16_t)(kind ? 443 : 1000 + i);

	*port = (struct kelem){.low = {(uint8_t)(n >> 8), (uint8_t)n}};
	memcpy(port->high, port->low, KELEM_LEN);
	*key = (struct kelem){.low = {10, (uint8_t)(i >> 8), (uint8_t)i, 7}};
	memcpy(key->high, key->low, KELEM_LEN);
	r.ports = (struct dispatch_keys){port, 1};
	if (kind)
		r.families = FAMILY_IPV4;
	if (kind == 1)
		r.to = (struct dispatch_keys){key, 1};
	if (kind == 2)
		r.from = (struct dispatch_keys){key, 1};
	rule_port(&d->rule, IPPROTO_TCP, RULE_DESTINATION,
		  &(struct port_range){n, n});
	rule_jump(&d->rule, arena_printf(d->arena, "service_%zu", i));
	r.rule = draft_finish(d, "front", nowhere, "x");
	return r;
}

static void
build_many(struct scene *s, struct dispatch_rule *rules, size_t without)
{
	size_t i, n = 0;

	scene_init(s);
	for (i = 0; i < MANY; i++) {
		if (i != without)
			rules[n++] = one_of_many(&s->draft, i);
	}
	dispatch(&s->draft, "front", nowhere, "gateway", rules, n);
}

static size_t longest(const struct kstate *s, const char *chain);

/* Beyond a rule that is a map, or leads to a part: the worst that may come. */
static size_t
beyond(const struct kstate *s, const struct krule *r)
{
	const struct kexpr *last = &r->exprs[r->n_exprs - 1];
	const struct kset *map;
	size_t k, n, most = 0;

	if (last->kind == KEXPR_VERDICT && strstr(last->name, ".part"))
		return longest(s, last->name);
	if (last->kind != KEXPR_VMAP)
		return 0;
	map = kstate_set(s, last->name);
	for (k = 0; k < map->n_elems; k++) {
		n = longest(s, map->elems[k].chain);
		most = n > most ? n : most;
	}
	return most;
}

/* The most rules and maps that a packet can meet on its way. */
static size_t
longest(const struct kstate *s, const char *chain)
{
	size_t i, n, tried = 0, most = 0;

	for (i = 0; i < s->n_rules; i++) {
		const struct krule *r = &s->rules[i];

		if (strcmp(r->chain, chain) != 0)
			continue;
		n = beyond(s, r);
		tried++;
		if (r->exprs[r->n_exprs - 1].kind != KEXPR_VMAP)
			tried += n; /* it comes back */
		else if (tried + n > most)
			most = tried + n;
	}
	return tried > most ? tried : most;
}

static void
test_many(void)
{
	struct dispatch_rule *rules = calloc(MANY, sizeof(*rules));
	struct scene *s = malloc(sizeof(*s));
	size_t n;

	build_many(s, rules, MANY);
	n = longest(&s->state, "front");
	UNIT_CHECK(n <= TRIED_MAX, "%zu rules are tried", n);
	UNIT_CHECK(s->state.n_rules < 2 * MANY, "%zu rules", s->state.n_rules);
	arena_free(s->arena);
	free(s);
	free(rules);
}

static size_t
count_changes(size_t without)
{
	struct dispatch_rule *rules = calloc(MANY, sizeof(*rules));
	struct scene *was = malloc(sizeof(*was)), *is = malloc(sizeof(*is));
	size_t n;

	build_many(was, rules, without);
	build_many(is, rules, MANY);
	n = diff(&was->state, &is->state, is->arena).n;
	arena_free(was->arena);
	arena_free(is->arena);
	free(was);
	free(is);
	free(rules);
	return n;
}

/* A service more leaves the chains of the others as they are. */
static void
test_one_more(void)
{
	size_t third = MANY / 3, n, i;

	for (i = 0; i < 3; i++) {
		n = count_changes(i * third + 100);
		/* its chain and rule; the map and its user */
		UNIT_CHECK(n == 4, "%zu changes", n);
	}
}

static const struct unit_test tests[] = {
	{"chance", test_chance},
	{"many", test_many},
	{"one_more", test_one_more},
};

UNIT_MAIN("dispatch", tests)
