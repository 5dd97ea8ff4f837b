/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * datagram.c - system calls behind datagram.h.
 *
 * Every item has a slot of its own that holds the longest datagram; slots
 * stand a little more than a power of two apart, so that their beginnings
 * do not compete for the same lines of a cache. Sending uses the slots where
 * they are: nothing is copied.
 *
 * Nothing says whether a client forbade fragments, so legs allow them: what
 * is too long for the way onward arrives in pieces, as a datagram without DF
 * would on a router. Source: ip(7), IP_MTU_DISCOVER.
 */
#include "proxyd/net/datagram.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxyd/base/sock.h"

enum {
	SLOT = DATAGRAM_SIZE + 4096 + 64,
	JOIN_MAX = 65000, /* bytes in one call; with headers below 64 kB */
	LISTENER_BUFFER = 4 * 1024 * 1024,
	LOOPBACK = 1, /* its index in every namespace */
	CONTROL = CMSG_SPACE(sizeof(struct sockaddr_in6)) +
		  CMSG_SPACE(sizeof(int)),
	FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL,
};

union control {
	char bytes[CONTROL];
	struct cmsghdr align;
};

union segment {
	char bytes[CMSG_SPACE(sizeof(uint16_t))];
	struct cmsghdr align;
};

struct datagram_batch {
	struct mmsghdr in[DATAGRAM_BATCH];
	struct mmsghdr out[DATAGRAM_BATCH];
	unsigned int first[DATAGRAM_BATCH]; /* the item where `out` begins */
	struct iovec iov[DATAGRAM_BATCH];
	uint16_t piece[DATAGRAM_BATCH];
	union sockaddr_any names[DATAGRAM_BATCH];
	union control controls[DATAGRAM_BATCH];
	union segment segments[DATAGRAM_BATCH];
	unsigned int n;
	char *slots; /* owns */
};

struct datagram_batch *
datagram_batch_new(void)
{
	struct datagram_batch *b = calloc(1, sizeof(*b));
	unsigned int i;

	if (b)
		b->slots = malloc((size_t)DATAGRAM_BATCH * SLOT);
	if (!b || !b->slots) {
		free(b);
		return NULL;
	}
	for (i = 0; i < DATAGRAM_BATCH; i++) {
		b->iov[i].iov_base = b->slots + (size_t)i * SLOT;
		b->in[i].msg_hdr.msg_iov = &b->iov[i];
		b->in[i].msg_hdr.msg_iovlen = 1;
		b->in[i].msg_hdr.msg_name = &b->names[i];
		b->in[i].msg_hdr.msg_control = &b->controls[i];
	}
	b->n = DATAGRAM_BATCH;
	return b;
}

void
datagram_batch_free(struct datagram_batch *b)
{
	if (!b)
		return;
	free(b->slots);
	free(b);
}

/* --- opening -------------------------------------------------------------- */

int
datagram_prepare(int fd, int family, bool transparent)
{
	bool v6 = family == AF_INET6;
	int r;

	/* first datagrams of many clients may come at once: a wish */
	if (sock_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, LISTENER_BUFFER) < 0)
		(void)sock_set(fd, SOL_SOCKET, SO_RCVBUF, LISTENER_BUFFER);
	if (transparent)
		r = v6 ? sock_set(fd, SOL_IPV6, IPV6_RECVORIGDSTADDR, 1)
		       : sock_set(fd, SOL_IP, IP_RECVORIGDSTADDR, 1);
	else
		r = v6 ? sock_set(fd, SOL_IPV6, IPV6_RECVPKTINFO, 1)
		       : sock_set(fd, SOL_IP, IP_PKTINFO, 1);
	return r;
}

/*
 * Let our own sockets have the same address. Not by SO_REUSEADDR, with which
 * those of every user may. Source: socket(7), SO_REUSEPORT.
 */
