/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp_parcel.h - a flow of datagrams, as one worker hands it to the next.
 *
 * Plain values, for one message; the flow's two sockets go with it. Another
 * version of the program may be at the other end: a parcel that is not just
 * as it would be here is not opened.
 */
#ifndef PROXYD_FLOW_UDP_PARCEL_H
#define PROXYD_FLOW_UDP_PARCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/names.h"

#include "proxyd/flow/udp_life.h"

enum { UDP_PARCEL_VERSION = 1 };

struct udp_parcel {
	uint32_t version;
	uint32_t size;
	char service[NAME_MAX_LEN + 1];
	uint8_t kind; /* enum listener_kind */
	uint8_t via;  /* enum record_via */
	uint8_t port_taken;
	uint8_t answered;
	uint16_t client_join;
	uint16_t server_join;
	struct endpoint a; /* of the flow's pair */
	struct endpoint b;
	struct endpoint client;
	struct endpoint destination;
	struct upstream upstream;
	uint64_t opened_ms;
	uint64_t active_ms;
	int64_t ms_answer;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t dropped;
	uint64_t owed;
};

/* Of a flow that relays. */
void udp_parcel_pack(const struct udp_flow *f, struct udp_parcel *ret_parcel);

/* Are these `len` bytes a parcel that makes sense? */
bool udp_parcel_check(const struct udp_parcel *p, size_t len);

/* What is in it, but for service, kind and pair, which the flow has. */
void udp_parcel_unpack(const struct udp_parcel *p, struct udp_flow *f);

#endif
