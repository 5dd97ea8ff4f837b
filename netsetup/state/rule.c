/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a rule matches. Statements are in statement.c.
 */
#include "netsetup/state/rule.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <string.h>

enum {
	CT_STATUS_DNAT = 1 << 5, /* IPS_DST_NAT, linux/nf_conntrack_common.h */
	CT_DIR_ORIGINAL = 0,
	CT_DIR_REPLY = 1,
	IFNAME_LEN = 16,
	TCP_FLAGS_OFFSET = 13,
	PORT_LEN = 2,
};

static void
cmp_ifname(struct rule *r, const char *name, bool wildcard)
{
	char bytes[IFNAME_LEN] = {0};
	size_t len = strnlen(name, IFNAME_LEN - 1);

	memcpy(bytes, name, len);
	expr_cmp(r, NFT_CMP_EQ, bytes, wildcard ? (uint32_t)len : IFNAME_LEN);
}

void
rule_iifname(struct rule *r, const char *name, bool wildcard)
{
	if (wildcard && name[0] == '\0')
		return; /* "*": every interface */
	expr_say(r, "iifname \"%s%s\"", name, wildcard ? "*" : "");
	expr_load(r, KEXPR_META, NFT_META_IIFNAME);
	cmp_ifname(r, name, wildcard);
}

void
rule_iifname_in(struct rule *r, const char *set)
{
	expr_say(r, "iifname @%s", set);
	expr_load(r, KEXPR_META, NFT_META_IIFNAME);
	expr_lookup(r, set);
}

void
rule_iifname_vmap(struct rule *r, const char *map)
{
	expr_say(r, "iifname vmap @%s", map);
	expr_load(r, KEXPR_META, NFT_META_IIFNAME);
	expr_vmap(r, map);
}

void
rule_oifname(struct rule *r, const char *name)
{
	expr_say(r, "oifname \"%s\"", name);
	expr_load(r, KEXPR_META, NFT_META_OIFNAME);
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
	expr_load(r, KEXPR_META, NFT_META_NFPROTO);
	expr_cmp_u8(r, r->family);
}

void
rule_family(struct rule *r, int family)
{
	if (r->family == nfproto(family))
		return;
	expr_say(r, "meta nfproto %s", inet_family_name(family));
	need_family(r, family);
}

void
rule_family_in(struct rule *r, const char *set)
{
	expr_say(r, "meta nfproto @%s", set);
	expr_load(r, KEXPR_META, NFT_META_NFPROTO);
	expr_lookup(r, set);
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
	expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER, offset,
		     len == WHOLE_ADDR ? whole : len);
}

