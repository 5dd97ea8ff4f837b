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

#include "proxyd/stream/pipes.h"

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
	bool plain;  /* splice() is not for this socket */
	/* not yet taken by this side: what is in the chunk, then the pipe */
	struct side_chunk *pending; /* owns */
	struct pipe *pipe;	    /* owns: lent by the relay */
	uint64_t received;	    /* bytes from this side */
	uint64_t sent;		    /* bytes to this side */
	uint32_t run; /* the relay's: spliced to this side without a pause */
	uint8_t full; /* the relay's: full buffers to this side in a row */
};

/* No socket yet. */
void side_init(struct side *s);

/* What epoll says about its socket. */
void side_event(struct side *s, uint32_t events);

/*
 * Does it say nothing now, not even its end? Asks the kernel only where what
 * is known leaves that open.
 */
bool side_is_quiet(struct side *s);

/* Note an error that ends it; the first one counts, 0 is none. */
void side_fail(struct side *s, int error);

/*
 * Receive up to `size` bytes: how many; 0 if nothing is there now, at the
 * end (eof is set) or after an error (error is set).
 */
size_t side_receive(struct side *s, void *buf, size_t size);

/*
 * The same, and leave it there: it will be received. For who waits until more
 * is there; of that an event tells.
 */
size_t side_peek(struct side *s, void *buf, size_t size);

/* Send; returns how many bytes it took. After an error that is all of it. */
size_t side_send(struct side *s, const void *buf, size_t len);

/*
 * Move up to `size` bytes from the side into this pipe, which is empty: how
 * many. 0 if nothing is there now; or, while `readable` still holds, if only
 * side_receive() can say what there is.
 */
size_t side_fill(struct side *s, struct pipe *p, size_t size);

/*
 * Move bytes from this pipe, which is not empty, to the side: how many. 0 if
 * it takes none now; or, while `writable` still holds, if it never does in
 * this way.
 */
size_t side_drain(struct side *s, struct pipe *p);

/* Tell the peer that nothing more comes. Never mind if it was told. */
void side_shut(struct side *s);

/* Close in the ordinary way, or with a reset. */
void side_close(struct side *s, bool reset);

#endif
