/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proxyproto.c - the two formats of proxyproto.h.
 *
 * Both begin with bytes that the other does not have. The line is read field
 * by field, by small functions that give a verdict and move a cursor. It is
 * read from its beginning each time: it is short, and comes at once.
 *
 * Of a header that keeps the connection's own addresses nothing but its
 * length is looked at: nothing in it is believed.
 */
#include "proxyd/stream/proxyproto.h"

#include <stdio.h>
#include <string.h>

/* Where a line is read, and where what is there ends. */
struct cursor {
	const char *at;
	const char *end;
};

static struct endpoint
endpoint_of(int family, const void *bytes, unsigned int port)
{
	union sockaddr_any sa = {0};

	sa.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		memcpy(&sa.in.sin_addr, bytes, 4);
		sa.in.sin_port = htons((uint16_t)port);
	} else {
		memcpy(&sa.in6.sin6_addr, bytes, 16);
		sa.in6.sin6_port = htons((uint16_t)port);
	}
	/* which knows about mapped ones */
	return endpoint_from_sockaddr(&sa);
}

/* --- version 1 ------------------------------------------------------------ */

/* This text. Moves on if all of it is there. */
static enum proxyproto_verdict
read_text(struct cursor *c, const char *text)
{
	size_t len = strlen(text), there = (size_t)(c->end - c->at);

	if (memcmp(c->at, text, there < len ? there : len) != 0)
		return PROXYPROTO_BAD;
	if (there < len)
		return PROXYPROTO_MORE;
	c->at += len;
	return PROXYPROTO_DONE;
}

/* A field of at most `most` of these characters, and what ends it. */
static enum proxyproto_verdict
read_field(struct cursor *c, const char *characters, size_t most, char end,
	   char text[ADDR_TEXT_LEN])
{
	size_t n;

	for (n = 0; c->at + n < c->end && c->at[n] != end; n++)
		if (n == most || !c->at[n] || !strchr(characters, c->at[n]))
			return PROXYPROTO_BAD;
	if (c->at + n == c->end)
		return PROXYPROTO_MORE;
	if (n == 0)
		return PROXYPROTO_BAD;
	memcpy(text, c->at, n);
	text[n] = '\0';
	c->at += n + 1;
	return PROXYPROTO_DONE;
}

static enum proxyproto_verdict
read_addr(struct cursor *c, int family, struct addr *ret_addr)
{
	const char *characters =
		family == AF_INET6 ? "0123456789abcdefABCDEF:." : "0123456789.";
	size_t most =
		family == AF_INET6 ? INET6_ADDRSTRLEN - 1 : INET_ADDRSTRLEN - 1;
	enum proxyproto_verdict verdict;
	char text[ADDR_TEXT_LEN];

	verdict = read_field(c, characters, most, ' ', text);
	if (verdict != PROXYPROTO_DONE)
		return verdict;
	if (addr_parse(text, ret_addr) < 0 || ret_addr->family != family)
		return PROXYPROTO_BAD;
	return PROXYPROTO_DONE;
}

static enum proxyproto_verdict
read_port(struct cursor *c, char end, unsigned int *ret_port)
{
	enum proxyproto_verdict verdict;
	char text[ADDR_TEXT_LEN];
	unsigned int port = 0;
	const char *s;

	verdict = read_field(c, "0123456789", 5, end, text);
	if (verdict != PROXYPROTO_DONE)
		return verdict;
	for (s = text; *s; s++)
		port = 10 * port + (unsigned int)(*s - '0');
	if (port > UINT16_MAX || (text[0] == '0' && text[1]))
		return PROXYPROTO_BAD;
	*ret_port = port;
	return PROXYPROTO_DONE;
}

/* The family of the addresses; AF_UNSPEC: there are none. */
static enum proxyproto_verdict
read_family(struct cursor *c, int *ret_family)
{
	static const struct {
		const char *text;
		int family;
	} rows[] = {
		{"TCP4 ", AF_INET},
		{"TCP6 ", AF_INET6},
		{"UNKNOWN", AF_UNSPEC},
	};
	enum proxyproto_verdict verdict, best = PROXYPROTO_BAD;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		verdict = read_text(c, rows[i].text);
		if (verdict == PROXYPROTO_DONE)
			*ret_family = rows[i].family;
		if (verdict != PROXYPROTO_BAD)
			best = verdict;
		if (verdict == PROXYPROTO_DONE)
			break;
	}
	return best;
}

/* What follows UNKNOWN: the end, or a space and whatever it may be. */
static enum proxyproto_verdict
skip_line(struct cursor *c)
{
	if (c->at < c->end && *c->at != ' ' && *c->at != '\r')
		return PROXYPROTO_BAD;
	while (c->at < c->end && *c->at != '\r' && *c->at != '\n')
		c->at++;
	return read_text(c, "\r\n");
}