static void
say_addr(struct rule *r, enum rule_end end, int family)
{
	expr_say(r, "%s %s", family == AF_INET ? "ip" : "ip6",
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
	expr_say(r, "%s", prefix_format(prefix, text));
	/* as nft does: whole bytes need no mask */
	if (prefix->len % 8)
		len = addr_bits(&prefix->addr) / 8;
	load_addr(r, end, family, len);
	for (i = 0; i < prefix->len; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	if (prefix->len % 8)
		expr_bitwise(r, mask, NULL, len);
	expr_cmp(r, NFT_CMP_EQ, prefix->addr.bytes, len);
}

void
rule_addr_in(struct rule *r, enum rule_end end, int family, const char *set)
{
	say_addr(r, end, family);
	expr_say(r, "@%s", set);
	load_addr(r, end, family, WHOLE_ADDR);
	expr_lookup(r, set);
}

void
rule_addr_vmap(struct rule *r, enum rule_end end, int family, const char *map)
{
	say_addr(r, end, family);
	expr_say(r, "vmap @%s", map);
	load_addr(r, end, family, WHOLE_ADDR);
	expr_vmap(r, map);
}

void
rule_pair_in(struct rule *r, int family, const char *set)
{
	bool v4 = family == AF_INET;

	say_addr(r, RULE_SOURCE, family);
	expr_say(r, ".");
	say_addr(r, RULE_DESTINATION, family);
	expr_say(r, "@%s", set);
	load_addr(r, RULE_SOURCE, family, WHOLE_ADDR);
	load_addr(r, RULE_DESTINATION, family, WHOLE_ADDR);
	r->exprs[r->n - 1].reg =
		v4 ? KEXPR_REG_AFTER_IPV4 : KEXPR_REG_AFTER_IPV6;
	expr_lookup(r, set);
}

void
rule_destination_is(struct rule *r, uint32_t rtn_type)
{
	expr_say(r, "fib daddr type %s",
		 rtn_type == RTN_LOCAL ? "local" : "unicast");
	expr_load(r, KEXPR_FIB, NFT_FIB_RESULT_ADDRTYPE);
	expr_cmp_u32(r, NFT_CMP_EQ, rtn_type);
}

void
rule_route_leaves_by(struct rule *r, const char *name, bool wildcard)
{
	expr_say(r, "fib daddr oifname \"%s%s\"", name, wildcard ? "*" : "");
	expr_load(r, KEXPR_FIB, NFT_FIB_RESULT_OIFNAME);
	cmp_ifname(r, name, wildcard);
}

static const char *
l4_word(uint8_t l4)
{
	return l4 == IPPROTO_TCP ? "tcp" : "udp";
}

static void
need_l4(struct rule *r, uint8_t l4)
{
	if (r->l4 == l4)
		return;
	r->l4 = l4;
	expr_load(r, KEXPR_META, NFT_META_L4PROTO);
	expr_cmp_u8(r, l4);
}

void
rule_l4(struct rule *r, uint8_t l4)
{
	expr_say(r, "meta l4proto %s", l4_word(l4));
	need_l4(r, l4);
}

static void
load_port(struct rule *r, uint8_t l4, enum rule_end end)
{
	need_l4(r, l4);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER,
		     end == RULE_SOURCE ? 0 : PORT_LEN, PORT_LEN);
}

static const char *
port_word(enum rule_end end)
{
	return end == RULE_SOURCE ? "sport" : "dport";
}

void
rule_port(struct rule *r, uint8_t l4, enum rule_end end,
	  const struct port_range *range)
{
	uint16_t low_be = htons(range->low), high_be = htons(range->high);
	char text[PORTS_TEXT_LEN];

	expr_say(r, "%s %s %s", l4_word(l4), port_word(end),
		 port_range_format(range, text));
	load_port(r, l4, end);
	if (range->low == range->high) {
		expr_cmp(r, NFT_CMP_EQ, &low_be, PORT_LEN);
		return;
	}
	expr_cmp(r, NFT_CMP_GTE, &low_be, PORT_LEN);
	expr_cmp(r, NFT_CMP_LTE, &high_be, PORT_LEN);
}

void
rule_port_in(struct rule *r, uint8_t l4, enum rule_end end, const char *set)
{
	expr_say(r, "%s %s @%s", l4_word(l4), port_word(end), set);
	load_port(r, l4, end);
	expr_lookup(r, set);
}

static void
cmp_flags(struct rule *r, uint32_t op, uint8_t mask, uint8_t value)
{
	need_l4(r, IPPROTO_TCP);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1);
	expr_bitwise(r, &mask, NULL, sizeof(mask));
	expr_cmp(r, op, &value, sizeof(value));
}

void
rule_port_vmap(struct rule *r, uint8_t l4, enum rule_end end, const char *map)
{
	expr_say(r, "%s %s vmap @%s", l4_word(l4), port_word(end), map);
	load_port(r, l4, end);
	expr_vmap(r, map);
}

void
rule_not_rst(struct rule *r)
{
	expr_say(r, "tcp flags ! rst");
	cmp_flags(r, NFT_CMP_EQ, TH_RST, 0);
}

void
rule_syn(struct rule *r)
{
	expr_say(r, "tcp flags syn / fin,syn,rst,ack");
	cmp_flags(r, NFT_CMP_EQ, TH_FIN | TH_SYN | TH_RST | TH_ACK, TH_SYN);
}

void
rule_not_syn(struct rule *r)
{
	expr_say(r, "tcp flags != syn / fin,syn,rst,ack");
	cmp_flags(r, NFT_CMP_NEQ, TH_FIN | TH_SYN | TH_RST | TH_ACK, TH_SYN);
}

