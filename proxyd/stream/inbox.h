/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inbox.h - bytes that came from a side and are not yet understood.
 *
 * Who reads a protocol gets to see what has come, uses as much of it as it
 * understands, and the rest is kept until there is more. Mostly all is used
 * at once: then the bytes only pass through a scratch buffer of the
 * worker's, and an inbox that is empty holds no memory.
 */
#ifndef PROXYD_STREAM_INBOX_H
#define PROXYD_STREAM_INBOX_H

#include <stddef.h>
#include <stdint.h>

#include "proxyd/stream/side.h"

/* Zeroed: empty. */
struct inbox {
	char *data; /* owns; NULL: empty */
	uint32_t at;
	uint32_t end;
	uint32_t size;
};

enum { INBOX_HEADROOM = 1024 };

/* What there is to be seen: in the scratch buffer, or in the inbox. */
struct inbox_view {
	char *data; /* borrows; may be written to */
	size_t len;
	/* so many bytes before it may be written to as well, so that another
	 * head can be put before a body: INBOX_HEADROOM in the scratch buffer
	 */
	size_t before;
};

/*
 * Receive what has come from the side, as long as that makes no more than
 * `most` bytes in all, and look at all there is. Valid until the next call
 * of anybody who uses the scratch buffer; what is not used must be kept
 * before. Without memory the side fails, ENOMEM.
 */
struct inbox_view inbox_look(struct inbox *in, struct side *from,
			     struct side_chunk *scratch, size_t most);

/*
 * Put `head` right before the bytes of `v` from `at` on, over what is there,
 * so that both are in one piece: where it begins. NULL: there is no room.
 */
char *inbox_prepend(const struct inbox_view *v, size_t at, const char *head,
		    size_t head_len);

/*
 * The first `used` bytes of what was seen are done with; keep the rest.
 * Without memory the side fails, likewise.
 */
void inbox_keep(struct inbox *in, struct side *from, const struct inbox_view *v,
		size_t used);

/* How many bytes it holds. */
size_t inbox_held(const struct inbox *in);

/* Throw away what it holds. */
void inbox_fini(struct inbox *in);

#endif
