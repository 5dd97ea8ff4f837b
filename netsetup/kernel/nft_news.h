/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft_news.h - has anybody changed our table since?
 *
 * The kernel counts every commit of the whole network namespace, ours or
 * not. Where other programs commit all the time, that number alone would
 * have us begin anew for ever. So this listens to what each commit was
 * about: what is of other tables does not make stale what was read of ours,
 * nor do elements that come and go in sets whose elements we never compare.
 */
#ifndef NETSETUP_KERNEL_NFT_NEWS_H
#define NETSETUP_KERNEL_NFT_NEWS_H

#include "netsetup/kernel/nl.h"
#include "netsetup/state/kstate.h"

struct nft_news {
	struct nl nl;	     /* owns: it hears every commit from now on */
	uint32_t generation; /* of the ruleset, as far as is known */
};

/* 0 or -errno; -EPERM without CAP_NET_ADMIN. */
int nft_news_open(struct nft_news *n);
void nft_news_close(struct nft_news *n);

/*
 * Take in what was heard, and wait for what is still to be heard about
 * commits up to `generation`. 0: our table, of which `s` was read, is as it
 * was; -EINTR: it is not, or more was said than there was room for; else
 * -errno.
 */
int nft_news_read(struct nft_news *n, uint32_t generation,
		  const struct kstate *s);

/* A message of the kernel's: is it the last of a commit? */
bool nft_news_is_end(const struct nlmsghdr *nlh);

/*
 * Does it tell of a change of our table, other than of elements in sets of `s`
 * that are never compared?
 */
bool nft_news_concerns_us(const struct nlmsghdr *nlh, const struct kstate *s);

#endif