static int
share(int fd)
{
	return sock_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

/* What both legs have. */
static int
open_leg(int family, uint32_t mark, int *ret_fd)
{
	bool v6 = family == AF_INET6;
	int fd, r;

	fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = v6 ? sock_set(fd, SOL_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT)
	       : sock_set(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
	if (r == 0 && mark)
		r = sock_set_transparent(fd, family);
	if (r == 0 && mark)
		r = sock_set(fd, SOL_SOCKET, SO_MARK, (int)mark);
	if (r < 0) {
		close(fd);
		return r;
	}
	/* a kernel without it gives one datagram at a time */
	(void)sock_set(fd, SOL_UDP, UDP_GRO, 1);
	*ret_fd = fd;
	return 0;
}

/*
 * Bind it so that nobody reaches it before it has its peer: at first it hears
 * only the loopback device, and there only one that never sends. Where that
 * device is down, it does hear others until it is connected.
 */
static int
bind_unheard(int fd, const struct endpoint *at)
{
	static const struct addr loopback[2] = {
		{.family = AF_INET, .bytes = {127, 0, 0, 1}},
		{.family = AF_INET6, .bytes = {[15] = 1}},
	};
	struct endpoint nobody = {.port = at->port};
	int r;

	nobody.addr = loopback[at->addr.family == AF_INET6];
	r = sock_set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, LOOPBACK);
	if (r == 0)
		r = sock_bind(fd, at);
	if (r == 0) {
		(void)sock_connect(fd, &nobody);
		r = sock_set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 0);
	}
	return r;
}

int
datagram_answering(const struct endpoint *at, const struct endpoint *client,
		   uint32_t mark, bool beside, int *ret_fd)
{
	int fd = -1, r;

	r = open_leg(at->addr.family, mark, &fd);
	if (r < 0)
		return r;
	if (at->addr.family == AF_INET6)
		r = sock_set(fd, SOL_IPV6, IPV6_V6ONLY, 1);
	if (r == 0)
		r = share(fd);
	/*
	 * In one group with listeners of just this address, which are so: the
	 * kernel then looks for a connected one before it takes any of them.
	 * Source: udp_reuseport_add_sock(), reuseport_has_conns().
	 */
	if (r == 0)
		r = beside ? sock_bind(fd, at) : bind_unheard(fd, at);
	if (r == 0)
		r = sock_connect(fd, client);
	/* kernels since 6.13 find it by its peer, which they now look up */
	if (r == 0 && !beside)
		r = sock_set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 0);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

void
datagram_turn_away(int fd, const struct endpoint *at)
{
	/* its own name as its peer: nobody sends from there */
	(void)sock_connect(fd, at);
}

static int
bind_source(int fd, const struct endpoint *source, bool shared)
{
	int r = 0;

	if (shared)
		r = share(fd);
	if (r == 0)
		r = sock_bind(fd, source);
	/* now that it is known to be alone, others may come */
	if (r == 0 && source->port && !shared)
		r = share(fd);
	return r;
}

int
datagram_connect(const struct upstream *u, bool shared, int *ret_fd)
{
	int family = u->target.addr.family, fd = -1, r;

	r = open_leg(family, u->mark, &fd);
	if (r < 0)
		return r;
	/* without it only some errors of ICMP are told: see ip(7) */
	r = family == AF_INET6 ? sock_set(fd, SOL_IPV6, IPV6_RECVERR, 1)
			       : sock_set(fd, SOL_IP, IP_RECVERR, 1);
	if (r == 0 && u->source.addr.family)
		r = bind_source(fd, &u->source, shared);
	if (r == 0)
		r = sock_connect(fd, &u->target);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

void
datagram_apart(int fd)
{
	/* a kernel that does not know it has nothing to stop */
	(void)sock_set(fd, SOL_UDP, UDP_GRO, 0);
}

void
datagram_clear_errors(int fd)
{
	struct msghdr msg = {0};

	while (recvmsg(fd, &msg, MSG_ERRQUEUE | FLAGS) >= 0)
		msg.msg_flags = 0;
}

/* --- receiving ------------------------------------------------------------ */

/* Only what the last call changed needs to be put back. */
static void
offer(struct datagram_batch *b)
{
	unsigned int i;

	for (i = 0; i < b->n; i++) {
		b->iov[i].iov_len = DATAGRAM_SIZE;
		b->in[i].msg_hdr.msg_namelen = sizeof(b->names[i]);
		b->in[i].msg_hdr.msg_controllen = sizeof(b->controls[i]);
	}
	b->n = 0;
}

static uint16_t
read_piece(struct msghdr *msg)
{
	struct cmsghdr *c;
	int size;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&size, CMSG_DATA(c), sizeof(size));
		return size > 0 && size <= UINT16_MAX ? (uint16_t)size : 0;
	}
	return 0;
}

