/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_expr.h - from our expressions to libnftnl's.
 */
#ifndef NETSETUP_KERNEL_NFT_EXPR_H
#define NETSETUP_KERNEL_NFT_EXPR_H

#include "netsetup/state/kstate.h"

struct nftnl_expr;

/* The same in libnftnl's terms; the caller owns it. NULL: out of memory. */
struct nftnl_expr *nft_expr(const struct kexpr *e);

#endif
