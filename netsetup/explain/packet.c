/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's load expressions give for a described packet. Words are
 * nft's where nft has some, because they stand beside its rules.
 */
#include "netsetup/explain/packet.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/arena.h"

enum {
	NAME_LEN = 16, /* IFNAMSIZ */
	SADDR4 = 12,   /* offsets in the headers */
	SADDR6 = 8,
	TCP_FLAGS_AT = 13,
	HEADER_LEN = 64,
};

/* --- loads ---------------------------------------------------------------- */

static bool
put(struct packet_value *v, const void *data, size_t len)
{
	memset(v->bytes, 0, sizeof(v->bytes));
	memcpy(v->bytes, data, len);
	return true;
}

static bool
put_u8(struct packet_value *v, uint8_t number)
{
	return put(v, &number, sizeof(number));
}

static bool
put_u16(struct packet_value *v, uint16_t number)
{
	return put(v, &number, sizeof(number));
}

static bool
put_u32(struct packet_value *v, uint32_t number)
{
	return put(v, &number, sizeof(number));
}

static bool
put_name(struct packet_value *v, const char *name)
{
	char bytes[NAME_LEN] = {0};

	if (!name)
		return false;
	memcpy(bytes, name, strnlen(name, sizeof(bytes) - 1));
	return put(v, bytes, sizeof(bytes));
}

static bool
is_ipv4(const struct packet *p)
{
	return p->to.addr.family == AF_INET;
}

static bool
load_meta(const struct packet *p, uint32_t key, struct packet_value *v)
{
	switch (key) {
	case NFT_META_IIFNAME:
		return put_name(v, p->iif);
	case NFT_META_OIFNAME:
		return put_name(v, p->oif);
	case NFT_META_NFPROTO:
		return put_u8(v, is_ipv4(p) ? NFPROTO_IPV4 : NFPROTO_IPV6);
	case NFT_META_L4PROTO:
		return put_u8(v, p->protocol);
	case NFT_META_MARK:
		return put_u32(v, p->mark);
	default:
		return false;
	}
}

static bool
load_ct(const struct packet *p, const struct kexpr *e, struct packet_value *v)
{
	switch (e->key) {
	case NFT_CT_ZONE:
		return put_u16(v, e->code == KEXPR_DIR_REPLY ? p->zone_reply
							     : p->zone);
	case NFT_CT_DIRECTION:
		return put_u8(v, p->reply);
	case NFT_CT_MARK:
		return put_u32(v, p->ct_mark);
	case NFT_CT_STATUS:
		return put_u32(v, p->ct_status);
	default:
		return false;
	}
}

static bool
load_socket(const struct packet *p, uint32_t key, struct packet_value *v)
{
	if (!p->socket)
		return false;
	switch (key) {
	case NFT_SOCKET_TRANSPARENT:
		return put_u8(v, p->transparent);
	case NFT_SOCKET_WILDCARD:
		return put_u8(v, p->wildcard);
	case NFT_SOCKET_MARK:
		return put_u32(v, p->socket_mark);
	default:
		return false;
	}
}

static bool
load_fib(const struct packet *p, uint32_t key, struct packet_value *v)
{
	switch (key) {
	case NFT_FIB_RESULT_ADDRTYPE:
		return put_u32(v, p->fib_type);
	case NFT_FIB_RESULT_OIFNAME:
		return put_name(v, p->fib_oif ? p->fib_oif : "");
	default:
		return false;
	}
}

static size_t
saddr_at(const struct packet *p)
{
	return is_ipv4(p) ? SADDR4 : SADDR6;
}

static size_t
addr_len(const struct packet *p)
{
	return is_ipv4(p) ? 4 : 16;
}

/* The headers, as far as rules look at them. */
static void
fill_header(const struct packet *p, uint32_t base, uint8_t header[HEADER_LEN])
{
	uint16_t ports[2] = {htons(p->from.port), htons(p->to.port)};
	uint8_t *addrs = header + saddr_at(p);

	memset(header, 0, HEADER_LEN);
	if (base == NFT_PAYLOAD_NETWORK_HEADER) {
		memcpy(addrs, p->from.addr.bytes, addr_len(p));
		memcpy(addrs + addr_len(p), p->to.addr.bytes, addr_len(p));
		return;
	}
	memcpy(header, ports, sizeof(ports));
	if (p->protocol == IPPROTO_TCP)
		header[TCP_FLAGS_AT] = p->tcp_flags;
}

