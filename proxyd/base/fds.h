/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fds.h - how many flows do a process's descriptors allow?
 *
 * A flow has two of them, sockets to client and server; so has a pipe, which
 * a flow borrows while bulk passes.
 */
#ifndef PROXYD_BASE_FDS_H
#define PROXYD_BASE_FDS_H

#include <stddef.h>
#include <stdint.h>

enum { FDS_PIPES_MAX = 256 };

/* How many pipes may a process with so many descriptors have? */
unsigned int fds_pipes(uint64_t limit);

/*
 * So many as are `wanted` (0: as many as can be), but no more than the soft
 * limit allows beside `others` descriptors, the pipes, and some for logs,
 * netlink and the like. At least 1.
 */
uint32_t fds_flows(uint32_t wanted, size_t others);

#endif
