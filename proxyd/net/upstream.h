/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * upstream.h - the connection to a server, from an address of our choice.
 *
 * A spoofed source needs a transparent socket, and the mark UPSTREAM by
 * which netsetup's rules keep this leg in a conntrack zone of its own and
 * bring the answers back. A socket with our own address has neither.
 * Chooses no server and no address.
 */
#ifndef PROXYD_NET_UPSTREAM_H
#define PROXYD_NET_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/inet.h"

struct upstream {
	struct endpoint target;
	/* AF_UNSPEC: routing chooses; port 0: the kernel chooses */
	struct endpoint source;
	uint32_t mark; /* of a spoofing socket; 0: not spoofing */
};

/*
 * Begin to connect, without waiting. 0 and the descriptor, now the caller's;
 * -EADDRNOTAVAIL or -EADDRINUSE if the source is taken; -EPERM if a packet
 * filter or a leftover of conntrack's forbids it; other -errno.
 */
int upstream_connect(const struct upstream *u, int *ret_fd);

#endif
