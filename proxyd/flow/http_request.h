/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_request.h - what the client asks, and what it sends along.
 */
#ifndef PROXYD_FLOW_HTTP_REQUEST_H
#define PROXYD_FLOW_HTTP_REQUEST_H

#include "proxyd/flow/http_refuse.h"
#include "proxyd/flow/life.h"

/*
 * STEP_SNIFF, STEP_HEAD, STEP_KEEP_ALIVE: read the head of a request, and have
 * it go on. `ready` is called for what happens at the link.
 */
enum http_next http_read_request(struct flow *f, void (*ready)(void *flow));

/* The first bytes are no request, or there are none: what the policy says. */
enum http_next http_not_http(struct flow *f);

/*
 * Let the body go on to the server, as far as it has come and is taken.
 * HTTP_WAIT: that was done. *ret_again as for relay_pump().
 */
enum http_next http_pass_request(struct flow *f, bool *ret_again);

#endif
