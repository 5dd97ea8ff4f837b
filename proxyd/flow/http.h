/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http.h - a client's connection that speaks HTTP/1.1, request by request.
 *
 * The first bytes say whether it does. Each request is decided anew, goes on
 * by a connection to its server that may have served others before, and has
 * a record of its own.
 */
#ifndef PROXYD_FLOW_HTTP_H
#define PROXYD_FLOW_HTTP_H

#include <stdbool.h>

#include "proxyd/flow/life.h"

/*
 * It is known where the client was going. True: the flow is no HTTP, it has
 * not been decided on, and goes on as one of TCP. False: it is, or has ended.
 */
bool http_open(struct flow *f);

/* Something happened at the client's side, or its timer fired; likewise. */
bool http_on(struct flow *f);
bool http_late(struct flow *f);

#endif
