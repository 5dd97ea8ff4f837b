/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/inet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/str.h"

const char *
inet_family_name(int family)
{
	if (family == AF_INET)
		return "ipv4";
	return family == AF_INET6 ? "ipv6" : "none";
}

unsigned int
addr_bits(const struct addr *a)
{
	if (a->family == AF_INET)
		return 32;
	return a->family == AF_INET6 ? 128 : 0;
}

int
addr_parse(const char *text, struct addr *ret_addr)
{
	struct addr a = {0};

	a.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(a.family, text, a.bytes) != 1)
		return -EINVAL;
	*ret_addr = a;
	return 0;
}

/*
 * Text of addresses stands in the record of every flow, and inet_ntop() is
 * made of sprintf(): so the usual ones are written here.
 */
static void
format_ipv4(const uint8_t bytes[4], char *at)
{
	size_t i;

	for (i = 0; i < 4; i++) {
		if (bytes[i] >= 100)
			*at++ = (char)('0' + bytes[i] / 100);
		if (bytes[i] >= 10)
			*at++ = (char)('0' + bytes[i] / 10 % 10);
		*at++ = (char)('0' + bytes[i] % 10);
		*at++ = i < 3 ? '.' : '\0';
	}
}

/* The longest run of zero groups, the first of those, at least two. */
static void
find_gap(const unsigned int groups[8], unsigned int *ret_at,
	 unsigned int *ret_len)
{
	unsigned int i, n;

	*ret_at = 8;
	*ret_len = 1;
	for (i = 0; i < 8; i += n + 1) {
		for (n = 0; i + n < 8 && !groups[i + n]; n++)
			;
		if (n <= *ret_len)
			continue;
		*ret_at = i;
		*ret_len = n;
	}
}

/* RFC 5952; the first group is not zero. */
static void
format_ipv6(const uint8_t bytes[16], char *at)
{
	static const char hex[] = "0123456789abcdef";
	unsigned int groups[8], gap, len, i;
	int shift;

	for (i = 0; i < 8; i++)
		groups[i] = (unsigned int)bytes[2 * i] << 8 | bytes[2 * i + 1];
	find_gap(groups, &gap, &len);
	for (i = 0; i < 8; i++) {
		if (i == gap) {
			*at++ = ':';
			i += len - 1;
			if (i == 7)
				*at++ = ':';
			continue;
		}
		if (i)
			*at++ = ':';
		for (shift = 12; shift && !(groups[i] >> shift); shift -= 4)
			;
		for (; shift >= 0; shift -= 4)
			*at++ = hex[groups[i] >> shift & 15];
	}
	*at = '\0';
}

const char *
addr_format(const struct addr *a, char buf[ADDR_TEXT_LEN])
{
	if (a->family == AF_INET) {
		format_ipv4(a->bytes, buf);
		return buf;
	}
	if (a->family == AF_INET6 && (a->bytes[0] || a->bytes[1])) {
		format_ipv6(a->bytes, buf);
		return buf;
	}
	if (!inet_ntop(a->family, a->bytes, buf, ADDR_TEXT_LEN))
		snprintf(buf, ADDR_TEXT_LEN, "-");
	return buf;
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

int
addr_compare(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

bool
addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return !memcmp(a->bytes, zero, sizeof(zero));
}

bool
addr_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	if (a->family == AF_INET)
		return a->bytes[0] == 127;
	return a->family == AF_INET6 && !memcmp(a->bytes, one, sizeof(one));
}

bool
addr_is_unicast(const struct addr *a)
{
	if (a->family == AF_UNSPEC || addr_is_any(a))
		return false;
	if (a->family == AF_INET6)
		return a->bytes[0] != 0xff;
	return (a->bytes[0] & 0xf0) != 0xe0 &&
	       memcmp(a->bytes, "\xff\xff\xff\xff", 4) != 0;
}