/* The value that was loaded, under mask; the words end the same way. */
static void
masked_cmp(struct rule *r, bool wanted, uint32_t mask, uint32_t value)
{
	expr_say(r, "& 0x%08x %s 0x%08x", mask, wanted ? "==" : "!=", value);
	expr_bitwise(r, &mask, NULL, sizeof(mask));
	expr_cmp_u32(r, wanted ? NFT_CMP_EQ : NFT_CMP_NEQ, value);
}

void
rule_mark_is(struct rule *r, uint32_t mask, uint32_t value)
{
	expr_say(r, "meta mark");
	expr_load(r, KEXPR_META, NFT_META_MARK);
	masked_cmp(r, true, mask, value);
}

void
rule_mark_is_not(struct rule *r, uint32_t mask, uint32_t value)
{
	expr_say(r, "meta mark");
	expr_load(r, KEXPR_META, NFT_META_MARK);
	masked_cmp(r, false, mask, value);
}

void
rule_socket_mark(struct rule *r, bool wanted, uint32_t mask, uint32_t value)
{
	expr_say(r, "socket mark");
	expr_load(r, KEXPR_SOCKET, NFT_SOCKET_MARK);
	masked_cmp(r, wanted, mask, value);
}

void
rule_ct_mark_is(struct rule *r, uint32_t mask, uint32_t value)
{
	expr_say(r, "ct mark");
	expr_load(r, KEXPR_CT, NFT_CT_MARK);
	masked_cmp(r, true, mask, value);
}

void
rule_ct_direction(struct rule *r, bool reply)
{
	expr_say(r, "ct direction %s", reply ? "reply" : "original");
	expr_load(r, KEXPR_CT, NFT_CT_DIRECTION);
	expr_cmp_u8(r, reply ? CT_DIR_REPLY : CT_DIR_ORIGINAL);
}

void
rule_ct_reply_zone(struct rule *r, uint16_t zone)
{
	struct kexpr *e = expr_add(r, KEXPR_CT);

	expr_say(r, "ct reply zone %u", zone);
	e->key = NFT_CT_ZONE;
	e->code = KEXPR_DIR_REPLY;
	expr_cmp(r, NFT_CMP_EQ, &zone, sizeof(zone));
}

void
rule_ct_dnat(struct rule *r, bool wanted)
{
	uint32_t mask = CT_STATUS_DNAT;

	expr_say(r, wanted ? "ct status dnat" : "ct status ! dnat");
	expr_load(r, KEXPR_CT, NFT_CT_STATUS);
	expr_bitwise(r, &mask, NULL, sizeof(mask));
	expr_cmp_u32(r, wanted ? NFT_CMP_NEQ : NFT_CMP_EQ, 0);
}

void
rule_transparent(struct rule *r)
{
	expr_say(r, "socket transparent 1");
	expr_load(r, KEXPR_SOCKET, NFT_SOCKET_TRANSPARENT);
	expr_cmp_u8(r, 1);
}

void
rule_wildcard(struct rule *r)
{
	expr_say(r, "socket wildcard 1");
	expr_load(r, KEXPR_SOCKET, NFT_SOCKET_WILDCARD);
	expr_cmp_u8(r, 1);
}

static void
load_heartbeat(struct rule *r)
{
	expr_load(r, KEXPR_META, NFT_META_L4PROTO);
	expr_cmp_u8(r, IPPROTO_UDP);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 8, sizeof(uint64_t));
}

void
rule_heartbeat(struct rule *r, uint64_t digest)
{
	uint8_t bytes[8];
	int i;

	for (i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(digest >> (56 - 8 * i));
	expr_say(r, "meta l4proto udp @th,64,64 0x%" PRIx64, digest);
	load_heartbeat(r);
	expr_cmp(r, NFT_CMP_EQ, bytes, sizeof(bytes));
}

void
rule_heartbeat_vmap(struct rule *r, const char *map)
{
	expr_say(r, "meta l4proto udp @th,64,64 vmap @%s", map);
	load_heartbeat(r);
	expr_vmap(r, map);
}
