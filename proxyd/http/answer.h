/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * answer.h - answers of our own, where no server's can be had.
 *
 * Pure: the page is given, see error_page.h.
 */
#ifndef PROXYD_HTTP_ANSWER_H
#define PROXYD_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_HEAD_MAX = 512 };

struct answer {
	unsigned int status;
	const char *phrase;
	const char *date; /* of clock_http_date() */
	const char *type; /* of the page: Content-Type */
	size_t len;	  /* of the page */
	bool close;	  /* the connection ends with it */
};

/* Write its head; returns how many bytes it has. */
size_t answer_head(const struct answer *a, char out[ANSWER_HEAD_MAX]);

#endif
