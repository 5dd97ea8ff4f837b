/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_pair.h - the pairs in the bypass sets: read, renew, delete.
 *
 * Elements only; sets and rules are nft_write's. `nl` is a netfilter socket.
 */
#ifndef NETSETUP_KERNEL_NFT_PAIR_H
#define NETSETUP_KERNEL_NFT_PAIR_H

#include "netsetup/kernel/nl.h"
#include "netsetup/state/bypass.h"

struct arena;

/*
 * Append the pairs of `family` to *pairs, *n of them, in `arena`. 0; -ENOENT
 * if there is no such set; else -errno.
 */
int nft_pair_list(struct nl *nl, int family, struct arena *arena,
		  struct bypass_pair **pairs, size_t *n);

/*
 * Let a pair stay for pair->timeout_ms from now on, whether it is there or
 * not; its count begins anew. 0; -ENOENT if there is no such set; -ENFILE if
 * that is full; else -errno, and then *ret_error says more.
 */
int nft_pair_renew(struct nl *nl, const struct bypass_pair *pair,
		   struct nl_error *ret_error);

/* 0; -ENOENT if it, or the set, is not there; else as above. */
int nft_pair_delete(struct nl *nl, const struct bypass_pair *pair,
		    struct nl_error *ret_error);

#endif
