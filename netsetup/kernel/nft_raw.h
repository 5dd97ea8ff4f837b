/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_raw.h - a fingerprint of a rule as the kernel holds it.
 *
 * Rules are never decompiled. But the same rule, listed twice, comes in the
 * same bytes: when those differ, somebody has edited it.
 */
#ifndef NETSETUP_KERNEL_NFT_RAW_H
#define NETSETUP_KERNEL_NFT_RAW_H

#include <linux/netlink.h>
#include <stdint.h>

/*
 * Of the expressions in a message NFT_MSG_NEWRULE, but for what counters have
 * counted; never 0. Good for the kernel that is running, not for another.
 */
uint64_t nft_raw_hash(const struct nlmsghdr *nlh);

#endif
