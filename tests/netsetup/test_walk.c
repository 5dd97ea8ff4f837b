/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What single rules do with a packet, and what is said of those that do not
 * hold; jumps, maps, order of chains; the rules that are really there.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <string.h>

#include "lib/arena.h"
#include "policy/policy.h"

#include "netsetup/explain/inforce.h"
#include "netsetup/explain/walk.h"
#include "netsetup/state/draft.h"
#include "netsetup/state/rule.h"
#include "netsetup/state/settle.h"
#include "tests/unit.h"

struct scene {
	struct arena *arena;
	struct kstate state;
	struct draft draft;
	struct packet packet;
	struct walk_rules rules;
	struct walk_trace trace;
};

static const struct place here = {.file = "dir/p.conf", .line = 7};

/* A client's SYN that came in by in0; chains `pre` and, at -300, `raw`. */
static void
begin(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->arena = arena_new();
	draft_init(&s->draft, s->arena, &s->state);
	draft_base_chain(&s->draft, "pre", "filter", NF_INET_PRE_ROUTING, 0,
			 here);
	draft_base_chain(&s->draft, "raw", "filter", NF_INET_PRE_ROUTING, -300,
			 here);
	draft_chain(&s->draft, "sub", here);
	draft_chain(&s->draft, "deep", here);
	s->packet.protocol = IPPROTO_TCP;
	s->packet.tcp_flags = TH_SYN;
	endpoint_parse("10.1.0.2:40000", &s->packet.from);
	endpoint_parse("10.2.0.2:80", &s->packet.to);
	s->packet.iif = "in0";
	s->packet.fib_type = RTN_UNICAST;
	s->packet.fib_oif = "out0";
	s->packet.first = true;
	s->packet.mark = 0x40;
	s->rules.wanted = &s->state;
}

static void
end(struct scene *s)
{
	arena_free(s->arena);
}

/* Ends the draft; it counts, so that all of its matches matter. */
static void
rule(struct scene *s, const char *chain)
{
	draft_rule(&s->draft, chain, here, "test");
}

static enum walk_end
walk(struct scene *s)
{
	s->trace = (struct walk_trace){.arena = s->arena};
	return walk_hook(&s->rules, NF_INET_PRE_ROUTING, &s->packet, &s->trace);
}

/* The rule in `pre` that was just begun drops the packet: does it? */
static void
holds(struct scene *s, bool want, const char *why)
{
	const struct walk_step *last;
	enum walk_end got;

	rule_drop(&s->draft.rule);
	rule(s, "pre");
	got = walk(s);
	last = &s->trace.steps[s->trace.n - 1];
	UNIT_CHECK(got == (want ? WALK_END_DROPPED : WALK_END_PASSED), "%s",
		   s->state.rules[0].text);
	UNIT_STRINGS(last->why ? last->why : "", why);
	s->state.n_rules = 0;
}

#define HOLDS(s, match) ((match), holds((s), true, ""))
#define FAILS(s, match, why) ((match), holds((s), false, (why)))

static void
test_interfaces(void)
{
	struct scene s;
	struct rule *r = &s.draft.rule;

	begin(&s);
	HOLDS(&s, rule_iifname(r, "in0", false));
	HOLDS(&s, rule_iifname(r, "in", true));
	FAILS(&s, rule_iifname(r, "in", false),
	      "iifname \"in0\" is not \"in\"");
	FAILS(&s, rule_iifname(r, "eth", true),
	      "iifname \"in0\" is not \"eth*\"");
	FAILS(&s, rule_oifname(r, "lo"), "there is no such thing in it");
	HOLDS(&s, rule_route_leaves_by(r, "out0", false));
	FAILS(&s, rule_route_leaves_by(r, "ppp", true),
	      "fib daddr oifname \"out0\" is not \"ppp*\"");
	HOLDS(&s, rule_destination_is(r, RTN_UNICAST));
	FAILS(&s, rule_destination_is(r, RTN_LOCAL),
	      "fib daddr type unicast is not local");
	end(&s);
}

