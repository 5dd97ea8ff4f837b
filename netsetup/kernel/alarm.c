/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two sockets of multicast groups. What overflows them rings, too: something
 * has changed, and nobody can tell what.
 */
#include "netsetup/kernel/alarm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "netsetup/kernel/nft_news.h"

enum { RECEIVE_LEN = 64 * 1024, ROOM = 1024 * 1024 };

static int
join(struct nl *nl, const int *groups, size_t n)
{
	size_t i;

	nl_receive_room(nl, ROOM);
	for (i = 0; i < n; i++) {
		if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP,
					  (void *)(uintptr_t)&groups[i],
					  sizeof(groups[i])) < 0)
			return -errno;
	}
	return 0;
}

int
alarm_open(struct alarm *a)
{
	static const int nft[] = {NFNLGRP_NFTABLES};
	static const int route[] = {
		RTNLGRP_LINK,	    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,	 RTNLGRP_IPV4_RULE,
		RTNLGRP_IPV6_RULE,
	};
	int r;

	memset(a, 0, sizeof(*a));
	r = nl_open(&a->nft, NETLINK_NETFILTER);
	if (r == 0)
		r = nl_open(&a->route, NETLINK_ROUTE);
	if (r == 0)
		r = join(&a->nft, nft, sizeof(nft) / sizeof(nft[0]));
	if (r == 0)
		r = join(&a->route, route, sizeof(route) / sizeof(route[0]));
	if (r < 0)
		alarm_close(a);
	return r;
}

void
alarm_close(struct alarm *a)
{
	nl_close(&a->nft);
	nl_close(&a->route);
}

int
alarm_wait(const struct alarm *a, int stop, int ms)
{
	struct pollfd fds[] = {
		{.fd = stop, .events = POLLIN},
		{.fd = mnl_socket_get_fd(a->nft.sock), .events = POLLIN},
		{.fd = mnl_socket_get_fd(a->route.sock), .events = POLLIN},
	};

	if (poll(fds, 3, ms) > 0 && fds[0].revents)
		return -ECANCELED;
	return 0;
}

/* The end of a commit says who made it. */
static void
take_who(struct alarm *a, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	a->who_pid = 0;
	a->who[0] = '\0';
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		size_t len = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == NFTA_GEN_PROC_PID && len >= 4)
			a->who_pid = ntohl(mnl_attr_get_u32(attr));
		if (mnl_attr_get_type(attr) != NFTA_GEN_PROC_NAME)
			continue;
		if (len >= sizeof(a->who))
			len = sizeof(a->who) - 1;
		memcpy(a->who, mnl_attr_get_payload(attr), len);
		a->who[len] = '\0';
	}
}

static bool
take_nft(struct alarm *a, const struct nlmsghdr *nlh,
	 const struct kstate *wanted)
{
	bool ours;

	if (!nft_news_is_end(nlh)) {
		a->under_way |= nft_news_concerns_us(nlh, wanted);
		return false;
	}
	ours = a->under_way;
	a->under_way = false;
	if (ours)
		take_who(a, nlh);
	return ours;
}

/* Of routes only ours: a router may learn others all day. */
static bool
take_route(const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type != RTM_NEWROUTE && nlh->nlmsg_type != RTM_DELROUTE)
		return true;
	return nlh->nlmsg_len >= mnl_nlmsg_size(sizeof(*rtm)) &&
	       rtm->rtm_protocol == RTPROT_INTERPOSE;
}

static bool
take_all(struct alarm *a, struct nl *nl, const struct kstate *wanted)
{
	int fd = mnl_socket_get_fd(nl->sock), left;
	const struct nlmsghdr *nlh;
	char buf[RECEIVE_LEN];
	bool rings = false;
	ssize_t got;

	while ((got = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		left = (int)got;
		nlh = (const void *)buf;
		for (; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			rings |= nl == &a->nft ? take_nft(a, nlh, wanted)
					       : take_route(nlh);
	}
	return rings || (got < 0 && errno == ENOBUFS);
}

bool
alarm_rings(struct alarm *a, const struct kstate *wanted)
{
	bool rings = take_all(a, &a->nft, wanted);

	return take_all(a, &a->route, wanted) || rings;
}
