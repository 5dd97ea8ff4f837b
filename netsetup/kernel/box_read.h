/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * box_read.h - interfaces, ip rules and routes of this box, whosever they
 * are.
 */
#ifndef NETSETUP_KERNEL_BOX_READ_H
#define NETSETUP_KERNEL_BOX_READ_H

#include "netsetup/doctor/box.h"
#include "netsetup/kernel/nl.h"

/*
 * Fill interfaces, ip rules and routes of *b, which must be zeroed, in
 * `arena`. Of routes: defaults of the main table and of those that others'
 * ip rules name, and all of `table` that are not ours. `nl` is a route
 * socket. 0; -EINTR if something changed meanwhile: begin anew; else -errno.
 */
int box_read(struct nl *nl, struct arena *arena, uint32_t table, struct box *b);

#endif
