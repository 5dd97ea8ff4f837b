/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drafts of nftables rules. Register 1 carries every value from its load to
 * its comparison, as in the rules that nft makes.
 */
#include "netsetup/state/rule.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"

enum {
	CT_STATUS_DNAT = 1 << 5, /* IPS_DST_NAT, linux/nf_conntrack_common.h */
	CT_DIR_REPLY = 1,
	IFNAME_LEN = 16,
	TCP_FLAGS_OFFSET = 13,
	PORT_LEN = 2,
};

void
rule_init(struct rule *r, struct arena *arena)
{
	memset(r, 0, sizeof(*r));
	r->arena = arena;
}

struct krule
rule_finish(struct rule *r, const char *chain, struct place place,
	    const char *label)
{
	struct krule rule = {
		.chain = chain,
		.place = place,
		.label = label,
		.n_exprs = r->n,
	};

	rule.exprs = arena_memdup(r->arena, r->exprs, r->n * sizeof(*r->exprs));
	rule.text = arena_strdup(r->arena, str_text(&r->text));
	rule.digest = kstate_rule_digest(r->exprs, r->n);
	str_fini(&r->text);
	rule_init(r, r->arena);
	return rule;
}

static struct kexpr *
add(struct rule *r, enum kexpr_kind kind)
{
	struct kexpr *e;

	assert(r->n < RULE_EXPRS_MAX);
	e = &r->exprs[r->n++];
	e->kind = kind;
	return e;
}

