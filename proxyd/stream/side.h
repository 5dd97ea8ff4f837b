/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * side.h - one end of a relayed connection.
 *
 * A socket and what is known about it, so that no system call is made whose
 * answer is known. Knows nothing of the other end, of flows or of policy.
 */
#ifndef PROXYD_STREAM_SIDE_H
#define PROXYD_STREAM_SIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What to wait for on a side's socket, once, for all of its life. */
#define SIDE_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET)

enum { SIDE_CHUNK_SIZE = 65536 };

/* Bytes that wait until a side takes them. */
struct side_chunk {
	struct side_chunk *next; /* in the relay's store */
	uint32_t at;
	uint32_t end;
	char data[SIDE_CHUNK_SIZE];
};

struct side {
	int fd;	       /* owns; -1: none */
	int error;     /* errno that ended it, or 0 */
	bool readable; /* something may be there */
	bool writable;
	bool hungry; /* a short read does not mean that nothing is left */
	bool eof;    /* the peer sent all it will send */
	bool shut;   /* we sent all we will send */
	struct side_chunk *pending; /* owns: not yet taken by this side */
	uint64_t received;	    /* bytes from this side */
	uint64_t sent;		    /* bytes to this side */
};

/* No socket yet. */
void side_init(struct side *s);

/* What epoll says about its socket. */
void side_event(struct side *s, uint32_t events);

/* Note an error that ends it; the first one counts, 0 is none. */
void side_fail(struct side *s, int error);

/*
 * Receive up to `size` bytes: how many; 0 if nothing is there now, at the
 * end (eof is set) or after an error (error is set).
 */
size_t side_receive(struct side *s, void *buf, size_t size);

/* Send; returns how many bytes it took. After an error that is all of it. */
size_t side_send(struct side *s, const void *buf, size_t len);

/* Tell the peer that nothing more comes. Never mind if it was told. */
void side_shut(struct side *s);

/* Close in the ordinary way, or with a reset. */
void side_close(struct side *s, bool reset);

#endif
