/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * origdst.h - where did the client of an accepted connection want to go?
 *
 * NAT rewrote the destination to bring the connection here, and only
 * conntrack remembers. Asks the socket; never guesses, opens no socket.
 */
#ifndef PROXYD_NET_ORIGDST_H
#define PROXYD_NET_ORIGDST_H

#include <stdbool.h>

#include "lib/inet.h"

/*
 * The destination that the client of accepted TCP socket `fd` asked for; if
 * no NAT was at work, that is the socket's own name. 0; -ENOENT if conntrack
 * has no entry or is not there; other -errno. On failure *ret_destination is
 * untouched. Source: SO_ORIGINAL_DST, nf_conntrack_proto.c.
 */
int origdst_find(int fd, int family, struct endpoint *ret_destination);

/*
 * A descriptor for origdst_untracked(), of this network namespace, which the
 * caller closes. -ENOENT: this kernel has no conntrack, or not yet; other
 * -errno.
 */
int origdst_open_count(void);

/*
 * Is conntrack at rest, with not even an entry of the connection that was
 * just accepted? Then no NAT can have brought it here, and -ENOENT of
 * origdst_find() means that its own name is what the client asked for. If
 * that cannot be told: no. `count_fd` is what origdst_open_count() gave.
 */
bool origdst_untracked(int count_fd);

#endif