static void
test_addresses(void)
{
	struct scene s;
	struct rule *r = &s.draft.rule;
	struct prefix near, far, odd;

	begin(&s);
	prefix_parse("10.0.0.0/8", &near);
	prefix_parse("10.2.0.3", &far);
	prefix_parse("10.128.0.0/9", &odd);
	HOLDS(&s, rule_addr(r, RULE_SOURCE, &near));
	FAILS(&s, rule_addr(r, RULE_DESTINATION, &far),
	      "ip daddr 10.2.0.2 is not 10.2.0.3");
	FAILS(&s, rule_addr(r, RULE_SOURCE, &odd),
	      "ip saddr 10.1.0.2 is not 10.128.0.0/9");
	HOLDS(&s, rule_family(r, AF_INET));
	FAILS(&s, rule_family(r, AF_INET6), "meta nfproto ipv4 is not ipv6");
	endpoint_parse("[fd01::2]:40000", &s.packet.from);
	endpoint_parse("[fd02::2]:80", &s.packet.to);
	prefix_parse("fd00::/7", &odd);
	HOLDS(&s, rule_addr(r, RULE_SOURCE, &odd));
	FAILS(&s, rule_addr(r, RULE_SOURCE, &near),
	      "meta nfproto ipv6 is not ipv4");
	end(&s);
}

static void
test_ports(void)
{
	struct scene s;
	struct rule *r = &s.draft.rule;
	const struct port_range few = {80, 89}, high = {90, 99}, low = {1, 79};

	begin(&s);
	HOLDS(&s, rule_port(r, IPPROTO_TCP, RULE_DESTINATION, &few));
	FAILS(&s, rule_port(r, IPPROTO_TCP, RULE_DESTINATION, &high),
	      "tcp dport 80 is below 90");
	FAILS(&s, rule_port(r, IPPROTO_TCP, RULE_DESTINATION, &low),
	      "tcp dport 80 is above 79");
	FAILS(&s, rule_port(r, IPPROTO_TCP, RULE_SOURCE, &low),
	      "tcp sport 40000 is above 79");
	FAILS(&s, rule_port(r, IPPROTO_UDP, RULE_DESTINATION, &few),
	      "meta l4proto tcp is not udp");
	HOLDS(&s, rule_syn(r));
	HOLDS(&s, rule_not_rst(r));
	s.packet.tcp_flags = TH_RST;
	FAILS(&s, rule_not_rst(r), "its tcp flags differ");
	end(&s);
}

/* Conntrack's values are there only after conntrack. */
static void
test_conntrack(void)
{
	struct scene s;
	struct rule *r = &s.draft.rule;

	begin(&s);
	FAILS(&s, rule_ct_direction(r, true),
	      "ct direction original is not reply");
	FAILS(&s, rule_ct_dnat(r, true), "it was not redirected");
	s.packet.reply = true;
	s.packet.ct_mark = 0x2001;
	s.packet.ct_status = PACKET_STATUS_DNAT;
	s.packet.zone_reply = 9062;
	HOLDS(&s, rule_ct_direction(r, true));
	HOLDS(&s, rule_ct_mark_is(r, 0x3000, 0x2000));
	FAILS(&s, rule_ct_mark_is(r, 0x3000, 0x1000),
	      "ct mark 0x00002000 is not 0x00001000");
	FAILS(&s, rule_ct_dnat(r, false), "it was redirected");
	HOLDS(&s, rule_ct_reply_zone(r, 9062));
	FAILS(&s, rule_ct_reply_zone(r, 9061), "ct zone 9062 is not 9061");
	rule_ct_direction(r, true);
	rule_drop(r);
	rule(&s, "raw");
	UNIT_CHECK(walk(&s) == WALK_END_PASSED, "before conntrack");
	UNIT_STRINGS(s.trace.steps[0].why, "conntrack has not seen it yet");
	s.state.n_rules = 0;
	rule_notrack(r);
	rule(&s, "raw");
	FAILS(&s, rule_ct_direction(r, true), "conntrack has not seen it yet");
	end(&s);
}

static void
test_sockets(void)
{
	struct scene s;
	struct rule *r = &s.draft.rule;

	begin(&s);
	FAILS(&s, rule_transparent(r), "it belongs to no socket of this box");
	s.packet.socket = true;
	s.packet.socket_mark = 0x2000;
	FAILS(&s, rule_transparent(r), "socket transparent 0 is not 1");
	FAILS(&s, rule_wildcard(r), "socket wildcard 0 is not 1");
	s.packet.transparent = true;
	HOLDS(&s, rule_transparent(r));
	HOLDS(&s, rule_socket_mark(r, true, 0x3000, 0x2000));
	FAILS(&s, rule_socket_mark(r, false, 0x3000, 0x2000),
	      "socket mark 0x00002000 is 0x00002000");
	end(&s);
}