static void say(struct rule *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Append words to the text, after a space. */
static void
say(struct rule *r, const char *fmt, ...)
{
	va_list ap;

	if (r->text.len > 0)
		str_add_char(&r->text, ' ');
	va_start(ap, fmt);
	str_vaddf(&r->text, fmt, ap);
	va_end(ap);
}

static void
load(struct rule *r, enum kexpr_kind kind, uint32_t key)
{
	add(r, kind)->key = key;
}

static void
load_payload(struct rule *r, uint32_t base, uint32_t offset, uint32_t len)
{
	struct kexpr *e = add(r, KEXPR_PAYLOAD);

	e->key = base;
	e->offset = offset;
	e->len = len;
}

static void
cmp(struct rule *r, uint32_t op, const void *data, uint32_t len)
{
	struct kexpr *e = add(r, KEXPR_CMP);

	e->key = op;
	e->len = len;
	memcpy(e->data, data, len);
}

static void
cmp_u8(struct rule *r, uint8_t value)
{
	cmp(r, NFT_CMP_EQ, &value, sizeof(value));
}

/* A number in the order of this machine, as meta and ct load it. */
static void
cmp_u32(struct rule *r, uint32_t op, uint32_t value)
{
	cmp(r, op, &value, sizeof(value));
}

static void
bitwise(struct rule *r, const void *mask, const void *flip, uint32_t len)
{
	struct kexpr *e = add(r, KEXPR_BITWISE);

	e->len = len;
	memcpy(e->data, mask, len);
	if (flip)
		memcpy(e->flip, flip, len);
}

static void
lookup(struct rule *r, const char *set)
{
	add(r, KEXPR_LOOKUP)->name = arena_strdup(r->arena, set);
}

static void
verdict(struct rule *r, int code, const char *chain)
{
	struct kexpr *e = add(r, KEXPR_VERDICT);

	e->key = (uint32_t)code;
	if (chain)
		e->name = arena_strdup(r->arena, chain);
}

static void
cmp_ifname(struct rule *r, const char *name, bool wildcard)
{
	char bytes[IFNAME_LEN] = {0};
	size_t len = strnlen(name, IFNAME_LEN - 1);

	memcpy(bytes, name, len);
	cmp(r, NFT_CMP_EQ, bytes, wildcard ? (uint32_t)len : IFNAME_LEN);
}

void
rule_iifname(struct rule *r, const char *name, bool wildcard)
{
	if (wildcard && name[0] == '\0')
		return; /* "*": every interface */
	say(r, "iifname \"%s%s\"", name, wildcard ? "*" : "");
	load(r, KEXPR_META, NFT_META_IIFNAME);
	cmp_ifname(r, name, wildcard);
}

void
rule_iifname_in(struct rule *r, const char *set)
{
	say(r, "iifname @%s", set);
	load(r, KEXPR_META, NFT_META_IIFNAME);
	lookup(r, set);
}

void
rule_oifname(struct rule *r, const char *name)
{
	say(r, "oifname \"%s\"", name);
	load(r, KEXPR_META, NFT_META_OIFNAME);
	cmp_ifname(r, name, false);
}

static uint8_t
nfproto(int family)
{
	return family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

/* What a match of an address depends on; nft does not show it. */
static void
need_family(struct rule *r, int family)
{
	if (r->family == nfproto(family))
		return;
	r->family = nfproto(family);
	load(r, KEXPR_META, NFT_META_NFPROTO);
	cmp_u8(r, r->family);
}

void
rule_family(struct rule *r, int family)
{
	if (r->family == nfproto(family))
		return;
	say(r, "meta nfproto %s", inet_family_name(family));
	need_family(r, family);
}

void
rule_family_in(struct rule *r, const char *set)
{
	say(r, "meta nfproto @%s", set);
	load(r, KEXPR_META, NFT_META_NFPROTO);
	lookup(r, set);
}

enum { WHOLE_ADDR = 0 };

/* The first `len` bytes of an address. */
static void
load_addr(struct rule *r, enum rule_end end, int family, uint32_t len)
{
	bool v4 = family == AF_INET;
	uint32_t offset = v4 ? 12 : 8, whole = v4 ? 4 : 16;

	if (end == RULE_DESTINATION)
		offset += whole;
	need_family(r, family);
	load_payload(r, NFT_PAYLOAD_NETWORK_HEADER, offset,
		     len == WHOLE_ADDR ? whole : len);
}

static void
say_addr(struct rule *r, enum rule_end end, int family)
{
	say(r, "%s %s", family == AF_INET ? "ip" : "ip6",
	    end == RULE_SOURCE ? "saddr" : "daddr");
}

void
rule_addr(struct rule *r, enum rule_end end, const struct prefix *prefix)
{
	char text[PREFIX_TEXT_LEN];
	int family = prefix->addr.family;
	uint32_t len = prefix->len / 8, i;
	uint8_t mask[16] = {0};

	if (prefix->len == 0) {
		rule_family(r, family);
		return;
	}
	say_addr(r, end, family);
	say(r, "%s", prefix_format(prefix, text));
	/* as nft does: whole bytes need no mask */
	if (prefix->len % 8)
		len = addr_bits(&prefix->addr) / 8;
	load_addr(r, end, family, len);
	for (i = 0; i < prefix->len; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	if (prefix->len % 8)
		bitwise(r, mask, NULL, len);
	cmp(r, NFT_CMP_EQ, prefix->addr.bytes, len);
}

void
rule_addr_in(struct rule *r, enum rule_end end, int family, const char *set)
{
	say_addr(r, end, family);
	say(r, "@%s", set);
	load_addr(r, end, family, WHOLE_ADDR);
	lookup(r, set);
}

void
rule_destination_is(struct rule *r, uint32_t rtn_type)
{
	say(r, "fib daddr type %s",
	    rtn_type == RTN_LOCAL ? "local" : "unicast");
	load(r, KEXPR_FIB, NFT_FIB_RESULT_ADDRTYPE);
	cmp_u32(r, NFT_CMP_EQ, rtn_type);
}

void
rule_route_leaves_by(struct rule *r, const char *name, bool wildcard)
{
	say(r, "fib daddr oifname \"%s%s\"", name, wildcard ? "*" : "");
	load(r, KEXPR_FIB, NFT_FIB_RESULT_OIFNAME);
	cmp_ifname(r, name, wildcard);
}

static void
need_tcp(struct rule *r)
{
	if (r->tcp)
		return;
	r->tcp = true;
	load(r, KEXPR_META, NFT_META_L4PROTO);
	cmp_u8(r, IPPROTO_TCP);
}

void
rule_tcp(struct rule *r)
{
	say(r, "meta l4proto tcp");
	need_tcp(r);
}

static void
load_port(struct rule *r, enum rule_end end)
{
	need_tcp(r);
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER,
		     end == RULE_SOURCE ? 0 : PORT_LEN, PORT_LEN);
}

static const char *
port_word(enum rule_end end)
{
	return end == RULE_SOURCE ? "sport" : "dport";
}

void
rule_tcp_port(struct rule *r, enum rule_end end, const struct port_range *range)
{
	uint16_t low_be = htons(range->low), high_be = htons(range->high);
	char text[PORTS_TEXT_LEN];

	say(r, "tcp %s %s", port_word(end), port_range_format(range, text));
	load_port(r, end);
	if (range->low == range->high) {
		cmp(r, NFT_CMP_EQ, &low_be, PORT_LEN);
		return;
	}
	cmp(r, NFT_CMP_GTE, &low_be, PORT_LEN);
	cmp(r, NFT_CMP_LTE, &high_be, PORT_LEN);
}

void
rule_tcp_port_in(struct rule *r, enum rule_end end, const char *set)
{
	say(r, "tcp %s @%s", port_word(end), set);
	load_port(r, end);
	lookup(r, set);
}

void
rule_not_rst(struct rule *r)
{
	uint8_t mask = TH_RST;

	say(r, "tcp flags ! rst");
	need_tcp(r);
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1);
	bitwise(r, &mask, NULL, sizeof(mask));
	cmp_u8(r, 0);
}

static void
masked_cmp(struct rule *r, uint32_t mask, uint32_t value)
{
	bitwise(r, &mask, NULL, sizeof(mask));
	cmp_u32(r, NFT_CMP_EQ, value);
}

void
rule_mark_is(struct rule *r, uint32_t mask, uint32_t value)
{
	say(r, "meta mark & 0x%08x == 0x%08x", mask, value);
	load(r, KEXPR_META, NFT_META_MARK);
	masked_cmp(r, mask, value);
}

void
rule_ct_mark_is(struct rule *r, uint32_t mask, uint32_t value)
{
	say(r, "ct mark & 0x%08x == 0x%08x", mask, value);
	load(r, KEXPR_CT, NFT_CT_MARK);
	masked_cmp(r, mask, value);
}

void
rule_ct_reply(struct rule *r)
{
	say(r, "ct direction reply");
	load(r, KEXPR_CT, NFT_CT_DIRECTION);
	cmp_u8(r, CT_DIR_REPLY);
}

void
rule_ct_dnat(struct rule *r, bool wanted)
{
	uint32_t mask = CT_STATUS_DNAT;

	say(r, wanted ? "ct status dnat" : "ct status ! dnat");
	load(r, KEXPR_CT, NFT_CT_STATUS);
	bitwise(r, &mask, NULL, sizeof(mask));
	cmp_u32(r, wanted ? NFT_CMP_NEQ : NFT_CMP_EQ, 0);
}

void
rule_transparent(struct rule *r)
{
	say(r, "socket transparent 1");
	load(r, KEXPR_SOCKET, NFT_SOCKET_TRANSPARENT);
	cmp_u8(r, 1);
}

void
rule_wildcard(struct rule *r)
{
	say(r, "socket wildcard 1");
	load(r, KEXPR_SOCKET, NFT_SOCKET_WILDCARD);
	cmp_u8(r, 1);
}

void
rule_heartbeat(struct rule *r, uint64_t digest)
{
	uint8_t bytes[8];
	int i;

	for (i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(digest >> (56 - 8 * i));
	say(r, "meta l4proto udp @th,64,64 0x%" PRIx64, digest);
	load(r, KEXPR_META, NFT_META_L4PROTO);
	cmp_u8(r, IPPROTO_UDP);
	load_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 8, sizeof(bytes));
	cmp(r, NFT_CMP_EQ, bytes, sizeof(bytes));
}

/* "1m30s500ms": as nft writes it. */
static void
add_duration(struct str *out, uint32_t ms)
{
	static const struct {
		uint32_t ms;
		const char *unit;
	} units[] = {
		{86400000, "d"}, {3600000, "h"}, {60000, "m"},
		{1000, "s"},	 {1, "ms"},
	};
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ms >= units[i].ms)
			str_addf(out, "%u%s", ms / units[i].ms, units[i].unit);
		ms %= units[i].ms;
	}
}

