/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elements.c - nftables batches, behind elements.h.
 *
 * A commit takes milliseconds, however much is in it: so many sets share
 * one. One that does not exist fails them all, and then each is tried alone.
 */
#include "proxyd/net/elements.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum {
	SETS_MAX = 256,	   /* in a batch */
	MESSAGE_MAX = 256, /* a message for one set needs less */
	BATCH_SIZE = (SETS_MAX + 2) * MESSAGE_MAX,
	ANSWER_SIZE = 8192,
	TRIES = 5,
};

/* Only the last message asks for an ACK: the first answer is an error or it. */
static int
receive(struct mnl_socket *nl)
{
	char buf[ANSWER_SIZE];
	ssize_t n;

	do {
		n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* sequence 0: any. A stale batch is refused under that of its begin */
	if (mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(nl), NULL,
		       NULL) < 0)
		return -errno;
	return 0;
}

static int
put_set(struct mnl_nlmsg_batch *batch, const char *name, uint16_t flags,
	uint32_t seq)
{
	struct nftnl_set *set = nftnl_set_alloc();
	struct nlmsghdr *nlh;
	int r = -ENOMEM;

	if (!set)
		return r;
	if (nftnl_set_set_str(set, NFTNL_SET_TABLE, "interpose") == 0 &&
	    nftnl_set_set_str(set, NFTNL_SET_NAME, name) == 0) {
		nlh = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(batch),
					    NFT_MSG_DELSETELEM, NFPROTO_INET,
					    flags, seq);
		nftnl_set_elems_nlmsg_build_payload(nlh, set);
		mnl_nlmsg_batch_next(batch);
		r = 0;
	}
	nftnl_set_free(set);
	return r;
}

static int
put_batch(struct mnl_nlmsg_batch *batch, const char *const *sets, size_t n)
{
	uint32_t seq = 1;
	size_t i;
	int r = 0;

	nftnl_batch_begin(mnl_nlmsg_batch_current(batch), seq++);
	mnl_nlmsg_batch_next(batch);
	for (i = 0; i < n && r == 0; i++)
		r = put_set(batch, sets[i], i + 1 == n ? NLM_F_ACK : 0, seq++);
	nftnl_batch_end(mnl_nlmsg_batch_current(batch), seq++);
	mnl_nlmsg_batch_next(batch);
	return r;
}

static int
send_batch(struct mnl_socket *nl, const char *const *sets, size_t n)
{
	struct mnl_nlmsg_batch *batch;
	char *buf;
	int r = -ENOMEM;

	/* libmnl wants room for one message behind the limit */
	buf = malloc(BATCH_SIZE + MESSAGE_MAX);
	if (!buf)
		return r;
	batch = mnl_nlmsg_batch_start(buf, BATCH_SIZE);
	if (batch) {
		r = put_batch(batch, sets, n);
		if (r == 0 &&
		    mnl_socket_sendto(nl, mnl_nlmsg_batch_head(batch),
				      mnl_nlmsg_batch_size(batch)) < 0)
			r = -errno;
		mnl_nlmsg_batch_stop(batch);
	}
	free(buf);
	return r;
}

static int
clear_once(const char *const *sets, size_t n)
{
	struct mnl_socket *nl;
	int r;

	nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!nl)
		return -errno;
	r = mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
	if (r == 0)
		r = send_batch(nl, sets, n);
	if (r == 0)
		r = receive(nl);
	mnl_socket_close(nl);
	return r;
}

static int
clear(const char *const *sets, size_t n)
{
	int i, r = -ERESTART;

	/* somebody else may change the ruleset at the same moment */
	for (i = 0; i < TRIES && (r == -ERESTART || r == -EINTR); i++)
		r = clear_once(sets, n);
	return r;
}

static int
clear_each(const char *const *sets, size_t n)
{
	int r, first = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		r = clear(&sets[i], 1);
		if (r < 0 && r != -ENOENT && first == 0)
			first = r;
	}
	return first;
}

int
elements_clear(const char *const *sets, size_t n)
{
	size_t i, some;
	int r, first = 0;

	for (i = 0; i < n; i += some) {
		some = n - i < SETS_MAX ? n - i : SETS_MAX;
		r = clear(&sets[i], some);
		if (r == -ENOENT)
			r = clear_each(&sets[i], some);
		if (r < 0 && first == 0)
			first = r;
	}
	return first;
}