/* Marks of others stay; zones know directions. */
static void
test_changes(void)
{
	struct scene s;
	struct rule *r = &s.draft.rule;

	begin(&s);
	rule_set_mark(r, 0x3000, 0x1000);
	rule(&s, "pre");
	rule_set_ct_mark(r, 0x3000, 0x2000);
	rule(&s, "pre");
	rule_set_zone(r, KEXPR_DIR_REPLY, 9062);
	rule(&s, "raw");
	UNIT_CHECK(walk(&s) == WALK_END_PASSED, "passes");
	UNIT_CHECK(s.packet.mark == 0x1040, "mark %x", s.packet.mark);
	UNIT_CHECK(s.packet.ct_mark == 0x2000, "ct mark %x", s.packet.ct_mark);
	UNIT_CHECK(s.packet.zone == 0 && s.packet.zone_reply == 9062,
		   "zones %u %u", s.packet.zone, s.packet.zone_reply);
	UNIT_CHECK(s.trace.n == 3, "%zu steps", s.trace.n);
	UNIT_STRINGS(s.trace.steps[0].chain, "raw"); /* first by priority */
	UNIT_CHECK(s.trace.steps[1].did == WALK_DID_CHANGE, "%s",
		   walk_did_name(s.trace.steps[1].did));
	end(&s);
}

/* Redirected: to the box's own address, and the chain is over. */
static void
test_redirect(void)
{
	struct scene s;
	struct rule *r = &s.draft.rule;

	begin(&s);
	draft_base_chain(&s.draft, "nat", "nat", NF_INET_PRE_ROUTING, -100,
			 here);
	addr_parse("10.1.0.1", &s.packet.local);
	rule_redirect(r, 16001);
	rule(&s, "nat");
	rule_drop(r);
	rule(&s, "nat");
	UNIT_CHECK(walk(&s) == WALK_END_PASSED, "not dropped");
	UNIT_CHECK(s.packet.to.port == 16001 &&
			   addr_equal(&s.packet.to.addr, &s.packet.local),
		   "port %u", s.packet.to.port);
	UNIT_CHECK(s.packet.ct_status == PACKET_STATUS_DNAT, "status");
	s.packet.first = false; /* NAT looks at first packets only */
	s.packet.to.port = 80;
	walk(&s);
	UNIT_CHECK(s.packet.to.port == 80, "later packets");
	end(&s);
}

/* Without a listener tproxy breaks off, and the next rule is asked. */
static void
test_tproxy(void)
{
	struct scene s;
	struct rule *r = &s.draft.rule;
	int i;

	begin(&s);
	rule_l4(r, IPPROTO_TCP);
	rule_tproxy(r, 16001);
	rule_set_mark(r, 0x3000, 0x1000);
	rule_accept(r);
	rule(&s, "raw");
	rule_drop(r);
	rule(&s, "raw");
	for (i = 0; i < 2; i++) {
		s.packet.listens = i;
		UNIT_CHECK(walk(&s) == (i ? WALK_END_PASSED : WALK_END_DROPPED),
			   "listens %d", i);
		UNIT_CHECK(s.packet.tproxied == (i ? 16001 : 0), "port %u",
			   s.packet.tproxied);
	}
	UNIT_CHECK(s.packet.mark == 0x1040, "mark %x", s.packet.mark);
	UNIT_CHECK(s.trace.steps[0].did == WALK_DID_TPROXY, "%s",
		   walk_did_name(s.trace.steps[0].did));
	end(&s);
}

/* A jump comes back behind itself, a goto behind the jump before it. */
static void
test_jumps(void)
{
	struct scene s;
	struct rule *r = &s.draft.rule;

	begin(&s);
	rule_jump(r, "sub");
	rule(&s, "pre");
	rule_set_mark(r, 0xf, 0x1);
	rule(&s, "pre");
	rule_goto(r, "deep");
	rule(&s, "sub");
	rule_drop(r);
	rule(&s, "sub");
	rule_return(r);
	rule(&s, "deep");
	rule_drop(r);
	rule(&s, "deep");
	UNIT_CHECK(walk(&s) == WALK_END_PASSED, "neither drop is reached");
	UNIT_CHECK(s.packet.mark == 0x41, "back in pre: %x", s.packet.mark);
	UNIT_CHECK(s.trace.n == 5, "%zu steps", s.trace.n);
	UNIT_STRINGS(s.trace.steps[1].target, "sub");
	UNIT_STRINGS(s.trace.steps[3].chain, "deep");
	UNIT_CHECK(s.trace.steps[3].did == WALK_DID_RETURN, "%s",
		   walk_did_name(s.trace.steps[3].did));
	end(&s);
}

