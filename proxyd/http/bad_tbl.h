/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bad_tbl.h - every reason to refuse a message, as rows.
 *
 * The word is what records and counters say and what proxyd(8) lists; the
 * status is what a client is told of its request (of a response the server
 * is not told anything, and its client 502). Included with BAD defined as a
 * macro of four arguments, several times.
 */

/* clang-format off */

/*  name                 status word                   meaning */
BAD(BARE_CR,             400,   "bare-cr",             "a carriage return without a line feed")
BAD(BARE_LF,             400,   "bare-lf",             "a line feed without a carriage return")
BAD(NUL,                 400,   "nul",                 "a NUL byte")
BAD(REQUEST_LINE,        400,   "request-line",        "not `method target HTTP/1.1`, with one space between them")
BAD(METHOD,              400,   "method",              "a method that is not a token, or longer than 32 bytes")
BAD(CONNECT,             400,   "connect",             "the method CONNECT: this is not the client's proxy")
BAD(TARGET,              400,   "target",              "a request target with bytes or of a form that are not allowed")
BAD(VERSION,             400,   "version",             "a version of HTTP other than 1.0 and 1.1")
BAD(STATUS_LINE,         400,   "status-line",         "not `HTTP/1.1 status reason`")
BAD(OBS_FOLD,            400,   "obs-fold",            "a line of the head that begins with a space or a tab")
BAD(SPACE_BEFORE_COLON,  400,   "space-before-colon",  "a space or a tab after the name of a field")
BAD(FIELD_NAME,          400,   "field-name",          "a field without a name or a colon, or whose name is not a token")
BAD(FIELD_VALUE,         400,   "field-value",         "a control character in the value of a field")
BAD(CONTENT_LENGTH,      400,   "content-length",      "a Content-Length that is not one number, stands twice or where none may")
BAD(LENGTH_AND_ENCODING, 400,   "length-and-encoding", "both Content-Length and Transfer-Encoding")
BAD(ENCODING,            400,   "encoding",            "a Transfer-Encoding other than chunked, twice, or where none may")
BAD(CHUNK_SIZE,          400,   "chunk-size",          "the size of a chunk is not a number, or too large a one")
BAD(CHUNK_EXTENSION,     400,   "chunk-extension",     "a malformed or overlong chunk extension")
BAD(CHUNK_END,           400,   "chunk-end",           "a chunk that is longer or shorter than its size")
BAD(TRAILER,             400,   "trailer",             "a trailer that is too large, or with a field that belongs into the head")
BAD(HOST_MISSING,        400,   "host-missing",        "HTTP/1.1 without a Host field")
BAD(HOST_REPEATED,       400,   "host-repeated",       "more than one Host field")
BAD(AUTHORITY,           400,   "authority",           "a malformed host or port, a user name, or a target that contradicts Host")
BAD(CONNECTION,          400,   "connection",          "a Connection field that names more than 16 others")
BAD(LINE_TOO_LONG,       414,   "line-too-long",       "a request line longer than `limit request-head`")
BAD(HEAD_TOO_LARGE,      431,   "head-too-large",      "a head larger than `limit request-head`")
BAD(TOO_MANY_FIELDS,     431,   "too-many-fields",     "more than 128 fields")
