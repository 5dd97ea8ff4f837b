/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * datagram.h - sockets of udp: opening, receiving and sending in batches.
 *
 * A listener says of each datagram who sent it, and where to. A leg is a
 * connected socket: one to a client, from the address that the client asked,
 * and one to a server. Several may have the same address, listeners too: by
 * SO_REUSEPORT, which lets nobody in but our own user. Whose a datagram is, and
 * what becomes of it, is decided elsewhere; nothing is kept here but the batch
 * just received.
 *
 * Several datagrams of one size that follow each other are handed to the
 * kernel as one (UDP_SEGMENT), and may come from it as one (UDP_GRO): they
 * travel as datagrams of their own all the same.
 */
#ifndef PROXYD_NET_DATAGRAM_H
#define PROXYD_NET_DATAGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/inet.h"

#include "proxyd/net/upstream.h"

enum {
	DATAGRAM_BATCH = 64,
	DATAGRAM_SIZE = 65536, /* none is as long */
};

struct datagram_batch;

/* One for each worker, some MB, of which the kernel touches what it fills.
 * NULL: no memory. */
struct datagram_batch *datagram_batch_new(void);
void datagram_batch_free(struct datagram_batch *b);

/* --- opening -------------------------------------------------------------- */

/*
 * Before it is bound: let the listener of a capture port or of `listen` hear
 * where datagrams were sent to. `transparent`: that is any address. 0 or
 * -errno. Source: ip(7), ipv6(7).
 */
int datagram_prepare(int fd, int family, bool transparent);

/*
 * A leg that gets what `client` sends to `at`, and sends from there. `mark`
 * is that of the listener; 0: `at` is an address of the box. `beside` a
 * listener of just this address, it may catch what others send to `at` before
 * it is connected. 0 and the descriptor; -errno.
 */
int datagram_answering(const struct endpoint *at, const struct endpoint *client,
		       uint32_t mark, bool beside, int *ret_fd);

/*
 * Let that leg get nothing more from its client, but keep what has come.
 * `at` as it was opened.
 */
void datagram_turn_away(int fd, const struct endpoint *at);

/*
 * A leg to a server. `shared`: other legs have the same source, and other
 * targets. 0 and the descriptor; -EADDRINUSE if somebody has the source;
 * other -errno.
 */
int datagram_connect(const struct upstream *u, bool shared, int *ret_fd);

/* From now on, each item of this leg is one datagram. */
void datagram_apart(int fd);

/* Forget errors that were queued for it. */
void datagram_clear_errors(int fd);

/* --- receiving ------------------------------------------------------------ */

/*
 * Receive without waiting. How many items, fewer than DATAGRAM_BATCH if no
 * more were there; -errno, -EAGAIN: none. What was received before is gone.
 */
int datagram_receive(struct datagram_batch *b, int fd);

/* Of the item `i`: who sent it. */
struct endpoint datagram_from(const struct datagram_batch *b, unsigned int i);

/*
 * Where to, for listeners: `port` is the listener's, for one that is not
 * transparent. Family AF_UNSPEC: the kernel did not say.
 */
struct endpoint datagram_to(const struct datagram_batch *b, unsigned int i,
			    uint16_t port);

/* How many items from `i` on are `peer`'s, in a row. */
unsigned int datagram_run(const struct datagram_batch *b, unsigned int i,
			  const struct endpoint *peer);

/* An item's bytes; *ret_piece: it is several datagrams of so many, or 0. */
const void *datagram_data(const struct datagram_batch *b, unsigned int i,
			  uint32_t *ret_len, uint16_t *ret_piece);

/* --- sending -------------------------------------------------------------- */

/* What became of datagrams that were sent; added up until the caller looks. */
struct datagram_sent {
	uint64_t bytes;
	uint64_t n;
	uint64_t dropped; /* not taken now, or too long */
	int error;	  /* errno after which no more were tried; 0 */
};

/*
 * Send `n` items from `i` on to the peer of `fd`. *join_max: as one goes
 * what is no longer than that; it is lowered where the way does not allow
 * more, and begins with UINT16_MAX.
 */
void datagram_send(struct datagram_batch *b, unsigned int i, unsigned int n,
		   int fd, uint16_t *join_max, struct datagram_sent *sent);

/* The same with bytes that were kept. */
void datagram_send_bytes(int fd, const void *data, uint32_t len, uint16_t piece,
			 struct datagram_sent *sent);

/* How many datagrams that is. */
uint64_t datagram_count(uint32_t len, uint16_t piece);

#endif
