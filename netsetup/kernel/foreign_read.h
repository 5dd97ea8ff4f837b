/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * foreign_read.h - rules and flowtables of other tables.
 */
#ifndef NETSETUP_KERNEL_FOREIGN_READ_H
#define NETSETUP_KERNEL_FOREIGN_READ_H

#include "netsetup/doctor/foreign.h"
#include "netsetup/kernel/nl.h"

/*
 * Fill rules and flowtables of *f in `arena`; chains are left as they are.
 * `nl` is a netfilter socket. 0; -EINTR if the ruleset changed meanwhile:
 * close the socket and begin anew; -EPERM without CAP_NET_ADMIN; else -errno.
 */
int foreign_read(struct nl *nl, struct arena *arena, struct foreign *f);

#endif
