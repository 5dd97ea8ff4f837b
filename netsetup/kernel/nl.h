/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nl.h - a netlink socket: dumps, single requests, and nftables batches.
 *
 * Sends bytes that others have built and says what the kernel answered, with
 * its extended error text. It knows no objects and repeats nothing.
 */
#ifndef NETSETUP_KERNEL_NL_H
#define NETSETUP_KERNEL_NL_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NL_ERROR_LEN = 160 };

/* What the kernel refused. */
struct nl_error {
	int error;		 /* negative errno; 0: nothing */
	uint32_t seq;		 /* of the message that it refused */
	char text[NL_ERROR_LEN]; /* the kernel's words, or "" */
};

struct nl {
	struct mnl_socket *sock; /* owns */
	uint32_t seq;		 /* of the last message */
};

/* `bus` is NETLINK_NETFILTER or NETLINK_ROUTE. 0 or -errno. */
int nl_open(struct nl *nl, int bus);
void nl_close(struct nl *nl);

/* The sequence number for the next message; never 0. */
uint32_t nl_next(struct nl *nl);

/* Make room for `want` bytes that nobody has received yet; may fail. */
void nl_receive_room(struct nl *nl, size_t want);

/*
 * Send a dump or get request and call `cb` for every message of the answer;
 * it returns MNL_CB_OK, or MNL_CB_ERROR with errno set. 0; -EINTR if what was
 * dumped, or something beside it, changed meanwhile; else -errno. Once the
 * kernel has answered, nothing of it is left in the socket.
 */
int nl_dump(struct nl *nl, struct nlmsghdr *request, mnl_cb_t cb, void *data);

/*
 * Send one message, which must carry NLM_F_ACK, and wait for its
 * acknowledgement. 0 or -errno, and then *ret_error says more.
 */
int nl_request(struct nl *nl, struct nlmsghdr *request,
	       struct nl_error *ret_error);

/*
 * Send `len` bytes of messages with sequence numbers from `first` to nl->seq.
 * All but the first and the last, which begin and end a batch, must carry
 * NLM_F_ACK, and each must be answered. 0; -ERESTART if the ruleset is not of
 * the generation that the batch names; -ENOBUFS if answers were lost, and
 * what became of it must be looked up; else -errno, and *ret_error holds the
 * first refusal, if that is what it was. Nothing has changed then.
 */
int nl_batch(struct nl *nl, const void *data, size_t len, uint32_t first,
	     struct nl_error *ret_error);

#endif