/* One that calls itself ends: the kernel would not have taken it. */
static void
test_endless(void)
{
	struct scene s;

	begin(&s);
	rule_jump(&s.draft.rule, "sub");
	rule(&s, "pre");
	rule_jump(&s.draft.rule, "sub");
	rule(&s, "sub");
	UNIT_CHECK(walk(&s) == WALK_END_DROPPED, "ends");
	end(&s);
}

static struct kelem
port_elem(unsigned int low, unsigned int high, int verdict, const char *chain)
{
	struct kelem e = {
		.low = {(uint8_t)(low >> 8), (uint8_t)low},
		.high = {(uint8_t)(high >> 8), (uint8_t)high},
		.verdict = verdict,
		.chain = chain,
	};

	return e;
}

/* A map's chain is named by what it is for; where it has nothing: go on. */
static void
test_maps(void)
{
	struct scene s;
	struct rule *r = &s.draft.rule;
	struct kelem elems[2];

	begin(&s);
	elems[0] = port_elem(80, 89, NFT_JUMP, "sub");
	elems[1] = port_elem(443, 443, NF_DROP, NULL);
	draft_map(&s.draft, "m", KSET_PORT, elems, 2, here, "test");
	rule_port_vmap(r, IPPROTO_TCP, RULE_DESTINATION, "m");
	rule(&s, "pre");
	rule_set_mark(r, 0xf, 0x1);
	rule(&s, "sub");
	UNIT_CHECK(walk(&s) == WALK_END_PASSED, "80");
	UNIT_CHECK(s.packet.mark == 0x41, "in sub: %x", s.packet.mark);
	UNIT_STRINGS(s.trace.steps[1].element, "80");
	UNIT_STRINGS(s.trace.steps[1].target, "sub");
	s.packet.to.port = 443;
	UNIT_CHECK(walk(&s) == WALK_END_DROPPED, "443");
	s.packet.to.port = 444;
	UNIT_CHECK(walk(&s) == WALK_END_PASSED, "444");
	UNIT_STRINGS(s.trace.steps[1].why, "tcp dport 444 is not in @m");
	end(&s);
}

/* What packets put in sets: as it is, or as it is supposed to be. */
static void
test_alive(void)
{
	static const struct {
		enum walk_alive alive;
		bool there;
		bool want;
	} table[] = {
		{WALK_ALIVE_NOW, false, false},
		{WALK_ALIVE_NOW, true, true},
		{WALK_ALIVE_YES, false, true},
		{WALK_ALIVE_NO, true, false},
	};
	struct kelem ipv4 = {.low = {NFPROTO_IPV4}, .high = {NFPROTO_IPV4}};
	struct kset set = {.name = "alive", .type = KSET_FAMILY};
	struct kstate contents = {.sets = &set, .n_sets = 1};
	struct scene s;
	size_t i;

	begin(&s);
	set.elems = &ipv4;
	draft_alive_set(&s.draft, "alive", here, "test");
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		set.n_elems = table[i].there;
		s.rules.contents = table[i].there ? &contents : NULL;
		s.rules.alive = table[i].alive;
		rule_family_in(&s.draft.rule, "alive");
		holds(&s, table[i].want,
		      table[i].want ? ""
				    : "meta nfproto ipv4 is not in @alive");
	}
	end(&s);
}

/*
 * Time empties this one, but not packets fill it: no proxyd is supposed. That
 * a rule is for later packets is no reason why a first one is not captured.
 */
