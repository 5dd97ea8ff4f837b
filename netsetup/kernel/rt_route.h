/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rt_route.h - asks the kernel which way a packet would go.
 */
#ifndef NETSETUP_KERNEL_RT_ROUTE_H
#define NETSETUP_KERNEL_RT_ROUTE_H

#include "netsetup/kernel/nl.h"
#include "netsetup/state/hop.h"

/*
 * `nl` is a route socket. 0 and the answer, which may be an error of the
 * routing itself, such as -ENETUNREACH; or -errno if it could not be asked:
 * -ENODEV, there is no such interface. With `iif` the kernel also checks the
 * source, as it does for a packet: -EXDEV is its reverse path filter. Source:
 * RTM_GETROUTE, rtnetlink(7).
 */
int rt_route(struct nl *nl, const struct hop_query *q, struct hop *ret_hop);

#endif
