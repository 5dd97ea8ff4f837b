/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_maps.c - verdict maps and sets of pairs, written to the kernel, read
 * back, and beside what nft makes of the same text.
 */
#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/kernel/nft_read.h"
#include "netsetup/kernel/nft_write.h"
#include "netsetup/state/draft.h"
#include "netsetup/state/export.h"
#include "netsetup/state/plan.h"
#include "tests/lab/lab.h"

static const struct place nowhere;

/* What is there in the gateway, and then, if `want`, what is wanted. */
static void
meet(struct lab *lab, struct arena *a, struct kstate *was,
     const struct kstate *want)
{
	const struct kchange *cause = NULL;
	struct nl_error e = {0};
	struct nft_news news;
	struct kdiff d;
	struct nl nl;
	int r;

	memset(was, 0, sizeof(*was));
	lab_enter(lab, LAB_GATEWAY);
	if (nft_news_open(&news) < 0 || nl_open(&nl, NETLINK_NETFILTER) < 0)
		lab_die("no netlink socket");
	r = nft_read(&nl, &news, NFT_DEPTH_ALL, a, was);
	UNIT_CHECK(r == 0, "read: %s", strerror(-r));
	if (want) {
		d = diff(was, want, a);
		r = nft_write(&nl, &news, was, &d, &e, &cause);
		UNIT_CHECK(r == 0, "write: %s", strerror(-r));
	}
	nl_close(&nl);
	nft_news_close(&news);
	lab_leave(lab);
}

static void
install(struct lab *lab, struct arena *a, const struct kstate *want)
{
	struct kstate was;

	meet(lab, a, &was, want);
}

/* What would still have to change, as text. */
static void
rest(struct lab *lab, struct arena *a, const struct kstate *want,
     struct str *out)
{
	struct kstate is;
	struct kdiff d;

	meet(lab, a, &is, NULL);
	d = diff(&is, want, a);
	plan_text(&d, out);
}

static struct kelem
range(unsigned int low, unsigned int high, int verdict, const char *chain)
{
	struct kelem e = {.verdict = verdict, .chain = chain};

	e.low[0] = (uint8_t)(low >> 8);
	e.low[1] = (uint8_t)low;
	e.high[0] = (uint8_t)(high >> 8);
	e.high[1] = (uint8_t)high;
	return e;
}

static struct kelem
addrs(const char *low, const char *high, const char *chain)
{
	int family = strchr(low, ':') ? AF_INET6 : AF_INET;
	struct kelem e = {.verdict = NFT_GOTO, .chain = chain};

	inet_pton(family, low, e.low);
	inet_pton(family, high, e.high);
	return e;
}

static void
add_ports(struct draft *d)
{
	struct kelem single[] = {
		range(80, 80, NFT_JUMP, "one"),
		range(443, 443, NFT_GOTO, "two"),
		range(25, 25, NF_DROP, NULL),
	};
	struct kelem ranges[] = {
		range(1, 79, NFT_JUMP, "one"),
		range(80, 80, NFT_GOTO, "two"),
		range(81, 90, NF_ACCEPT, NULL),
		range(65000, 65535, NFT_GOTO, "one"),
	};

	draft_map(d, "single", KSET_PORT, single, 3, nowhere, "x");
	draft_map(d, "ranges", KSET_PORT, ranges, 4, nowhere, "x");
}

