/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bad.h - why a message is refused.
 *
 * The rows of bad_tbl.h as values. Who refuses, and when, is the business of
 * parse.h and chunks.h.
 */
#ifndef PROXYD_HTTP_BAD_H
#define PROXYD_HTTP_BAD_H

#include <stdint.h>

enum http_bad {
	HTTP_BAD_NONE, /* nothing is wrong */
#define BAD(name, status, word, meaning) HTTP_BAD_##name,
#include "proxyd/http/bad_tbl.h"
#undef BAD
	HTTP_BAD_COUNT,
};

/* The word of records and counters; "-" for HTTP_BAD_NONE. */
const char *http_bad_word(enum http_bad bad);

/* One line for people; "" for HTTP_BAD_NONE. */
const char *http_bad_meaning(enum http_bad bad);

/* The status to answer such a request with; 0 for HTTP_BAD_NONE. */
int http_bad_status(enum http_bad bad);

/* Of all words in their order: the same for who counts the same. */
uint64_t http_bad_digest(void);

#endif
