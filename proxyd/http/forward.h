/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forward.h - the head that goes on, made of the one that came.
 *
 * All of it goes on as it is but what is between two neighbours only:
 * Connection and what it names, Keep-Alive, TE, Upgrade and their like (the
 * HOP rows of fields_tbl.h). Says in the name of proxyd HTTP/1.1, who the
 * client was, and what becomes of the connection. Pure.
 * Source: RFC 9110, sections 2.5 and 7.6; RFC 9112, section 9.
 */
#ifndef PROXYD_HTTP_FORWARD_H
#define PROXYD_HTTP_FORWARD_H

#include <stdbool.h>
#include <stddef.h>

#include "proxyd/http/bad.h"
#include "proxyd/http/head.h"

struct forward {
	/* of a request; texts may be NULL: nothing is said */
	const char *forwarded_for; /* the client, for X-Forwarded-For */
	bool forwarded_replace;	   /* what the client said of it is dropped */
	const char *cluster_ip;	   /* the client, for X-Cluster-Client-Ip */
	const char *host;	   /* for a request that names none */
	/* of both */
	bool upgrade;	 /* the connection may become another protocol's */
	bool close;	 /* it ends with this message */
	bool keep_alive; /* it stays open, for who would not expect it */
	bool strip;	 /* chunks do not go on as such */
};

/*
 * Write the head that goes on to `out`, which has `size` bytes: how many it
 * takes. 0: *ret_bad says what cannot be forwarded; HTTP_BAD_HEAD_TOO_LARGE
 * if it does not fit.
 */
size_t forward_request(const struct http_head *h, const char *buf,
		       const struct forward *how, char *out, size_t size,
		       enum http_bad *ret_bad);
size_t forward_response(const struct http_head *h, const char *buf,
			const struct forward *how, char *out, size_t size,
			enum http_bad *ret_bad);

#endif