static enum proxyproto_verdict
read_endpoints(struct cursor *c, int family, struct proxyproto *ret)
{
	enum proxyproto_verdict verdict;
	unsigned int ports[2];
	struct addr addrs[2];

	verdict = read_addr(c, family, &addrs[0]);
	if (verdict == PROXYPROTO_DONE)
		verdict = read_addr(c, family, &addrs[1]);
	if (verdict == PROXYPROTO_DONE)
		verdict = read_port(c, ' ', &ports[0]);
	if (verdict == PROXYPROTO_DONE)
		verdict = read_port(c, '\r', &ports[1]);
	if (verdict == PROXYPROTO_DONE)
		verdict = read_text(c, "\n");
	if (verdict != PROXYPROTO_DONE)
		return verdict;
	ret->client = endpoint_of(family, addrs[0].bytes, ports[0]);
	ret->destination = endpoint_of(family, addrs[1].bytes, ports[1]);
	return PROXYPROTO_DONE;
}

static enum proxyproto_verdict
parse_line(const char *buf, size_t len, struct proxyproto *ret)
{
	bool full = len >= PROXYPROTO_LINE_MAX;
	struct cursor c = {buf, buf + (full ? PROXYPROTO_LINE_MAX : len)};
	enum proxyproto_verdict verdict;
	int family;

	verdict = read_text(&c, "PROXY ");
	if (verdict == PROXYPROTO_DONE)
		verdict = read_family(&c, &family);
	if (verdict == PROXYPROTO_DONE && family == AF_UNSPEC)
		verdict = skip_line(&c);
	else if (verdict == PROXYPROTO_DONE)
		verdict = read_endpoints(&c, family, ret);
	if (verdict == PROXYPROTO_MORE && full)
		return PROXYPROTO_BAD;
	if (verdict == PROXYPROTO_DONE) {
		ret->local = family == AF_UNSPEC;
		ret->size = (uint32_t)(c.at - buf);
	}
	return verdict;
}

/* --- version 2 ------------------------------------------------------------ */

static const uint8_t signature[12] = "\r\n\r\n\0\r\nQUIT\n";

enum {
	HEAD_LEN = 16, /* signature, command, family, length */
	COMMAND_LOCAL = 0x20,
	COMMAND_PROXY = 0x21,
	FAMILY_UNSPEC = 0x00,
	FAMILY_TCP4 = 0x11,
	FAMILY_TCP6 = 0x21,
	ENDPOINTS4_LEN = 2 * 4 + 2 * 2,
	ENDPOINTS6_LEN = 2 * 16 + 2 * 2,
	TLV_HEAD_LEN = 3,
	TLV_CRC32C = 0x03,
};

