/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elements.h - empties sets of the table `inet interpose`.
 *
 * The one thing that proxyd changes in nftables, and the door to libnftnl
 * here. Creates no set and no rule.
 */
#ifndef PROXYD_NET_ELEMENTS_H
#define PROXYD_NET_ELEMENTS_H

#include <stddef.h>

/*
 * Remove every element of `n` sets. Sets, or a table, that do not exist are
 * passed over. 0; -errno, -EPERM without CAP_NET_ADMIN, and then some may
 * still have elements. Blocks for a netlink round trip for each 256 sets; for
 * each one, if one is missing. Source: NFT_MSG_DELSETELEM without elements
 * flushes.
 */
int elements_clear(const char *const *sets, size_t n);

#endif
