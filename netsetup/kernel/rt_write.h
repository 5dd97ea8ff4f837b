/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rt_write.h - adds and deletes one ip rule or route of ours.
 */
#ifndef NETSETUP_KERNEL_RT_WRITE_H
#define NETSETUP_KERNEL_RT_WRITE_H

#include "netsetup/kernel/nl.h"
#include "netsetup/state/kstate.h"

/*
 * `nl` is a route socket. 0 or -errno, and then *ret_error says more. Adding
 * what is there already is -EEXIST; deleting what is not there -ENOENT or
 * -ESRCH. All carry our protocol number, and only such are deleted.
 */
int rt_write_iprule(struct nl *nl, const struct kiprule *rule, bool add,
		    struct nl_error *ret_error);
int rt_write_route(struct nl *nl, const struct kroute *route, bool add,
		   struct nl_error *ret_error);

#endif
