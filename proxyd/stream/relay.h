/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relay.h - moves bytes between two sides.
 *
 * What one side sends goes to the other as it is, each direction on its own,
 * ends included. Bytes that the other side takes at once only pass through
 * a scratch buffer of the worker's; what it does not take waits in a chunk,
 * and until that is gone nothing more is read. A direction that filled the
 * scratch buffer twice in a row is bulk: it borrows a pipe and its bytes are
 * spliced, until it pauses. Who is silent holds nothing of all this. Has no
 * timer and closes nothing: it says how things stand, and the caller acts.
 */
#ifndef PROXYD_STREAM_RELAY_H
#define PROXYD_STREAM_RELAY_H

#include <stdbool.h>

#include "proxyd/stream/side.h"

/* One for each worker. */
struct relay {
	struct side_chunk *scratch; /* owns */
	struct side_chunk *spare;   /* owns: list */
	unsigned int n_spare;
	struct pipes pipes;
};

enum relay_state {
	RELAY_OPEN,
	RELAY_HALF_CLOSED, /* one side sent its end */
	/* both did, and all bytes are handed over; to close says the rest */
	RELAY_DONE,
	RELAY_BROKEN, /* a side has an error */
};

/* 0 or -ENOMEM. Fini of a zeroed one is safe. */
int relay_init(struct relay *r);
void relay_fini(struct relay *r);

/*
 * Move what can be moved now. *ret_again: there is more to do although no
 * event will say so; call again after others had their turn.
 */
enum relay_state relay_pump(struct relay *r, struct side *a, struct side *b,
			    bool *ret_again);

/*
 * After `from` broke: hand what it sent before to `to`, so that it can be
 * told of the reset after the data and not instead of it. True when the
 * peer of `to` has acknowledged all of it, or never will.
 */
bool relay_rescue(struct relay *r, struct side *from, struct side *to);

/* --- for who must know what passes ---------------------------------------- */

/*
 * Send these bytes to `to`, for which no pipe holds any: what it does not
 * take now waits, behind what waits already, and relay_flush() sends it. More
 * than a chunk that waits is an error of the side, ENOMEM.
 */
void relay_send(struct relay *r, struct side *to, const char *data, size_t len);

/* Send what waits, as far as it is taken now. Is nothing left? */
bool relay_flush(struct relay *r, struct side *to);

/*
 * Move up to `most` bytes that nobody looks at from one side to the other:
 * how many. Ends are not passed on. *ret_again as for relay_pump().
 */
uint64_t relay_pass(struct relay *r, struct side *from, struct side *to,
		    uint64_t most, bool *ret_again);

/* Do bytes wait that this side has not taken yet? */
bool relay_holds(const struct side *s);

/*
 * Give back what a side holds of the relay's: before it is closed, and where
 * nobody knows whether more will come.
 */
void relay_release(struct relay *r, struct side *s);

#endif
