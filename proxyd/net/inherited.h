/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inherited.h - sockets that were there before this process.
 *
 * From the service manager, which kept them over a crash, or from the proxyd
 * that this one replaces. They are known by what they are, not by what
 * somebody says they are: a socket of clients, its protocol, its name. What
 * nobody takes is closed, with a note.
 */
#ifndef PROXYD_NET_INHERITED_H
#define PROXYD_NET_INHERITED_H

#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"

struct inherited_socket {
	int fd;	   /* owns; -1: it was taken */
	int proto; /* IPPROTO_TCP, which listens, or IPPROTO_UDP */
	struct endpoint at;
	uint64_t cookie; /* the same socket, by whatever descriptor */
};

/* Zeroed: none. */
struct inherited {
	struct inherited_socket *list; /* owns */
	size_t n;
};

/*
 * Look at a descriptor and own it from now on, if clients can arrive there;
 * it becomes close-on-exec and non-blocking. Else -errno, and it stays the
 * caller's: -ENOTSOCK; -EPROTOTYPE: a socket, but not of that kind; -EEXIST:
 * the same socket is there already; -ENOMEM.
 */
int inherited_add(struct inherited *in, int fd);

/*
 * The first one of this protocol and name that was not taken yet: from now
 * on it is the caller's. -1: there is none. No system calls.
 */
int inherited_take(struct inherited *in, int proto, const struct endpoint *at);

/* Close what nobody took, and say of each what it was. */
void inherited_close(struct inherited *in);

#endif