void
rule_renew(struct rule *r, const char *set, uint32_t timeout_ms)
{
	struct kexpr *e;

	say(r, "update @%s { meta nfproto timeout ", set);
	add_duration(&r->text, timeout_ms);
	say(r, "}");
	load(r, KEXPR_META, NFT_META_NFPROTO);
	e = add(r, KEXPR_DYNSET);
	e->name = arena_strdup(r->arena, set);
	e->ms = timeout_ms;
}

/* register := register & ~mask | value */
static void
replace_bits(struct rule *r, uint32_t mask, uint32_t value)
{
	uint32_t keep = ~mask;

	bitwise(r, &keep, &value, sizeof(keep));
}

void
rule_set_mark(struct rule *r, uint32_t mask, uint32_t value)
{
	/* nft shows the mask with the bits that are set anyway */
	say(r, "meta mark set meta mark & 0x%08x | 0x%08x", ~mask | value,
	    value);
	load(r, KEXPR_META, NFT_META_MARK);
	replace_bits(r, mask, value);
	load(r, KEXPR_META_SET, NFT_META_MARK);
}

void
rule_set_ct_mark(struct rule *r, uint32_t mask, uint32_t value)
{
	say(r, "ct mark set ct mark & 0x%08x | 0x%08x", ~mask | value, value);
	load(r, KEXPR_CT, NFT_CT_MARK);
	replace_bits(r, mask, value);
	load(r, KEXPR_CT_SET, NFT_CT_MARK);
}

