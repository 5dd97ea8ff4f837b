/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elements.h - empties sets of the table `inet interpose`.
 *
 * The one thing that proxyd changes in nftables, and the door to libnftnl
 * here. Creates no set and no rule.
 */
#ifndef PROXYD_NET_ELEMENTS_H
#define PROXYD_NET_ELEMENTS_H

/*
 * Remove every element of `set`. 0; -ENOENT if there is no such set or
 * table; other -errno, -EPERM without CAP_NET_ADMIN. Blocks for one netlink
 * round trip. Source: NFT_MSG_DELSETELEM without elements flushes.
 */
int elements_clear(const char *set);

#endif
