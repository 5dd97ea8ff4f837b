/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elements.c - one nftables batch a set, behind elements.h.
 *
 * A set of its own batch, because one that does not exist fails its batch.
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

enum { BATCH_SIZE = 4096, TRIES = 5 };

/* The batch is answered by one message: the error or the ACK. */
static int
receive(struct mnl_socket *nl)
{
	char buf[BATCH_SIZE];
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
send_batch(struct mnl_socket *nl, struct nftnl_set *set)
{
	struct mnl_nlmsg_batch *batch;
	char buf[BATCH_SIZE];
	struct nlmsghdr *nlh;
	uint32_t seq = 1;
	int r = 0;

	batch = mnl_nlmsg_batch_start(buf, sizeof(buf) / 2);
	if (!batch)
		return -ENOMEM;
	nftnl_batch_begin(mnl_nlmsg_batch_current(batch), seq++);
	mnl_nlmsg_batch_next(batch);
	nlh = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(batch),
				    NFT_MSG_DELSETELEM, NFPROTO_INET, NLM_F_ACK,
				    seq++);
	nftnl_set_elems_nlmsg_build_payload(nlh, set);
	mnl_nlmsg_batch_next(batch);
	nftnl_batch_end(mnl_nlmsg_batch_current(batch), seq++);
	mnl_nlmsg_batch_next(batch);
	if (mnl_socket_sendto(nl, mnl_nlmsg_batch_head(batch),
			      mnl_nlmsg_batch_size(batch)) < 0)
		r = -errno;
	mnl_nlmsg_batch_stop(batch);
	return r;
}

static int
clear_once(struct nftnl_set *set)
{
	struct mnl_socket *nl;
	int r;

	nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!nl)
		return -errno;
	r = mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
	if (r == 0)
		r = send_batch(nl, set);
	if (r == 0)
		r = receive(nl);
	mnl_socket_close(nl);
	return r;
}

int
elements_clear(const char *name)
{
	struct nftnl_set *set;
	int i, r = -ENOMEM;

	set = nftnl_set_alloc();
	if (!set)
		return -ENOMEM;
	if (nftnl_set_set_str(set, NFTNL_SET_TABLE, "interpose") == 0 &&
	    nftnl_set_set_str(set, NFTNL_SET_NAME, name) == 0)
		r = clear_once(set);
	/* somebody else changed the ruleset at the same moment */
	for (i = 1; i < TRIES && (r == -ERESTART || r == -EINTR); i++)
		r = clear_once(set);
	nftnl_set_free(set);
	return r;
}