static void
add_others(struct draft *d)
{
	struct kelem v4[] = {
		addrs("0.0.0.0", "9.255.255.255", "one"),
		addrs("10.0.0.0", "10.0.0.255", "two"),
		addrs("255.0.0.0", "255.255.255.255", "one"),
	};
	struct kelem v6[] = {
		addrs("fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		      "two"),
	};
	struct kelem iface = {.low = "in0", .high = "in0"}, beat;

	iface.verdict = NFT_JUMP;
	iface.chain = "one";
	beat = iface;
	memcpy(beat.low, "\1\2\3\4\5\6\7\x88\0", 9);
	memcpy(beat.high, beat.low, sizeof(beat.low));
	draft_map(d, "v4", KSET_IPV4, v4, 3, nowhere, "x");
	draft_map(d, "v6", KSET_IPV6, v6, 1, nowhere, "x");
	draft_map(d, "ifaces", KSET_IFNAME, &iface, 1, nowhere, "x");
	draft_map(d, "beats", KSET_HEARTBEAT, &beat, 1, nowhere, "x");
	draft_timed_set(d, "pairs4", KSET_IPV4_PAIR, 64, nowhere, "x");
	draft_timed_set(d, "pairs6", KSET_IPV6_PAIR, 64, nowhere, "x");
}

static void
add_rules(struct draft *d)
{
	static const char front[] = "front";
	struct rule *r = &d->rule;
	unsigned int i;

	for (i = 0; i < 9; i++) {
		switch (i) {
		case 0:
			rule_port_vmap(r, IPPROTO_TCP, RULE_DESTINATION,
				       "single");
			break;
		case 1:
			rule_port_vmap(r, IPPROTO_TCP, RULE_DESTINATION,
				       "ranges");
			break;
		case 2:
			rule_addr_vmap(r, RULE_DESTINATION, AF_INET, "v4");
			break;
		case 3:
			rule_addr_vmap(r, RULE_SOURCE, AF_INET6, "v6");
			break;
		case 4:
			rule_iifname_vmap(r, "ifaces");
			break;
		case 5:
			rule_heartbeat_vmap(r, "beats");
			break;
		case 6:
			rule_pair_in(r, AF_INET, "pairs4");
			rule_accept(r);
			break;
		case 7:
			rule_pair_in(r, AF_INET6, "pairs6");
			rule_accept(r);
			break;
		default:
			rule_goto(r, "two");
			break;
		}
		draft_rule(d, front, nowhere, "x");
	}
}

static void
make_state(struct arena *a, struct kstate *s)
{
	struct draft d;

	draft_init(&d, a, s);
	draft_base_chain(&d, "front", "filter", NF_INET_PRE_ROUTING, -300,
			 nowhere);
	draft_chain(&d, "one", nowhere);
	rule_accept(&d.rule);
	draft_rule(&d, "one", nowhere, "x");
	draft_chain(&d, "two", nowhere);
	add_ports(&d);
	add_others(&d);
	add_rules(&d);
}

/* Elements of a hash have no order; a rule's handle is not its meaning. */
static void
listing(struct lab *lab, struct str *out)
{
	str_clear(out);
	lab_run(lab, LAB_GATEWAY, out,
		"nft --debug=netlink list table inet interpose |"
		" sed 's/^\\(inet interpose [a-z0-9_]*\\) [0-9 ]*$/\\1/' |"
		" sed '/elements = {/,/}/d; /^\telement/d';"
		" nft --debug=netlink list table inet interpose |"
		" grep '^.element' | sort");
}

static void
as_nft(void)
{
	struct lab *lab = lab_up(NULL);
	struct arena *a = arena_new();
	struct str ours = {0}, theirs = {0}, script = {0};
	struct kstate s;

	make_state(a, &s);
	install(lab, a, &s);
	listing(lab, &ours);
	UNIT_CHECK(strstr(str_text(&ours), "typeof @th,64,64 : verdict") &&
			   strstr(str_text(&ours), "goto -> two"),
		   "nft lists them: %s", str_text(&ours));
	export_script(&s, "maps", &script);
	lab_write_file(LAB_DIR "/maps.sh", str_text(&script));
	lab_must(lab, LAB_GATEWAY, "sh -e " LAB_DIR "/maps.sh");
	listing(lab, &theirs);
	UNIT_STRINGS(str_text(&theirs), str_text(&ours));
	str_clear(&ours);
	rest(lab, a, &s, &ours);
	UNIT_STRINGS(str_text(&ours), "0 to add, 0 to replace, 0 to remove\n");
	str_fini(&ours);
	str_fini(&theirs);
	str_fini(&script);
	arena_free(a);
	lab_down(lab);
}

/* Chains to which a map leads come before it and go after it. */
static void
changes(void)
{
	struct lab *lab = lab_up(NULL);
	struct kelem one = range(80, 80, NFT_JUMP, "new");
	struct arena *a = arena_new();
	struct str text = {0};
	struct kstate s, other;
	struct draft d;

	make_state(a, &s);
	install(lab, a, &s);
	draft_init(&d, a, &other);
	draft_base_chain(&d, "front", "filter", NF_INET_PRE_ROUTING, -300,
			 nowhere);
	draft_chain(&d, "new", nowhere);
	draft_map(&d, "single", KSET_PORT, &one, 1, nowhere, "x");
	rule_port_vmap(&d.rule, IPPROTO_TCP, RULE_DESTINATION, "single");
	draft_rule(&d, "front", nowhere, "x");
	install(lab, a, &other);
	rest(lab, a, &other, &text);
	UNIT_STRINGS(str_text(&text), "0 to add, 0 to replace, 0 to remove\n");
	/* one of our chains became somebody's base chain meanwhile */
	lab_nft(lab, LAB_GATEWAY,
		"delete table inet interpose\n"
		"table inet interpose {\n chain new {\n type filter hook"
		" forward priority 0;\n }\n map single { type inet_service :"
		" verdict; flags constant;\n }\n }\n");
	install(lab, a, &other);
	install(lab, a, &s);
	str_clear(&text);
	rest(lab, a, &s, &text);
	UNIT_STRINGS(str_text(&text), "0 to add, 0 to replace, 0 to remove\n");
	str_fini(&text);
	arena_free(a);
	lab_down(lab);
}

/* Their elements come and go: they are none of apply's business. */
static void
pairs(void)
{
	struct lab *lab = lab_up(NULL);
	struct arena *a = arena_new();
	struct str text = {0};
	struct kstate s;

	make_state(a, &s);
	install(lab, a, &s);
	lab_must(lab, LAB_GATEWAY,
		 "nft add element inet interpose pairs4"
		 " '{ 10.0.0.1 . 10.0.0.2 timeout 60s }' &&"
		 "nft add element inet interpose pairs6"
		 " '{ fd00::1 . fd00::2 timeout 60s }'");
	rest(lab, a, &s, &text);
	UNIT_STRINGS(str_text(&text), "0 to add, 0 to replace, 0 to remove\n");
	str_clear(&text);
	lab_run(lab, LAB_GATEWAY, &text, "nft list table inet interpose");
	UNIT_CHECK(strstr(str_text(&text),
			  "{ fd00::1 . fd00::2 counter "
			  "packets 0 bytes 0 timeout 1m") != NULL,
		   "%s", str_text(&text));
	str_fini(&text);
	arena_free(a);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"as_nft", as_nft},
	{"changes", changes},
	{"pairs", pairs},
};

LAB_MAIN("maps", tests)