bool
addr_is_link_local(const struct addr *a)
{
	if (a->family == AF_INET)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->family == AF_INET6 && a->bytes[0] == 0xfe &&
	       (a->bytes[1] & 0xc0) == 0x80;
}

/* Parse decimal digits only, up to `max`; -1 if it is anything else. */
static long
parse_number(const char *text, long max)
{
	size_t i, len = strlen(text);
	long n = 0;

	if (!len || len > 5)
		return -1;
	for (i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		n = 10 * n + (text[i] - '0');
	}
	return n <= max ? n : -1;
}

/* The bits of byte `i` that belong to a prefix of `len` bits. */
static uint8_t
prefix_byte_mask(unsigned int i, unsigned int len)
{
	if (8 * i + 8 <= len)
		return 0xff;
	if (8 * i >= len)
		return 0;
	return (uint8_t)(0xff << (8 - len % 8));
}

static bool
clear_host_bits(struct prefix *p)
{
	bool cleared = false;
	unsigned int i;
	uint8_t mask;

	for (i = 0; i < addr_bits(&p->addr) / 8; i++) {
		mask = prefix_byte_mask(i, p->len);
		cleared |= p->addr.bytes[i] & ~mask;
		p->addr.bytes[i] &= mask;
	}
	return cleared;
}

int
prefix_parse(const char *text, struct prefix *ret_prefix)
{
	char buf[PREFIX_TEXT_LEN];
	struct prefix p = {0};
	char *slash;
	long len;

	if (strlen(text) >= sizeof(buf))
		return -EINVAL;
	strcpy(buf, text);
	slash = strchr(buf, '/');
	if (slash)
		*slash = '\0';
	if (addr_parse(buf, &p.addr) < 0)
		return -EINVAL;
	len = addr_bits(&p.addr);
	if (slash)
		len = parse_number(slash + 1, len);
	if (len < 0)
		return -EINVAL;
	p.len = (uint8_t)len;
	if (clear_host_bits(&p)) {
		*ret_prefix = p;
		return -ERANGE;
	}
	*ret_prefix = p;
	return 0;
}

const char *
prefix_format(const struct prefix *p, char buf[PREFIX_TEXT_LEN])
{
	char addr[ADDR_TEXT_LEN];

	addr_format(&p->addr, addr);
	if (prefix_is_host(p))
		snprintf(buf, PREFIX_TEXT_LEN, "%s", addr);
	else
		snprintf(buf, PREFIX_TEXT_LEN, "%s/%u", addr, p->len);
	return buf;
}

bool
prefix_contains(const struct prefix *p, const struct addr *a)
{
	unsigned int i;

	if (p->addr.family != a->family)
		return false;
	for (i = 0; 8 * i < p->len; i++)
		if ((p->addr.bytes[i] ^ a->bytes[i]) &
		    prefix_byte_mask(i, p->len))
			return false;
	return true;
}

bool
prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && prefix_contains(outer, &inner->addr);
}

bool
prefix_is_host(const struct prefix *p)
{
	return p->len == addr_bits(&p->addr);
}

struct addr
prefix_last(const struct prefix *p)
{
	struct addr last = p->addr;
	unsigned int i;

	for (i = 0; i < addr_bits(&last) / 8; i++)
		last.bytes[i] |= (uint8_t)~prefix_byte_mask(i, p->len);
	return last;
}

int
port_range_parse(const char *text, struct port_range *ret_range)
{
	char buf[PORTS_TEXT_LEN];
	char *dash;
	long low, high;

	if (strlen(text) >= sizeof(buf))
		return -EINVAL;
	strcpy(buf, text);
	dash = strchr(buf, '-');
	if (dash)
		*dash = '\0';
	low = parse_number(buf, UINT16_MAX);
	high = dash ? parse_number(dash + 1, UINT16_MAX) : low;
	if (low < 1 || high < low)
		return -EINVAL;
	ret_range->low = (uint16_t)low;
	ret_range->high = (uint16_t)high;
	return 0;
}

