/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * announce.h - who the client is, as the PROXY protocol says it.
 *
 * Before the first byte of a connection: in, where the service has
 * `accept-proxy`, and out, where the pool has `send-proxy`. What a header
 * says is believed, whoever sent it: who may reach such a service is the
 * administrator's to say.
 */
#ifndef PROXYD_FLOW_ANNOUNCE_H
#define PROXYD_FLOW_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxyd/flow/life.h"
#include "proxyd/stream/proxyproto.h"

/*
 * These events happened at the client's side, whose header has not come yet.
 * True: now it has, is taken and counted nowhere, and client and destination
 * of the flow are what it says. False: there must be more, or the flow has
 * ended.
 */
bool announce_take(struct flow *f, uint32_t events);

/* The header that the server gets, in `buf`: its length. 0: none. */
size_t announce_build(const struct flow *f, char buf[PROXYPROTO_BUILD_MAX]);

#endif
