/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_set.h - sets, maps and their elements, as libnftnl has them.
 */
#ifndef NETSETUP_KERNEL_NFT_SET_H
#define NETSETUP_KERNEL_NFT_SET_H

#include <stddef.h>
#include <stdint.h>

#include "netsetup/state/kstate.h"

struct nftnl_set;

/*
 * One with our table's name and that of `s`, for the caller to free. NULL once
 * memory has run out.
 */
struct nftnl_set *nft_set_named(const struct kset *s);

/* All else that makes a new set; `id` is its number in the batch. */
void nft_set_fill(struct nftnl_set *x, const struct kset *s, uint32_t id);

/* The elements from..to-1. Returns 0 or -ENOMEM. */
int nft_set_fill_elems(struct nftnl_set *x, const struct kset *s, size_t from,
		       size_t to);

#endif
