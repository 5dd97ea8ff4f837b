/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rt_read.h - our ip rules and routes, and the box's interfaces.
 */
#ifndef NETSETUP_KERNEL_RT_READ_H
#define NETSETUP_KERNEL_RT_READ_H

#include "netsetup/kernel/nl.h"
#include "netsetup/state/desired.h"
#include "netsetup/state/kstate.h"

/*
 * Append to *s the ip rules and routes that carry our protocol number. `nl`
 * is a route socket. 0; -EINTR if something changed meanwhile: close the
 * socket and begin anew; else -errno.
 */
int rt_read_state(struct nl *nl, struct arena *arena, struct kstate *s);

/*
 * Fill interfaces (name, ipv4, ra_route) and addresses of *facts. Errors as
 * above.
 */
int rt_read_facts(struct nl *nl, struct arena *arena, struct facts *facts);

#endif
