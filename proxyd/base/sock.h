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

/* setsockopt() of an int. 0 or -errno. */
int sock_set(int fd, int level, int option, int value);

/* The error that waits on the socket, taken off it: 0 or a positive errno. */
int sock_take_error(int fd);

/* Bytes that the peer has not acknowledged yet; 0 if that is not known. */
size_t sock_unsent(int fd);

/* The socket's own name. Family AF_UNSPEC if it has none. */
struct endpoint sock_name(int fd);

/* Close, so that the peer gets a reset. Source: socket(7), SO_LINGER. */
void sock_reset(int fd);

#endif