void
rule_set_zone_original(struct rule *r, uint16_t zone)
{
	struct kexpr *e = add(r, KEXPR_IMMEDIATE);

	say(r, "ct original zone set %u", zone);
	e->len = sizeof(zone);
	memcpy(e->data, &zone, sizeof(zone));
	e = add(r, KEXPR_CT_SET);
	e->key = NFT_CT_ZONE;
	e->code = KEXPR_DIR_ORIGINAL;
}

void
rule_counter(struct rule *r)
{
	say(r, "counter");
	add(r, KEXPR_COUNTER);
}

void
rule_accept(struct rule *r)
{
	say(r, "accept");
	verdict(r, NF_ACCEPT, NULL);
}

void
rule_drop(struct rule *r)
{
	say(r, "drop");
	verdict(r, NF_DROP, NULL);
}

void
rule_return(struct rule *r)
{
	say(r, "return");
	verdict(r, NFT_RETURN, NULL);
}

void
rule_jump(struct rule *r, const char *chain)
{
	say(r, "jump %s", chain);
	verdict(r, NFT_JUMP, chain);
}

void
rule_reject_tcp(struct rule *r)
{
	say(r, "reject with tcp reset");
	add(r, KEXPR_REJECT)->key = NFT_REJECT_TCP_RST;
}

void
rule_redirect(struct rule *r, uint16_t port)
{
	uint16_t port_be = htons(port);
	struct kexpr *e = add(r, KEXPR_IMMEDIATE);

	say(r, "redirect to :%u", port);
	e->len = sizeof(port_be);
	memcpy(e->data, &port_be, sizeof(port_be));
	add(r, KEXPR_REDIRECT);
}
