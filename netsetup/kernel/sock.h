/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sock.h - the sockets of this network namespace, whosever they are.
 */
#ifndef NETSETUP_KERNEL_SOCK_H
#define NETSETUP_KERNEL_SOCK_H

#include "lib/inet.h"
#include "netsetup/kernel/nl.h"

/* Which sockets are asked for. */
enum sock_kind {
	SOCK_KIND_BOUND,     /* tcp that listens, udp that has no peer */
	SOCK_KIND_CONNECTED, /* tcp from its first packet to its last */
};

struct sock_entry {
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	uint8_t state;	  /* TCP_* */
	struct endpoint local;
	struct endpoint remote; /* AF_UNSPEC: none */
	bool ipv4_too;		/* bound to any address of IPv6, and of IPv4 */
	uint32_t ifindex;	/* bound to this interface; 0: to none */
	uint32_t uid;
	uint32_t inode;
	uint32_t mark; /* SO_MARK; 0 without CAP_NET_ADMIN */
};

/*
 * Call `see` for every socket of that kind and protocol, both families, until
 * it returns false. `nl` is a NETLINK_SOCK_DIAG socket. The kernel sends
 * them bit by bit: one that comes or goes meanwhile may be seen or not. 0;
 * -ENOENT if this kernel has no socket diagnosis; else -errno. Source:
 * sock_diag(7).
 */
int sock_dump(struct nl *nl, uint8_t protocol, enum sock_kind kind,
	      bool (*see)(const struct sock_entry *entry, void *data),
	      void *data);

/* Does a packet to `to` come to this socket? Interfaces do not count. */
bool sock_hears(const struct sock_entry *entry, const struct endpoint *to);

#endif