/* The second part of a pair stands right after the first. */
static bool
load_payload(const struct packet *p, const struct kexpr *e,
	     struct packet_value *v)
{
	uint8_t header[HEADER_LEN];
	size_t at = e->reg == KEXPR_REG_FIRST ? 0 : addr_len(p);

	if (e->offset + e->len > sizeof(header) ||
	    at + e->len > sizeof(v->bytes))
		return false;
	fill_header(p, e->key, header);
	if (at == 0)
		return put(v, header + e->offset, e->len);
	memcpy(v->bytes + at, header + e->offset, e->len);
	return true;
}

bool
packet_load(const struct packet *p, const struct kexpr *e,
	    struct packet_value *value)
{
	if (e->reg == KEXPR_REG_FIRST)
		value->load = e;
	value->second = e->reg == KEXPR_REG_FIRST ? NULL : e;
	value->bitwise = NULL;
	switch (e->kind) {
	case KEXPR_META:
		return load_meta(p, e->key, value);
	case KEXPR_CT:
		return load_ct(p, e, value);
	case KEXPR_PAYLOAD:
		return load_payload(p, e, value);
	case KEXPR_FIB:
		return load_fib(p, e->key, value);
	case KEXPR_SOCKET:
		return load_socket(p, e->key, value);
	case KEXPR_BITWISE:
	case KEXPR_CMP:
	case KEXPR_LOOKUP:
	case KEXPR_VMAP:
	case KEXPR_DYNSET:
	case KEXPR_IMMEDIATE:
	case KEXPR_META_SET:
	case KEXPR_CT_SET:
	case KEXPR_COUNTER:
	case KEXPR_VERDICT:
	case KEXPR_REJECT:
	case KEXPR_REDIRECT:
	case KEXPR_TPROXY:
	case KEXPR_NOTRACK:
	case KEXPR_OBJREF:
		break;
	}
	return false;
}

/* --- words -----------------------------------------------------------------
 */

/* What kind of thing a value is, whatever it was loaded from. */
enum sort {
	SORT_NAME, /* of an interface */
	SORT_FAMILY,
	SORT_PROTOCOL,
	SORT_MARK,
	SORT_DIRECTION,
	SORT_STATUS,
	SORT_ADDR,
	SORT_PORT,
	SORT_FLAGS,
	SORT_ROUTE_TYPE,
	SORT_BOOL,
	SORT_ZONE,
	SORT_OTHER,
};

/* What a load is called, and what it loads. */
struct term {
	const char *words;
	enum sort sort;
};

static struct term
payload_term(const struct packet *p, const struct kexpr *e)
{
	bool tcp = p->protocol == IPPROTO_TCP;

	if (e->key == NFT_PAYLOAD_NETWORK_HEADER) {
		if (e->offset == saddr_at(p))
			return (struct term){is_ipv4(p) ? "ip saddr"
							: "ip6 saddr",
					     SORT_ADDR};
		return (struct term){is_ipv4(p) ? "ip daddr" : "ip6 daddr",
				     SORT_ADDR};
	}
	if (e->offset == 0)
		return (struct term){tcp ? "tcp sport" : "udp sport",
				     SORT_PORT};
	if (e->offset == sizeof(uint16_t))
		return (struct term){tcp ? "tcp dport" : "udp dport",
				     SORT_PORT};
	if (tcp && e->offset == TCP_FLAGS_AT)
		return (struct term){"tcp flags", SORT_FLAGS};
	return (struct term){"what it carries", SORT_OTHER};
}