int
datagram_receive(struct datagram_batch *b, int fd)
{
	struct msghdr *msg;
	unsigned int i;
	int n;

	offer(b);
	do {
		n = recvmmsg(fd, b->in, DATAGRAM_BATCH, MSG_DONTWAIT, NULL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	b->n = (unsigned int)n;
	for (i = 0; i < b->n; i++) {
		msg = &b->in[i].msg_hdr;
		b->iov[i].iov_len = b->in[i].msg_len;
		b->piece[i] = msg->msg_controllen ? read_piece(msg) : 0;
		/* one alone that was not filled is an ordinary datagram */
		if (b->piece[i] >= b->in[i].msg_len)
			b->piece[i] = 0;
	}
	return n;
}

struct endpoint
datagram_from(const struct datagram_batch *b, unsigned int i)
{
	return endpoint_from_sockaddr(&b->names[i]);
}

static struct endpoint
read_original(const struct cmsghdr *c)
{
	union sockaddr_any sa;
	size_t len = c->cmsg_len - CMSG_LEN(0);

	memset(&sa, 0, sizeof(sa));
	memcpy(&sa, CMSG_DATA(c), len < sizeof(sa) ? len : sizeof(sa));
	return endpoint_from_sockaddr(&sa);
}

static struct endpoint
read_local(int family, const struct cmsghdr *c, uint16_t port)
{
	struct endpoint e = {.port = port};
	struct in6_pktinfo info6;
	struct in_pktinfo info4;

	e.addr.family = (uint8_t)family;
	if (family == AF_INET6) {
		memcpy(&info6, CMSG_DATA(c), sizeof(info6));
		memcpy(e.addr.bytes, &info6.ipi6_addr, 16);
	} else {
		memcpy(&info4, CMSG_DATA(c), sizeof(info4));
		memcpy(e.addr.bytes, &info4.ipi_addr, 4);
	}
	return e;
}

struct endpoint
datagram_to(const struct datagram_batch *b, unsigned int i, uint16_t port)
{
	struct msghdr msg = b->in[i].msg_hdr;
	struct endpoint none = {0};
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_ORIGDSTADDR)
			return read_original(c);
		if (c->cmsg_level == SOL_IPV6 &&
		    c->cmsg_type == IPV6_ORIGDSTADDR)
			return read_original(c);
		if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO)
			return read_local(AF_INET, c, port);
		if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			return read_local(AF_INET6, c, port);
	}
	return none;
}

static bool
is_from(const union sockaddr_any *sa, const struct endpoint *peer)
{
	if (sa->sa.sa_family != peer->addr.family)
		return false;
	if (peer->addr.family == AF_INET)
		return sa->in.sin_port == htons(peer->port) &&
		       !memcmp(&sa->in.sin_addr, peer->addr.bytes, 4);
	return sa->in6.sin6_port == htons(peer->port) &&
	       !memcmp(&sa->in6.sin6_addr, peer->addr.bytes, 16);
}

unsigned int
datagram_run(const struct datagram_batch *b, unsigned int i,
	     const struct endpoint *peer)
{
	unsigned int k = i;

	while (k < b->n && is_from(&b->names[k], peer))
		k++;
	return k - i;
}

const void *
datagram_data(const struct datagram_batch *b, unsigned int i, uint32_t *ret_len,
	      uint16_t *ret_piece)
{
	*ret_len = (uint32_t)b->iov[i].iov_len;
	*ret_piece = b->piece[i];
	return b->iov[i].iov_base;
}

/* --- sending -------------------------------------------------------------- */

uint64_t
datagram_count(uint32_t len, uint16_t piece)
{
	return piece ? (len + piece - 1) / piece : 1;
}

/* How many items, from `i` on, can go as one: equal ones and a shorter. */
static unsigned int
joinable(const struct datagram_batch *b, unsigned int i, unsigned int end,
	 uint16_t join_max)
{
	size_t len = b->iov[i].iov_len, total = len, next;
	unsigned int k;

	if (b->piece[i] || !len || len > join_max)
		return 1;
	for (k = i + 1; k < end && !b->piece[k]; k++) {
		next = b->iov[k].iov_len;
		if (!next || next > len || total + next > JOIN_MAX)
			break;
		total += next;
		if (next < len)
			return k + 1 - i;
	}
	return k - i;
}

