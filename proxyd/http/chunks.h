/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chunks.h - where a chunked body ends (RFC 9112 7.1).
 *
 * Cuts a body into pieces: framing, which is passed on as it is, content, and
 * chunk extensions, which are not passed on. Looks at content only to count
 * it, and keeps no bytes: of a line that is not whole nothing is consumed.
 */
#ifndef PROXYD_HTTP_CHUNKS_H
#define PROXYD_HTTP_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

#include "proxyd/http/bad.h"

enum {
	CHUNKS_LINE_MAX = 256, /* bytes of a size, its extensions and CRLF */
};

enum chunks_kind {
	CHUNKS_MORE,  /* nothing can be said before there are more bytes */
	CHUNKS_FRAME, /* framing: to be passed on */
	CHUNKS_SKIP,  /* extensions: well-formed, not to be passed on */
	CHUNKS_DATA,  /* content; may go on in the next piece */
	CHUNKS_END,   /* the last bytes of framing: the message is over */
	CHUNKS_BAD,   /* refused */
};

enum chunks_state {
	CHUNKS_AT_SIZE,
	CHUNKS_AT_EXTENSION, /* behind the digits of a size */
	CHUNKS_AT_SIZE_END,  /* behind the extensions */
	CHUNKS_AT_DATA,
	CHUNKS_AT_DATA_END, /* behind the content of a chunk */
	CHUNKS_AT_TRAILER,
	CHUNKS_AT_END,
};

struct chunks {
	uint64_t left; /* bytes of content until the chunk's end */
	size_t most;   /* bytes that a trailer may still have */
	enum chunks_state state;
};

struct chunks_piece {
	enum chunks_kind kind;
	enum http_bad bad; /* of CHUNKS_BAD: why */
	size_t len;	   /* > 0, but 0 of CHUNKS_MORE and CHUNKS_BAD */
};

/* Begin: the next byte is the first of a body whose trailer may have `most`. */
void chunks_init(struct chunks *c, size_t most);

/*
 * The next piece: buf[0..piece.len) is consumed. After CHUNKS_MORE and
 * CHUNKS_BAD nothing is, and c is as it was; after CHUNKS_END there is no
 * next piece. How the bytes are cut changes the pieces of content, but
 * nothing else.
 */
struct chunks_piece chunks_next(struct chunks *c, const char *buf, size_t len);

/* `n` bytes of content, of the c->left that are due, went another way. */
void chunks_passed(struct chunks *c, uint64_t n);

#endif