static struct term
meta_term(uint32_t key)
{
	switch (key) {
	case NFT_META_IIFNAME:
		return (struct term){"iifname", SORT_NAME};
	case NFT_META_OIFNAME:
		return (struct term){"oifname", SORT_NAME};
	case NFT_META_NFPROTO:
		return (struct term){"meta nfproto", SORT_FAMILY};
	case NFT_META_L4PROTO:
		return (struct term){"meta l4proto", SORT_PROTOCOL};
	case NFT_META_MARK:
		return (struct term){"meta mark", SORT_MARK};
	default:
		return (struct term){"meta", SORT_OTHER};
	}
}

static struct term
ct_term(uint32_t key)
{
	switch (key) {
	case NFT_CT_DIRECTION:
		return (struct term){"ct direction", SORT_DIRECTION};
	case NFT_CT_MARK:
		return (struct term){"ct mark", SORT_MARK};
	case NFT_CT_STATUS:
		return (struct term){"ct status", SORT_STATUS};
	case NFT_CT_ZONE:
		return (struct term){"ct zone", SORT_ZONE};
	default:
		return (struct term){"ct", SORT_OTHER};
	}
}

static struct term
socket_term(uint32_t key)
{
	switch (key) {
	case NFT_SOCKET_TRANSPARENT:
		return (struct term){"socket transparent", SORT_BOOL};
	case NFT_SOCKET_WILDCARD:
		return (struct term){"socket wildcard", SORT_BOOL};
	case NFT_SOCKET_MARK:
		return (struct term){"socket mark", SORT_MARK};
	default:
		return (struct term){"socket", SORT_OTHER};
	}
}

static struct term
load_term(const struct packet *p, const struct kexpr *e)
{
	if (!e)
		return (struct term){"value", SORT_OTHER};
	if (e->kind == KEXPR_META)
		return meta_term(e->key);
	if (e->kind == KEXPR_CT)
		return ct_term(e->key);
	if (e->kind == KEXPR_SOCKET)
		return socket_term(e->key);
	if (e->kind == KEXPR_FIB)
		return e->key == NFT_FIB_RESULT_OIFNAME
			       ? (struct term){"fib daddr oifname", SORT_NAME}
			       : (struct term){"fib daddr type",
					       SORT_ROUTE_TYPE};
	return payload_term(p, e);
}

static const char *
route_type_name(uint32_t type)
{
	switch (type) {
	case RTN_UNICAST:
		return "unicast";
	case RTN_LOCAL:
		return "local";
	case RTN_BROADCAST:
		return "broadcast";
	case RTN_MULTICAST:
		return "multicast";
	case RTN_UNREACHABLE:
		return "unreachable";
	default:
		return "another";
	}
}

static uint32_t
as_u32(const uint8_t *bytes)
{
	uint32_t number;

	memcpy(&number, bytes, sizeof(number));
	return number;
}

static uint16_t
as_u16(const uint8_t *bytes)
{
	uint16_t number;

	memcpy(&number, bytes, sizeof(number));
	return number;
}

static const char *
addr_text(struct arena *a, const struct packet *p, const uint8_t *bytes)
{
	struct addr addr = {.family = p->to.addr.family};
	char text[ADDR_TEXT_LEN];

	memcpy(addr.bytes, bytes, addr_len(p));
	return arena_strdup(a, addr_format(&addr, text));
}

static const char *
sort_text(struct arena *a, enum sort sort, const uint8_t *bytes,
	  const struct packet *p)
{
	switch (sort) {
	case SORT_NAME:
		return arena_printf(a, "\"%.*s\"", NAME_LEN,
				    (const char *)bytes);
	case SORT_FAMILY:
		return bytes[0] == NFPROTO_IPV4 ? "ipv4" : "ipv6";
	case SORT_PROTOCOL:
		return bytes[0] == IPPROTO_TCP ? "tcp" : "udp";
	case SORT_MARK:
		return arena_printf(a, "0x%08x", as_u32(bytes));
	case SORT_DIRECTION:
		return bytes[0] ? "reply" : "original";
	case SORT_STATUS:
		return as_u32(bytes) & PACKET_STATUS_DNAT ? "dnat" : "no dnat";
	case SORT_ADDR:
		return addr_text(a, p, bytes);
	case SORT_PORT:
		return arena_printf(a, "%u", bytes[0] << 8 | bytes[1]);
	case SORT_FLAGS:
		return arena_printf(a, "0x%02x", bytes[0]);
	case SORT_ROUTE_TYPE:
		return route_type_name(as_u32(bytes));
	case SORT_BOOL:
		return bytes[0] ? "1" : "0";
	case SORT_ZONE:
		return arena_printf(a, "%u", as_u16(bytes));
	case SORT_OTHER:
		break;
	}
	return "?";
}

