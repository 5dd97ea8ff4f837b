/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_onward.h - a connection to a server, for a request that is to go on.
 */
#ifndef PROXYD_FLOW_HTTP_ONWARD_H
#define PROXYD_FLOW_HTTP_ONWARD_H

#include <stddef.h>

#include "proxyd/flow/http_refuse.h"
#include "proxyd/flow/life.h"

/*
 * Have it decided where the request goes, and send the head that goes on,
 * with as much of the body behind it as is there: `len` bytes at `data`.
 * `ready` is called for what happens at the link.
 */
enum http_next http_onward(struct flow *f, const char *data, size_t len,
			   void (*ready)(void *flow));

/* STEP_CONNECT: is it connected, or not to be? */
enum http_next http_connected(struct flow *f);

/*
 * The server ended, or its connection failed, before the response was there:
 * send the request again if that is safe, else say that there is no answer.
 * Source: RFC 9110, section 9.2.2; RFC 9112, section 9.3.1.
 */
enum http_next http_server_failed(struct flow *f, void (*ready)(void *flow));

#endif
