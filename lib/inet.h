/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inet.h - addresses, networks, ports and endpoints as values.
 *
 * IPv4 and IPv6 alike. Ports are host order inside and change order only
 * where a sockaddr is made or read, that is, here. IPv4-mapped IPv6
 * addresses are turned into IPv4 when a sockaddr is read. No system calls.
 */
#ifndef LIB_INET_H
#define LIB_INET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* An address. Unused bytes are zero, so memcmp() compares two of them. */
struct addr {
	uint8_t family;	   /* AF_INET, AF_INET6; AF_UNSPEC: none */
	uint8_t bytes[16]; /* network order */
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* host order */
};

/* A network; len counts bits. Host bits are zero. */
struct prefix {
	struct addr addr;
	uint8_t len;
};

/* Ports low to high, both inside, host order. */
struct port_range {
	uint16_t low;
	uint16_t high;
};

union sockaddr_any {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage storage;
};

enum {
	ADDR_TEXT_LEN = INET6_ADDRSTRLEN,
	ENDPOINT_TEXT_LEN = INET6_ADDRSTRLEN + sizeof("[]:65535"),
	PREFIX_TEXT_LEN = INET6_ADDRSTRLEN + sizeof("/128"),
	PORTS_TEXT_LEN = sizeof("65535-65535"),
};

/* "inet_family_name(AF_INET)" is "ipv4"; "ipv6"; else "none". */
const char *inet_family_name(int family);

/* Bits in an address of this family: 32, 128 or 0. */
unsigned int addr_bits(const struct addr *a);

/* Parse `text` (no port, no prefix). 0, or -EINVAL with *ret_addr untouched. */
int addr_parse(const char *text, struct addr *ret_addr);

/* The usual text (RFC 5952 for IPv6). Returns `buf`. */
const char *addr_format(const struct addr *a, char buf[ADDR_TEXT_LEN]);

bool addr_equal(const struct addr *a, const struct addr *b);
int addr_compare(const struct addr *a, const struct addr *b);
bool addr_is_any(const struct addr *a);
bool addr_is_loopback(const struct addr *a);
/* Not the unspecified address, multicast or IPv4 broadcast (all ones). */
bool addr_is_unicast(const struct addr *a);
/* IPv6 fe80::/10 or IPv4 169.254/16. */
bool addr_is_link_local(const struct addr *a);

/*
 * Parse "ADDR" or "ADDR/LEN". 0; -EINVAL for bad text; -ERANGE if bits
 * beyond the prefix are set, and then *ret_prefix holds the corrected one.
 */
int prefix_parse(const char *text, struct prefix *ret_prefix);

/* "10.0.0.0/8"; a host prefix prints without its length. Returns `buf`. */
const char *prefix_format(const struct prefix *p, char buf[PREFIX_TEXT_LEN]);

bool prefix_contains(const struct prefix *p, const struct addr *a);
/* Is every address of `inner` in `outer`? */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_is_host(const struct prefix *p);
/* The last address of the network. */
struct addr prefix_last(const struct prefix *p);

/* Parse "80" or "1024-2047", 1-65535, low <= high. 0 or -EINVAL. */
int port_range_parse(const char *text, struct port_range *ret_range);
const char *port_range_format(const struct port_range *r,
			      char buf[PORTS_TEXT_LEN]);

/* Parse "1.2.3.4:80", "[::1]:80" or, with port 0 in the result, "1.2.3.4",
 * "::1", "[::1]". 0 or -EINVAL. */
int endpoint_parse(const char *text, struct endpoint *ret_endpoint);

/* "1.2.3.4:80", "[::1]:80"; port 0 is left out; AF_UNSPEC is "-". */
const char *endpoint_format(const struct endpoint *e,
			    char buf[ENDPOINT_TEXT_LEN]);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* Read a sockaddr; family AF_UNSPEC for anything but IPv4 and IPv6. */
struct endpoint endpoint_from_sockaddr(const union sockaddr_any *sa);

/* Fill `sa`; returns its length, 0 for AF_UNSPEC. */
socklen_t endpoint_to_sockaddr(const struct endpoint *e,
			       union sockaddr_any *sa);

#endif