/* A prefix is compared by its first bytes only: the packet has them all. */
static const char *
own_text(struct arena *a, const struct packet_value *v, struct term t,
	 const struct packet *p)
{
	if (t.sort == SORT_ADDR)
		return addr_text(a, p,
				 v->load->offset == saddr_at(p)
					 ? p->from.addr.bytes
					 : p->to.addr.bytes);
	return sort_text(a, t.sort, v->bytes, p);
}

const char *
packet_value_text(struct arena *arena, const struct packet_value *v,
		  const struct packet *p)
{
	return own_text(arena, v, load_term(p, v->load), p);
}

/* "10.0.0.0/9", of a match that looks at some bits of an address. */
static const char *
prefix_text(struct arena *a, const struct packet_value *v,
	    const struct kexpr *e, const struct packet *p)
{
	struct prefix prefix = {.addr.family = p->to.addr.family};
	char text[PREFIX_TEXT_LEN];
	uint32_t i;

	memcpy(prefix.addr.bytes, e->data, e->len);
	for (i = 0; i < e->len * 8; i++) {
		if (!v->bitwise || v->bitwise->data[i / 8] & 0x80 >> i % 8)
			prefix.len++;
	}
	return arena_strdup(a, prefix_format(&prefix, text));
}

/* The relation that does not hold, as a sentence. */
static const char *
relation(uint32_t op)
{
	switch (op) {
	case NFT_CMP_NEQ:
		return "is";
	case NFT_CMP_GTE:
	case NFT_CMP_GT:
		return "is below";
	case NFT_CMP_LTE:
	case NFT_CMP_LT:
		return "is above";
	default:
		return "is not";
	}
}

static const char *
compared_with(struct arena *a, const struct packet_value *v,
	      const struct kexpr *e, const struct packet *p, struct term t)
{
	if (t.sort == SORT_ADDR)
		return prefix_text(a, v, e, p);
	if (t.sort == SORT_NAME && e->len < NAME_LEN)
		return arena_printf(a, "\"%.*s*\"", (int)e->len,
				    (const char *)e->data);
	return sort_text(a, t.sort, e->data, p);
}

const char *
packet_why(struct arena *arena, const struct packet_value *v,
	   const struct kexpr *e, const struct packet *p)
{
	struct term t = load_term(p, v->load);
	const char *own = own_text(arena, v, t, p);

	if (e->kind != KEXPR_CMP && v->second)
		return arena_printf(arena, "%s . %s %s . %s is not in @%s",
				    t.words, load_term(p, v->second).words, own,
				    addr_text(arena, p, v->bytes + addr_len(p)),
				    e->name);
	if (e->kind != KEXPR_CMP)
		return arena_printf(arena, "%s %s is not in @%s", t.words, own,
				    e->name);
	if (t.sort == SORT_STATUS)
		return e->key == NFT_CMP_EQ ? "it was redirected"
					    : "it was not redirected";
	if (t.sort == SORT_FLAGS && e->key == NFT_CMP_NEQ)
		return NULL;
	if (t.sort == SORT_FLAGS || t.sort == SORT_OTHER)
		return arena_printf(arena, "its %s differ", t.words);
	return arena_printf(arena, "%s %s %s %s", t.words, own,
			    relation(e->key), compared_with(arena, v, e, p, t));
}

const char *
packet_missing(const struct kexpr *e)
{
	if (e->kind == KEXPR_SOCKET)
		return "it belongs to no socket of this box";
	if (e->kind == KEXPR_CT)
		return "conntrack has not seen it yet";
	return "there is no such thing in it";
}
