/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_write.h - nftables changes, as one batch that happens whole or not.
 */
#ifndef NETSETUP_KERNEL_NFT_WRITE_H
#define NETSETUP_KERNEL_NFT_WRITE_H

#include "netsetup/kernel/nft_news.h"
#include "netsetup/kernel/nl.h"
#include "netsetup/state/diff.h"

/*
 * Make those changes of `d` that are nftables', if our table is still as it
 * was when `observed` was read with `news`; commits of others are waited
 * out. `nl` is a netfilter socket. Sends nothing and returns 0 when there are
 * none. Returns 0, -ERESTART (our table has changed, or others leave no gap:
 * look again), -ENOBUFS (it may have happened: look again) or -errno: then
 * nothing has changed, *ret_error says what the kernel said, and *ret_cause
 * is the change that it refused, or NULL.
 */
int nft_write(struct nl *nl, struct nft_news *news,
	      const struct kstate *observed, const struct kdiff *d,
	      struct nl_error *ret_error, const struct kchange **ret_cause);

#endif
