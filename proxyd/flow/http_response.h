/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_response.h - what the server answers.
 */
#ifndef PROXYD_FLOW_HTTP_RESPONSE_H
#define PROXYD_FLOW_HTTP_RESPONSE_H

#include "proxyd/flow/http_refuse.h"
#include "proxyd/flow/life.h"

/*
 * Read its head, and let its body go on to the client, as far as it has come
 * and is taken. HTTP_WAIT: that was done, and there is more to come.
 * *ret_again as for relay_pump(); `ready` as for http_onward().
 */
enum http_next http_pass_response(struct flow *f, bool *ret_again,
				  void (*ready)(void *flow));

#endif
