/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_timeout.h - from our timeouts of conntrack to libnftnl's, and back.
 */
#ifndef NETSETUP_KERNEL_NFT_TIMEOUT_H
#define NETSETUP_KERNEL_NFT_TIMEOUT_H

#include "netsetup/state/kstate.h"

struct nlmsghdr;

/* Put the object into a message; `whole`: not its name only. 0 or -ENOMEM. */
int nft_timeout_build(struct nlmsghdr *nlh, const struct ktimeout *t,
		      bool whole);

/*
 * The object that a message of the kernel's tells of, its name in `arena`.
 * False when it is not a ct timeout of our table.
 */
bool nft_timeout_parse(const struct nlmsghdr *nlh, struct arena *arena,
		       struct ktimeout *ret_timeout);

#endif
