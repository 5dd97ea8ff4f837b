/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_read.h - what is in our nftables table now.
 */
#ifndef NETSETUP_KERNEL_NFT_READ_H
#define NETSETUP_KERNEL_NFT_READ_H

#include "netsetup/kernel/nft_news.h"
#include "netsetup/kernel/nl.h"
#include "netsetup/state/kstate.h"

/* How much to read: what is not asked for takes no time. */
enum nft_depth {
	NFT_DEPTH_TABLE, /* is it there? */
	NFT_DEPTH_RULES, /* all but elements of sets that packets fill */
	NFT_DEPTH_ALL,
};

/*
 * Fill the nftables part of *s, which must be zeroed, in `arena`, with what
 * the table holds. Of other tables only base chains are seen. `news`, which
 * listens since before, learns the generation of the ruleset. 0; -EINTR if
 * our table changed meanwhile: open news anew and begin again; -EPERM without
 * CAP_NET_ADMIN; else -errno.
 */
int nft_read(struct nl *nl, struct nft_news *news, enum nft_depth depth,
	     struct arena *arena, struct kstate *s);

/* Only the rules of our table, into *s, which must be zeroed. Likewise. */
int nft_read_rules(struct nl *nl, struct arena *arena, struct kstate *s);

#endif