const char *
port_range_format(const struct port_range *r, char buf[PORTS_TEXT_LEN])
{
	if (r->low == r->high)
		snprintf(buf, PORTS_TEXT_LEN, "%u", r->low);
	else
		snprintf(buf, PORTS_TEXT_LEN, "%u-%u", r->low, r->high);
	return buf;
}

/*
 * Cut "HOST:PORT" or "[HOST]:PORT" in `buf` in two. Sets *ret_port to the
 * text behind the colon, or NULL where there is none.
 */
static int
split_port(char *buf, char **ret_host, char **ret_port)
{
	char *end = strchr(buf, ':');

	*ret_host = buf;
	*ret_port = NULL;
	if (buf[0] == '[') {
		*ret_host = buf + 1;
		end = strchr(buf, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		if (end[1])
			*ret_port = end + 2;
		*end = '\0';
		return strchr(*ret_host, ':') ? 0 : -EINVAL;
	}
	/* two colons: a bare IPv6 address, which has no port */
	if (end && end == strrchr(buf, ':')) {
		*end = '\0';
		*ret_port = end + 1;
	}
	return 0;
}

int
endpoint_parse(const char *text, struct endpoint *ret_endpoint)
{
	char buf[ENDPOINT_TEXT_LEN];
	struct endpoint e = {0};
	char *host, *port;
	long n = 0;

	if (strlen(text) >= sizeof(buf))
		return -EINVAL;
	strcpy(buf, text);
	if (split_port(buf, &host, &port) < 0 || addr_parse(host, &e.addr) < 0)
		return -EINVAL;
	if (port)
		n = parse_number(port, UINT16_MAX);
	if (n < 0 || (port && !n))
		return -EINVAL;
	e.port = (uint16_t)n;
	*ret_endpoint = e;
	return 0;
}

const char *
endpoint_format(const struct endpoint *e, char buf[ENDPOINT_TEXT_LEN])
{
	bool bracket = e->port && e->addr.family == AF_INET6;
	char port[STR_DECIMAL_LEN] = "";
	size_t n;

	if (bracket)
		buf[0] = '[';
	addr_format(&e->addr, buf + bracket);
	if (!e->port)
		return buf;
	n = strlen(buf);
	if (bracket)
		buf[n++] = ']';
	buf[n++] = ':';
	memcpy(buf + n, port, str_decimal(e->port, port) + 1);
	return buf;
}

bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

struct endpoint
endpoint_from_sockaddr(const union sockaddr_any *sa)
{
	struct endpoint e = {0};
	const struct in6_addr *a6 = &sa->in6.sin6_addr;

	if (sa->sa.sa_family == AF_INET) {
		e.addr.family = AF_INET;
		memcpy(e.addr.bytes, &sa->in.sin_addr, 4);
		e.port = ntohs(sa->in.sin_port);
	} else if (sa->sa.sa_family == AF_INET6) {
		e.port = ntohs(sa->in6.sin6_port);
		e.addr.family = AF_INET6;
		if (IN6_IS_ADDR_V4MAPPED(a6)) {
			e.addr.family = AF_INET;
			memcpy(e.addr.bytes, a6->s6_addr + 12, 4);
		} else {
			memcpy(e.addr.bytes, a6, 16);
		}
	}
	return e;
}

socklen_t
endpoint_to_sockaddr(const struct endpoint *e, union sockaddr_any *sa)
{
	/* not all of the storage: this is done for every connection */
	memset(sa, 0, sizeof(sa->in6));
	sa->sa.sa_family = e->addr.family;
	if (e->addr.family == AF_INET) {
		sa->in.sin_port = htons(e->port);
		memcpy(&sa->in.sin_addr, e->addr.bytes, 4);
		return sizeof(sa->in);
	}
	if (e->addr.family == AF_INET6) {
		sa->in6.sin6_port = htons(e->port);
		memcpy(&sa->in6.sin6_addr, e->addr.bytes, 16);
		return sizeof(sa->in6);
	}
	return 0;
}
