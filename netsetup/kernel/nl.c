/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink by way of libmnl. The one thing to know: a batch of nftables is
 * acknowledged message by message, and a batch refused as a whole (a stale
 * generation, a failed commit) is refused on the number of its first.
 */
#include "netsetup/kernel/nl.h"

#include <errno.h>
#include <limits.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	RECEIVE_LEN = 64 * 1024,
	/* an acknowledgement takes less than 1 KiB of the buffer */
	ACK_ROOM = 1024,
	ROOM_MIN = 256 * 1024,
};

int
nl_open(struct nl *nl, int bus)
{
	int on = 1;

	nl->seq = 0;
	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->sock)
		return -errno;
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		int r = -errno;

		nl_close(nl);
		return r;
	}
	/* better messages, fewer bytes: both may fail without harm */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	if (bus == NETLINK_ROUTE) /* dumps are filtered by the kernel */
		mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &on,
				      sizeof(on));
	return 0;
}

void
nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

uint32_t
nl_next(struct nl *nl)
{
	if (++nl->seq == 0)
		nl->seq = 1;
	return nl->seq;
}

/* Ask for `want` bytes, beyond the limit where that is allowed. */
static void
set_room(int fd, int option, int force_option, size_t want)
{
	int room = want < INT_MAX ? (int)want : INT_MAX;

	if (setsockopt(fd, SOL_SOCKET, force_option, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, option, &room, sizeof(room));
}

void
nl_receive_room(struct nl *nl, size_t want)
{
	set_room(mnl_socket_get_fd(nl->sock), SO_RCVBUF, SO_RCVBUFFORCE, want);
}

/* What became of a request so far. */
struct answer {
	const struct nlmsghdr *request;
	mnl_cb_t cb;
	void *data;
	bool ended;
	bool torn;
	int error; /* the first: negative errno */
};

static void
take_message(struct answer *a, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	int error = 0;

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		a->torn = true;
	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR ||
	    !(a->request->nlmsg_flags & NLM_F_DUMP))
		a->ended = true;
	if (nlh->nlmsg_type == NLMSG_ERROR)
		error = nlh->nlmsg_len < mnl_nlmsg_size(sizeof(*e)) ? -EBADMSG
								    : e->error;
	else if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && a->error == 0 &&
		 a->cb(nlh, a->data) < 0)
		error = -errno;
	if (a->error == 0)
		a->error = error;
}

int
nl_dump(struct nl *nl, struct nlmsghdr *request, mnl_cb_t cb, void *data)
{
	struct answer a = {.request = request, .cb = cb, .data = data};
	const struct nlmsghdr *nlh;
	char buf[RECEIVE_LEN];
	ssize_t got;
	int left;

	request->nlmsg_seq = nl_next(nl);
	if (mnl_socket_sendto(nl->sock, request, request->nlmsg_len) < 0)
		return -errno;
	while (!a.ended) {
		got = mnl_socket_recvfrom(nl->sock, buf, sizeof(buf));
		if (got < 0)
			return -errno;
		left = (int)got;
		nlh = (const void *)buf;
		for (; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left)) {
			if (nlh->nlmsg_seq == nl->seq)
				take_message(&a, nlh);
		}
	}
	if (a.error < 0)
		return a.error;
	return a.torn ? -EINTR : 0;
}

static int
copy_text(const struct nlattr *attr, void *data)
{
	struct nl_error *e = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		snprintf(e->text, sizeof(e->text), "%s",
			 mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

/* Read an NLMSG_ERROR into *e. false if it is too short to be one. */
static bool
read_error(const struct nlmsghdr *nlh, struct nl_error *e)
{
	const struct nlmsgerr *err;
	size_t offset = sizeof(*err);

	if (nlh->nlmsg_len < mnl_nlmsg_size(sizeof(*err)))
		return false;
	err = mnl_nlmsg_get_payload(nlh);
	e->error = err->error;
	e->seq = nlh->nlmsg_seq;
	e->text[0] = '\0';
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return true;
	/* with NETLINK_CAP_ACK only the header of the message comes back */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += err->msg.nlmsg_len - sizeof(err->msg);
	if (offset <= mnl_nlmsg_get_payload_len(nlh))
		mnl_attr_parse(nlh, (unsigned int)offset, copy_text, e);
	return true;
}

int
nl_request(struct nl *nl, struct nlmsghdr *request, struct nl_error *ret_error)
{
	char buf[RECEIVE_LEN];
	const struct nlmsghdr *nlh = (const void *)buf;
	ssize_t received;
	int n;

	request->nlmsg_seq = nl_next(nl);
	if (mnl_socket_sendto(nl->sock, request, request->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		received = mnl_socket_recvfrom(nl->sock, buf, sizeof(buf));
		if (received < 0)
			return -errno;
		n = (int)received;
		nlh = (const void *)buf;
		if (!mnl_nlmsg_ok(nlh, n) || nlh->nlmsg_seq != nl->seq)
			continue;
		if (nlh->nlmsg_type != NLMSG_ERROR ||
		    !read_error(nlh, ret_error))
			return -EPROTO;
		return ret_error->error;
	}
}

/* Take in the answers in `buf`: count them, and keep the first refusal. */
static size_t
read_answers(const char *buf, int n, struct nl_error *ret_error)
{
	const struct nlmsghdr *nlh = (const void *)buf;
	struct nl_error e;
	size_t count = 0;

	for (; mnl_nlmsg_ok(nlh, n); nlh = mnl_nlmsg_next(nlh, &n)) {
		if (nlh->nlmsg_type != NLMSG_ERROR || !read_error(nlh, &e))
			continue;
		count++;
		if (e.error != 0 && ret_error->error == 0)
			*ret_error = e;
	}
	return count;
}

int
nl_batch(struct nl *nl, const void *data, size_t len, uint32_t first,
	 struct nl_error *ret_error)
{
	size_t waiting = nl->seq - first - 1; /* all but begin and end */
	size_t answers = 0;
	int fd = mnl_socket_get_fd(nl->sock);
	char buf[RECEIVE_LEN];
	ssize_t n;

	memset(ret_error, 0, sizeof(*ret_error));
	set_room(fd, SO_SNDBUF, SO_SNDBUFFORCE, len + ROOM_MIN);
	nl_receive_room(nl, waiting * ACK_ROOM + ROOM_MIN);
	if (mnl_socket_sendto(nl->sock, data, len) < 0)
		return -errno;
	/* the kernel has done all its work when sending returns */
	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		answers += read_answers(buf, (int)n, ret_error);
	if (n < 0 && errno != EAGAIN)
		return -errno;
	if (ret_error->error == 0 && answers != waiting)
		return -EPROTO;
	return ret_error->error;
}
