/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proxyproto.h - a connection's first bytes say whose connection it is.
 *
 * The header of the PROXY protocol, version 1 (a line of text) and 2
 * (binary), as values: bytes in, endpoints out, and back. Only TCP over IPv4
 * and IPv6 is told; what else a header may speak of is refused. IPv4-mapped
 * addresses are IPv4. Says nothing about whom to believe.
 *
 * Source: doc/proxy-protocol.txt of HAProxy.
 */
#ifndef PROXYD_STREAM_PROXYPROTO_H
#define PROXYD_STREAM_PROXYPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"

enum {
	PROXYPROTO_LINE_MAX = 107, /* of version 1, as its text says */
	/* of version 2: the names of a certificate and a host have room */
	PROXYPROTO_MAX = 1024,
	/* what proxyproto_build() writes, and a NUL */
	PROXYPROTO_BUILD_MAX = PROXYPROTO_LINE_MAX + 1,
};

enum proxyproto_version {
	PROXYPROTO_V1 = 1,
	PROXYPROTO_V2,
};

struct proxyproto {
	uint32_t size; /* bytes of the header */
	/*
	 * LOCAL, UNKNOWN or UNSPEC: the connection's own addresses hold, and
	 * there are none here
	 */
	bool local;
	struct endpoint client; /* ports may be 0, addresses any */
	struct endpoint destination;
};

enum proxyproto_verdict {
	PROXYPROTO_MORE, /* so far it is one, but not to its end */
	PROXYPROTO_DONE, /* *ret is filled in */
	PROXYPROTO_BAD,	 /* it is none, whatever follows */
};

/*
 * Does `buf` begin with a header? Nothing beyond `len` is read; after
 * PROXYPROTO_MORE call again with the same bytes and more. BAD comes as early
 * as this: for a byte that cannot be, when it is there; for an address or a
 * port, when its field is over; for what follows the addresses of version 2,
 * when the header is whole.
 */
enum proxyproto_verdict proxyproto_parse(const char *buf, size_t len,
					 struct proxyproto *ret);

/*
 * Write the header for these two; returns its length. Of two families the
 * IPv4 address is written as IPv4-mapped IPv6. If one is not known (AF_UNSPEC)
 * it is UNKNOWN in version 1, LOCAL in version 2: all receivers take those.
 */
size_t proxyproto_build(enum proxyproto_version version,
			const struct endpoint *client,
			const struct endpoint *destination,
			char buf[PROXYPROTO_BUILD_MAX]);

#endif
