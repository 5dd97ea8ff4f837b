/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sock.h - small questions and orders to a socket.
 *
 * What is asked of a socket in more than one place. Opens none.
 */
#ifndef PROXYD_BASE_SOCK_H
#define PROXYD_BASE_SOCK_H

#include <stddef.h>

#include "lib/inet.h"

/* Both legs: a peer is lost when it is silent for so long. */
enum {
	SOCK_KEEP_IDLE_S = 300,
	SOCK_KEEP_INTERVAL_S = 60,
	SOCK_KEEP_PROBES = 5,
};

/* setsockopt() of an int. 0 or -errno. */
int sock_set(int fd, int level, int option, int value);

/*
 * Let it have addresses that are not the box's: bind to them, or accept
 * what was sent to them. 0 or -errno. Source: ip(7), IP_TRANSPARENT.
 */
int sock_set_transparent(int fd, int family);

/*
 * Have the kernel ask a silent peer of a TCP socket whether it is there, and
 * end the connection with ETIMEDOUT after SOCK_KEEP_* without an answer:
 * ten minutes. Sockets that a listening one accepts inherit it. 0 or -errno.
 * Source: tcp(7).
 */
int sock_keep_alive(int fd);

/* bind(2). 0 or -errno. */
int sock_bind(int fd, const struct endpoint *e);

/*
 * connect(2), called again when it is interrupted: one that has begun is in
 * the way of the next, -EALREADY, where it does not wait. 0 or -errno.
 */
int sock_connect(int fd, const struct endpoint *e);

/* The error that waits on the socket, taken off it: 0 or a positive errno. */
int sock_take_error(int fd);

/* Bytes that the peer has not acknowledged yet; 0 if that is not known. */
size_t sock_unsent(int fd);

/* The socket's own name. Family AF_UNSPEC if it has none. */
struct endpoint sock_name(int fd);

/* Close, so that the peer gets a reset. Source: socket(7), SO_LINGER. */
void sock_reset(int fd);

#endif