static void
test_settling(void)
{
	struct kelem ipv4 = {.low = {NFPROTO_IPV4}, .high = {NFPROTO_IPV4}};
	struct kset now = {.name = SETTLE_SET, .type = KSET_FAMILY};
	struct kstate contents = {.sets = &now, .n_sets = 1};
	struct scene s;

	begin(&s);
	now.elems = &ipv4;
	now.n_elems = 1;
	settle_add(&s.draft, "pre", FAMILY_IPV4 | FAMILY_IPV6, here);
	s.rules.contents = &contents;
	UNIT_CHECK(walk(&s) == WALK_END_PASSED, "SYN");
	UNIT_CHECK(s.trace.steps[1].did == WALK_DID_MISS, "SYN");
	UNIT_CHECK(s.trace.steps[1].why == NULL, "SYN");
	s.packet.tcp_flags = TH_ACK;
	walk(&s);
	UNIT_CHECK(s.trace.steps[1].did == WALK_DID_ACCEPT, "ACK");
	s.rules.contents = NULL;
	s.rules.alive = WALK_ALIVE_YES;
	walk(&s);
	UNIT_CHECK(s.trace.steps[1].did == WALK_DID_MISS, "settled");
	UNIT_STRINGS(s.trace.steps[1].why,
		     "meta nfproto ipv4 is not in @" SETTLE_SET);
	end(&s);
}

/* Only pairs of the packet's own are asked for: the caller knows. */
static void
test_pairs(void)
{
	struct scene s;

	begin(&s);
	draft_timed_set(&s.draft, "pairs", KSET_IPV4_PAIR, 16, here, "test");
	FAILS(&s, rule_pair_in(&s.draft.rule, AF_INET, "pairs"),
	      "ip saddr . ip daddr 10.1.0.2 . 10.2.0.2 is not in @pairs");
	s.rules.bypassed = true;
	HOLDS(&s, rule_pair_in(&s.draft.rule, AF_INET, "pairs"));
	end(&s);
}

/* Of the rules that do not hold the one that comes nearest is named. */
static void
test_nearest(void)
{
	struct scene s;
	struct rule *r = &s.draft.rule;
	const struct port_range web = {81, 81};

	begin(&s);
	rule_iifname(r, "in0", false);
	rule_port(r, IPPROTO_TCP, RULE_DESTINATION, &web);
	rule_drop(r);
	rule(&s, "pre");
	rule_iifname(r, "eth7", false);
	holds(&s, false, "tcp dport 80 is not 81");
	end(&s);
}

/* Of two chains of one priority the kernel asks the later one first. */
static void
test_order(void)
{
	struct scene s;

	begin(&s);
	draft_base_chain(&s.draft, "later", "filter", NF_INET_PRE_ROUTING, 0,
			 here);
	rule_accept(&s.draft.rule);
	rule(&s, "pre");
	rule_accept(&s.draft.rule);
	rule(&s, "later");
	walk(&s);
	UNIT_CHECK(s.trace.n == 3, "%zu steps", s.trace.n);
	UNIT_STRINGS(s.trace.steps[1].chain, "later");
	UNIT_STRINGS(s.trace.steps[2].chain, "pre");
	end(&s);
}

/* Rules that are there, unknown or edited ones left out, in their order. */
static void
test_inforce(void)
{
	struct scene s;
	struct kstate there, known;
	struct krule rules[4] = {0};
	size_t unknown, i;

	begin(&s);
	rule_drop(&s.draft.rule);
	rule(&s, "pre");
	rule_accept(&s.draft.rule);
	rule(&s, "pre");
	for (i = 0; i < 4; i++) {
		rules[i].chain = "pre";
		rules[i].digest = s.state.rules[i == 0].digest;
	}
	rules[2].digest = 0;
	rules[3].edited = true;
	there = s.state;
	there.rules = rules;
	there.n_rules = 4;
	known = inforce(&s.state, &there, s.arena, &unknown);
	UNIT_CHECK(unknown == 2 && known.n_rules == 2, "%zu, %zu", unknown,
		   known.n_rules);
	UNIT_STRINGS(known.rules[0].text, "accept");
	UNIT_STRINGS(known.rules[1].text, "drop");
	s.rules.wanted = &known;
	UNIT_CHECK(walk(&s) == WALK_END_PASSED, "accept stands first");
	end(&s);
}

static const struct unit_test tests[] = {
	{"interfaces", test_interfaces},
	{"addresses", test_addresses},
	{"ports", test_ports},
	{"conntrack", test_conntrack},
	{"sockets", test_sockets},
	{"changes", test_changes},
	{"redirect", test_redirect},
	{"tproxy", test_tproxy},
	{"jumps", test_jumps},
	{"endless", test_endless},
	{"maps", test_maps},
	{"alive", test_alive},
	{"settling", test_settling},
	{"pairs", test_pairs},
	{"nearest", test_nearest},
	{"order", test_order},
	{"inforce", test_inforce},
};

UNIT_MAIN("walk", tests)
