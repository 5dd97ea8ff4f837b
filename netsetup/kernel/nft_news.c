/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In every message about an object, the first attribute is its table. The
 * end of each commit is a message with the new generation.
 */
#include "netsetup/kernel/nft_news.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

enum { RECEIVE_LEN = 64 * 1024, ROOM = 4 * 1024 * 1024, PATIENCE_MS = 2000 };

int
nft_news_open(struct nft_news *n)
{
	int group = NFNLGRP_NFTABLES, r;

	n->generation = 0;
	r = nl_open(&n->nl, NETLINK_NETFILTER);
	if (r < 0)
		return r;
	nl_receive_room(&n->nl, ROOM);
	if (mnl_socket_setsockopt(n->nl.sock, NETLINK_ADD_MEMBERSHIP, &group,
				  sizeof(group)) < 0) {
		r = -errno;
		nft_news_close(n);
	}
	return r;
}

void
nft_news_close(struct nft_news *n)
{
	nl_close(&n->nl);
}

static bool
says(const struct nlmsghdr *nlh, uint16_t type, const char *text)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == type)
			return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) ==
				       0 &&
			       !strcmp(mnl_attr_get_str(attr), text);
	}
	return false;
}

/* Of a set whose elements come and go? */
static bool
is_passing(const struct nlmsghdr *nlh, const struct kstate *s)
{
	size_t i;

	for (i = 0; i < s->n_sets; i++) {
		if (kset_is_dynamic(&s->sets[i]) &&
		    says(nlh, NFTA_SET_ELEM_LIST_SET, s->sets[i].name))
			return true;
	}
	return false;
}

/* It counts up, and begins anew after the last number. */
static bool
is_later(uint32_t generation, uint32_t than)
{
	return (int32_t)(generation - than) > 0;
}

static void
take_generation(struct nft_news *n, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;
	uint32_t g;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) != NFTA_GEN_ID ||
		    mnl_attr_get_payload_len(attr) < sizeof(g))
			continue;
		g = ntohl(mnl_attr_get_u32(attr));
		if (is_later(g, n->generation))
			n->generation = g;
	}
}

/* Of nftables, and long enough to be looked at? */
static bool
is_whole(const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_type >> 8 == NFNL_SUBSYS_NFTABLES &&
	       nlh->nlmsg_len >= mnl_nlmsg_size(sizeof(struct nfgenmsg));
}

bool
nft_news_is_end(const struct nlmsghdr *nlh)
{
	return is_whole(nlh) && (nlh->nlmsg_type & 0xff) == NFT_MSG_NEWGEN;
}

bool
nft_news_concerns_us(const struct nlmsghdr *nlh, const struct kstate *s)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	int message = nlh->nlmsg_type & 0xff;

	if (!is_whole(nlh) || message == NFT_MSG_NEWGEN)
		return false;
	if (nfg->nfgen_family != NFPROTO_INET ||
	    !says(nlh, NFTA_TABLE_NAME, KSTATE_TABLE))
		return false;
	return (message != NFT_MSG_NEWSETELEM &&
		message != NFT_MSG_DELSETELEM) ||
	       !is_passing(nlh, s);
}

/* What is in the socket by now. */
static int
take_all(struct nft_news *n, const struct kstate *s)
{
	int fd = mnl_socket_get_fd(n->nl.sock), left;
	const struct nlmsghdr *nlh;
	char buf[RECEIVE_LEN];
	ssize_t got;

	while ((got = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		left = (int)got;
		nlh = (const void *)buf;
		for (; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nft_news_is_end(nlh))
				take_generation(n, nlh);
			if (nft_news_concerns_us(nlh, s))
				return -EINTR;
		}
	}
	if (got < 0 && errno != EAGAIN)
		return errno == ENOBUFS ? -EINTR : -errno;
	return 0;
}

int
nft_news_read(struct nft_news *n, uint32_t generation, const struct kstate *s)
{
	struct pollfd more = {
		.fd = mnl_socket_get_fd(n->nl.sock),
		.events = POLLIN,
	};
	int r = take_all(n, s);

	/* a new generation is there before its changes are told of */
	while (r == 0 && is_later(generation, n->generation)) {
		if (poll(&more, 1, PATIENCE_MS) <= 0)
			return -EINTR;
		r = take_all(n, s);
	}
	return r;
}
