/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Digests and comments of rules, elements of sets, and their text.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/state/draft.h"
#include "netsetup/state/kstate.h"
#include "tests/unit.h"

static struct kelem
ports(unsigned int low, unsigned int high)
{
	struct kelem e = {
		.low = {(uint8_t)(low >> 8), (uint8_t)low},
		.high = {(uint8_t)(high >> 8), (uint8_t)high},
	};

	return e;
}

static struct kelem
addrs(const char *low, const char *high)
{
	struct kelem e = {0};
	int family = strchr(low, ':') ? AF_INET6 : AF_INET;

	inet_pton(family, low, e.low);
	inet_pton(family, high, e.high);
	return e;
}

/* The set of these elements, as text. */
static void
check_set(struct kelem *elems, size_t n, enum kset_type type, const char *want)
{
	struct kset set = {.name = "s", .type = type, .elems = elems};
	struct str text = {0};

	set.n_elems = kset_normalise(elems, n, type);
	kset_format(&set, &text);
	UNIT_STRINGS(str_text(&text), want);
	str_fini(&text);
}

static void
test_normalise(void)
{
	struct kelem e[4];

	e[0] = ports(443, 443);
	e[1] = ports(80, 80);
	check_set(e, 2, KSET_PORT, "s { 80, 443 }");
	e[0] = ports(82, 90);
	e[1] = ports(80, 81);	/* touches */
	e[2] = ports(85, 100);	/* overlaps */
	e[3] = ports(102, 102); /* one apart */
	check_set(e, 4, KSET_PORT, "s { 80-100, 102 }");
	e[0] = ports(1, 65535);
	e[1] = ports(65535, 65535);
	check_set(e, 2, KSET_PORT, "s { 1-65535 }");
	e[0] = addrs("10.0.0.0", "10.127.255.255");
	e[1] = addrs("10.128.0.0", "10.255.255.255");
	check_set(e, 2, KSET_IPV4, "s { 10.0.0.0/8 }");
	e[0] = addrs("0.0.0.0", "255.255.255.255");
	e[1] = addrs("255.255.255.255", "255.255.255.255");
	check_set(e, 2, KSET_IPV4, "s { 0.0.0.0/0 }");
	e[0] = addrs("192.168.7.0", "192.168.7.255");
	e[1] = addrs("10.0.0.1", "10.0.0.3");
	e[2] = addrs("10.0.0.9", "10.0.0.9");
	check_set(e, 3, KSET_IPV4,
		  "s { 10.0.0.1-10.0.0.3, 10.0.0.9, 192.168.7.0/24 }");
	e[0] = addrs("fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	e[1] = addrs("2001:db8::1", "2001:db8::1");
	check_set(e, 2, KSET_IPV6, "s { 2001:db8::1, fd00::/8 }");
}

/* Names are not numbers: those that follow each other stay two. */
static void
test_names(void)
{
	struct kelem e[3];

	memset(e, 0, sizeof(e));
	strcpy((char *)e[0].low, "eth1");
	strcpy((char *)e[1].low, "eth0");
	strcpy((char *)e[2].low, "eth1");
	check_set(e, 3, KSET_IFNAME, "s { \"eth0\", \"eth1\" }");
}

static void
test_long_set(void)
{
	struct kelem e[100];
	size_t i;

	for (i = 0; i < 100; i++)
		e[i] = ports(2 * (unsigned int)i + 1, 2 * (unsigned int)i + 1);
	check_set(e, 100, KSET_PORT,
		  "s { 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, and 88 more "
		  "}");
}

static void
lead(struct kelem *e, int verdict, const char *chain)
{
	e->verdict = verdict;
	e->chain = chain;
}

/* What leads to the same is one; what leads elsewhere is not. */
static void
test_map(void)
{
	struct kelem e[4] = {ports(1, 79), ports(80, 80), ports(81, 90),
			     ports(91, 99)};
	struct kset map = {
		.name = "m",
		.type = KSET_PORT,
		.flags = NFT_SET_MAP,
		.elems = e,
	};
	struct kset other = map;
	struct kelem f[4];
	struct str text = {0};

	lead(&e[0], NFT_GOTO, "a");
	lead(&e[1], NFT_JUMP, "a");
	lead(&e[2], NFT_JUMP, "a");
	lead(&e[3], NF_DROP, NULL);
	map.n_elems = kset_normalise(e, 4, KSET_PORT);
	kset_format(&map, &text);
	UNIT_STRINGS(str_text(&text), "m { 1-79 : goto a, 80-90 : jump a, "
				      "91-99 : drop }");
	UNIT_CHECK(kset_leads_to(&map, "a") && !kset_leads_to(&map, "b"),
		   "leads to");
	memcpy(f, e, sizeof(f));
	other.n_elems = map.n_elems;
	other.elems = f;
	UNIT_CHECK(kset_same_elems(&map, &other), "same");
	lead(&f[1], NFT_JUMP, "b");
	UNIT_CHECK(!kset_same_elems(&map, &other), "elsewhere");
	str_fini(&text);
}

static void
test_heartbeats(void)
{
	struct kelem e = {.low = {1, 2, 3, 4, 5, 6, 7, 0xff}};

	memcpy(e.high, e.low, sizeof(e.high));
	check_set(&e, 1, KSET_HEARTBEAT, "s { 0x1020304050607ff }");
}

/* A digest tells rules apart by what they do, not by who asks for them. */
static void
test_digest(void)
{
	struct arena *a = arena_new();
	struct place here = {.file = "p", .line = 1}, there = here;
	struct krule x, y;
	struct rule r;

	there.line = 2;
	rule_init(&r, a);
	rule_jump(&r, "one");
	x = rule_finish(&r, "c", here, "p:1 web");
	rule_jump(&r, "one");
	y = rule_finish(&r, "c", there, "p:2 other");
	UNIT_CHECK(x.digest == y.digest && x.digest != 0, "same");
	rule_jump(&r, "two");
	y = rule_finish(&r, "c", here, "p:1 web");
	UNIT_CHECK(x.digest != y.digest, "another chain");
	UNIT_CHECK(kstate_rule_uses(&y, "two") && !kstate_rule_uses(&y, "one"),
		   "uses");
	rule_accept(&r);
	y = rule_finish(&r, "c", here, "p:1 web");
	UNIT_CHECK(x.digest != y.digest, "another verdict");
	arena_free(a);
}

static void
test_comment(void)
{
	struct krule r = {.label = "p.conf:3 web", .digest = 0x123};
	struct str text = {0};
	char label[300];

	kstate_rule_comment(&r, &text);
	UNIT_STRINGS(str_text(&text), "p.conf:3 web 0000000000000123");
	UNIT_CHECK(kstate_comment_digest(str_text(&text)) == 0x123, "back");
	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	r.label = label;
	str_clear(&text);
	kstate_rule_comment(&r, &text);
	UNIT_CHECK(text.len == KRULE_COMMENT_MAX, "%zu", text.len);
	UNIT_CHECK(kstate_comment_digest(str_text(&text)) == 0x123, "cut");
	str_fini(&text);

	UNIT_CHECK(kstate_comment_digest("") == 0, "empty");
	UNIT_CHECK(kstate_comment_digest("0123456789abcdef") == 0, "no label");
	UNIT_CHECK(kstate_comment_digest("x 0123456789abcdeF") == 0, "case");
	UNIT_CHECK(kstate_comment_digest("x 123456789abcdef") == 0, "short");
	UNIT_CHECK(kstate_comment_digest("x-0123456789abcdef") == 0, "space");
}

/* nft lists a comment in quotes and escapes nothing. */
static void
test_label(void)
{
	struct arena *a = arena_new();
	struct place place = {.file = "/etc/a \"b\".conf", .line = 7};
	struct kstate s;
	struct draft d;

	draft_init(&d, a, &s);
	UNIT_STRINGS(draft_label(&d, place, "web"), "a__b_.conf:7 web");
	place.line = 0;
	UNIT_STRINGS(draft_label(&d, place, "web"), "web");
	arena_free(a);
}

/* Base chains of other tables: their words, and which of them drop. */
static void
test_foreign(void)
{
	struct kforeign_chain list[] = {
		{NFPROTO_IPV4, "filter", "FORWARD", "filter", NF_INET_FORWARD,
		 0, false},
		{NFPROTO_BRIDGE, "b", "f", "filter", NF_INET_FORWARD, 0, true},
		{NFPROTO_IPV6, "fw", "in", "filter", NF_INET_LOCAL_IN, -5,
		 true},
	};
	struct kstate s = {.foreign = list, .n_foreign = 3};
	struct str text = {0};

	kforeign_format(&list[0], &text);
	str_add(&text, "; ");
	kforeign_format(&list[2], &text);
	UNIT_STRINGS(str_text(&text),
		     "table ip filter chain FORWARD (priority 0, policy "
		     "accept); table ip6 fw chain in (priority -5, policy "
		     "drop)");
	str_fini(&text);
	UNIT_CHECK(kforeign_sees(&list[2], AF_INET6, NF_INET_LOCAL_IN), "in6");
	UNIT_CHECK(!kforeign_sees(&list[2], AF_INET, NF_INET_LOCAL_IN), "in4");
	UNIT_CHECK(!kstate_forward_drops(&s), "a bridge is not forwarding");
	list[0].drops = true;
	UNIT_CHECK(kstate_forward_drops(&s), "now it does");
}

static const struct unit_test tests[] = {
	{"normalise", test_normalise},	 {"names", test_names},
	{"long_set", test_long_set},	 {"map", test_map},
	{"heartbeats", test_heartbeats}, {"digest", test_digest},
	{"comment", test_comment},	 {"label", test_label},
	{"foreign", test_foreign},
};

UNIT_MAIN("kstate", tests)
