/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_read.h - what is in our nftables table now.
 */
#ifndef NETSETUP_KERNEL_NFT_READ_H
#define NETSETUP_KERNEL_NFT_READ_H

#include "netsetup/kernel/nl.h"
#include "netsetup/state/kstate.h"

/*
 * Fill the nftables part of *s, which must be zeroed, in `arena`, with what
 * the table holds and the generation of the ruleset. Of other tables only
 * their base chains are seen, not what is in them. 0; -EINTR if the
 * ruleset changed meanwhile: close the socket and begin anew; -EPERM without
 * CAP_NET_ADMIN; else -errno.
 */
int nft_read(struct nl *nl, struct arena *arena, struct kstate *s);

/* Only the rules of our table, into *s, which must be zeroed. Likewise. */
int nft_read_rules(struct nl *nl, struct arena *arena, struct kstate *s);

#endif