static void
set_segment(struct datagram_batch *b, unsigned int m, uint16_t size)
{
	struct msghdr *msg = &b->out[m].msg_hdr;
	struct cmsghdr *c = &b->segments[m].align;

	msg->msg_control = c;
	msg->msg_controllen = sizeof(b->segments[m]);
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(c), &size, sizeof(size));
}

/* Messages of items i to end; how many messages. */
static unsigned int
compose(struct datagram_batch *b, unsigned int i, unsigned int end,
	uint16_t join_max)
{
	unsigned int m, n;

	for (m = 0; i < end; m++, i += n) {
		n = joinable(b, i, end, join_max);
		b->first[m] = i;
		b->out[m].msg_hdr = (struct msghdr){
			.msg_iov = &b->iov[i],
			.msg_iovlen = n,
		};
		if (n > 1)
			set_segment(b, m, (uint16_t)b->iov[i].iov_len);
		else if (b->piece[i])
			set_segment(b, m, b->piece[i]);
	}
	return m;
}

/* Count a message of `n` items as sent, or as dropped. */
static void
note(const struct datagram_batch *b, unsigned int m, bool taken,
     struct datagram_sent *sent)
{
	unsigned int i = b->first[m], end;
	uint64_t n;

	end = i + (unsigned int)b->out[m].msg_hdr.msg_iovlen;
	for (; i < end; i++) {
		n = datagram_count((uint32_t)b->iov[i].iov_len, b->piece[i]);
		if (taken) {
			sent->n += n;
			sent->bytes += b->iov[i].iov_len;
		} else {
			sent->dropped += n;
		}
	}
}

/* Is it that the other side does not take more now? Not: the way is gone. */
static bool
is_full(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS ||
	       error == ENOMEM;
}

void
datagram_send_bytes(int fd, const void *data, uint32_t len, uint16_t piece,
		    struct datagram_sent *sent)
{
	uint32_t at = 0, size;
	ssize_t n;

	do {
		size = piece && len - at > piece ? piece : len - at;
		do {
			n = send(fd, (const char *)data + at, size, FLAGS);
		} while (n < 0 && errno == EINTR);
		if (n >= 0) {
			sent->n++;
			sent->bytes += size;
		} else {
			sent->dropped++;
			if (!is_full(errno) && errno != EMSGSIZE)
				sent->error = errno;
		}
		at += size;
	} while (at < len && !sent->error);
	sent->dropped += at < len ? datagram_count(len - at, piece) : 0;
}

/* One message whose items the kernel did not take as one: each for itself. */
static void
send_apart(struct datagram_batch *b, unsigned int m, int fd, int error,
	   uint16_t *join_max, struct datagram_sent *sent)
{
	unsigned int i = b->first[m], end;

	end = i + (unsigned int)b->out[m].msg_hdr.msg_iovlen;
	/* too long for the way; or the way does not do it at all */
	if (error == EIO)
		*join_max = 0;
	else if (!b->piece[i])
		*join_max = (uint16_t)(b->iov[i].iov_len - 1);
	for (; i < end && !sent->error; i++)
		datagram_send_bytes(fd, b->iov[i].iov_base,
				    (uint32_t)b->iov[i].iov_len, b->piece[i],
				    sent);
	sent->dropped += end - i;
}

static bool
is_segmented(const struct datagram_batch *b, unsigned int m)
{
	return b->out[m].msg_hdr.msg_control != NULL;
}

void
datagram_send(struct datagram_batch *b, unsigned int i, unsigned int n, int fd,
	      uint16_t *join_max, struct datagram_sent *sent)
{
	unsigned int m = 0, count = compose(b, i, i + n, *join_max);
	int k, error;

	while (m < count && !sent->error) {
		k = sendmmsg(fd, b->out + m, count - m, FLAGS);
		error = k < 0 ? errno : 0;
		for (; k > 0; k--)
			note(b, m++, true, sent);
		if (!error || error == EINTR)
			continue;
		if (is_segmented(b, m) && !is_full(error) &&
		    (error == EMSGSIZE || error == EINVAL || error == EIO)) {
			send_apart(b, m++, fd, error, join_max, sent);
			continue;
		}
		note(b, m++, false, sent);
		if (is_full(error))
			break;
		if (error != EMSGSIZE)
			sent->error = error;
	}
	/* what is full now is full for the rest, too */
	while (m < count)
		note(b, m++, false, sent);
}