static unsigned int
get_u16(const uint8_t *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

static uint32_t
get_u32(const uint8_t *at)
{
	return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

/* RFC 4960 Appendix B; with what is between `from` and `to` taken as zero. */
static uint32_t
crc32c(const uint8_t *p, size_t len, size_t from, size_t to)
{
	uint32_t crc = UINT32_MAX;
	size_t i;
	int bit;

	for (i = 0; i < len; i++) {
		crc ^= i >= from && i < to ? 0 : p[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* Is what follows the addresses a row of TLVs, with the right checksum? */
static bool
check_tlvs(const uint8_t *p, size_t at, size_t size)
{
	size_t value, end, sum_at = 0;

	while (at < size) {
		value = at + TLV_HEAD_LEN;
		if (value > size)
			return false;
		end = value + get_u16(p + at + 1);
		if (end > size)
			return false;
		if (p[at] == TLV_CRC32C) {
			if (sum_at || end - value != 4)
				return false;
			sum_at = value;
		}
		at = end;
	}
	return !sum_at ||
	       get_u32(p + sum_at) == crc32c(p, size, sum_at, sum_at + 4);
}

/* Command and family: may they be? *ret_len: bytes of the endpoints. */
static bool
check_kind(const uint8_t *p, size_t len, size_t *ret_len)
{
	*ret_len = 0;
	if (len <= 12 || p[12] == COMMAND_LOCAL)
		return true;
	if (p[12] != COMMAND_PROXY)
		return false;
	if (len <= 13 || p[13] == FAMILY_UNSPEC)
		return true;
	*ret_len = p[13] == FAMILY_TCP6 ? ENDPOINTS6_LEN : ENDPOINTS4_LEN;
	return p[13] == FAMILY_TCP4 || p[13] == FAMILY_TCP6;
}

static enum proxyproto_verdict
parse_binary(const uint8_t *p, size_t len, struct proxyproto *ret)
{
	size_t endpoints_len, size, addr_len;
	const uint8_t *at = p + HEAD_LEN;
	int family;

	if (memcmp(p, signature, len < 12 ? len : 12) != 0 ||
	    !check_kind(p, len, &endpoints_len))
		return PROXYPROTO_BAD;
	if (len < HEAD_LEN)
		return PROXYPROTO_MORE;
	size = HEAD_LEN + get_u16(p + 14);
	if (size > PROXYPROTO_MAX || size < HEAD_LEN + endpoints_len)
		return PROXYPROTO_BAD;
	if (len < size)
		return PROXYPROTO_MORE;
	ret->size = (uint32_t)size;
	ret->local = !endpoints_len;
	if (ret->local)
		return PROXYPROTO_DONE;
	if (!check_tlvs(p, HEAD_LEN + endpoints_len, size))
		return PROXYPROTO_BAD;
	family = endpoints_len == ENDPOINTS6_LEN ? AF_INET6 : AF_INET;
	addr_len = (endpoints_len - 2 * 2) / 2;
	ret->client = endpoint_of(family, at, get_u16(at + 2 * addr_len));
	ret->destination = endpoint_of(family, at + addr_len,
				       get_u16(at + 2 * addr_len + 2));
	return PROXYPROTO_DONE;
}

enum proxyproto_verdict
proxyproto_parse(const char *buf, size_t len, struct proxyproto *ret)
{
	enum proxyproto_verdict verdict;
	struct proxyproto header = {0};

	if (len == 0)
		return PROXYPROTO_MORE;
	if (buf[0] == 'P')
		verdict = parse_line(buf, len, &header);
	else
		verdict = parse_binary((const uint8_t *)buf, len, &header);
	if (verdict == PROXYPROTO_DONE)
		*ret = header;
	return verdict;
}

/* --- the other way -------------------------------------------------------- */

static struct addr
as_ipv6(const struct addr *a)
{
	struct addr mapped = {AF_INET6, {[10] = 0xff, [11] = 0xff}};

	if (a->family == AF_INET6)
		return *a;
	memcpy(mapped.bytes + 12, a->bytes, 4);
	return mapped;
}

static size_t
build_line(const struct addr addrs[2], const uint16_t ports[2],
	   char buf[PROXYPROTO_BUILD_MAX])
{
	char text[2][ADDR_TEXT_LEN];
	int n;

	n = snprintf(buf, PROXYPROTO_BUILD_MAX, "PROXY TCP%c %s %s %u %u\r\n",
		     addrs[0].family == AF_INET6 ? '6' : '4',
		     addr_format(&addrs[0], text[0]),
		     addr_format(&addrs[1], text[1]), ports[0], ports[1]);
	return (size_t)n;
}

static size_t
build_binary(const struct addr addrs[2], const uint16_t ports[2], uint8_t *buf)
{
	size_t addr_len = addr_bits(&addrs[0]) / 8, i;
	uint8_t *at = buf;

	memcpy(at, signature, sizeof(signature));
	at += sizeof(signature);
	*at++ = COMMAND_PROXY;
	*at++ = addrs[0].family == AF_INET6 ? FAMILY_TCP6 : FAMILY_TCP4;
	*at++ = 0;
	*at++ = (uint8_t)(2 * addr_len + 2 * 2);
	for (i = 0; i < 2; i++, at += addr_len)
		memcpy(at, addrs[i].bytes, addr_len);
	for (i = 0; i < 2; i++) {
		*at++ = (uint8_t)(ports[i] >> 8);
		*at++ = (uint8_t)ports[i];
	}
	return (size_t)(at - buf);
}

/* Nothing to tell: the connection stands for itself. */
static size_t
build_local(enum proxyproto_version version, char buf[PROXYPROTO_BUILD_MAX])
{
	static const char line[] = "PROXY UNKNOWN\r\n";

	if (version == PROXYPROTO_V1) {
		memcpy(buf, line, sizeof(line));
		return sizeof(line) - 1;
	}
	memset(buf, 0, HEAD_LEN);
	memcpy(buf, signature, sizeof(signature));
	buf[12] = COMMAND_LOCAL;
	return HEAD_LEN;
}

size_t
proxyproto_build(enum proxyproto_version version, const struct endpoint *client,
		 const struct endpoint *destination,
		 char buf[PROXYPROTO_BUILD_MAX])
{
	const uint16_t ports[2] = {client->port, destination->port};
	struct addr addrs[2] = {client->addr, destination->addr};

	if (!addrs[0].family || !addrs[1].family)
		return build_local(version, buf);
	if (addrs[0].family != addrs[1].family) {
		addrs[0] = as_ipv6(&addrs[0]);
		addrs[1] = as_ipv6(&addrs[1]);
	}
	if (version == PROXYPROTO_V1)
		return build_line(addrs, ports, buf);
	return build_binary(addrs, ports, (uint8_t *)buf);
}
