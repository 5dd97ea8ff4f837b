/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_write.h - nftables changes, as one batch that happens whole or not.
 */
#ifndef NETSETUP_KERNEL_NFT_WRITE_H
#define NETSETUP_KERNEL_NFT_WRITE_H

#include "netsetup/kernel/nl.h"
#include "netsetup/state/diff.h"

/*
 * Make those changes of `d` that are nftables', if the ruleset is still of
 * `generation`. `nl` is a netfilter socket. Sends nothing and returns 0 when
 * there are none. Returns 0, -ERESTART (the ruleset has changed: look again),
 * -ENOBUFS (it may have happened: look again) or -errno: then nothing has
 * changed, *ret_error says what the kernel said, and *ret_cause is the change
 * that it refused, or NULL.
 */
int nft_write(struct nl *nl, uint32_t generation, const struct kdiff *d,
	      struct nl_error *ret_error, const struct kchange **ret_cause);

#endif
