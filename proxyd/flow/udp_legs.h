/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp_legs.h - the two sockets of a flow of datagrams.
 *
 * Opens them, and receives from one in batches. What is to become of what
 * came is the caller's business: each function here that is given others
 * calls them, and may find the flow ended when they return false.
 */
#ifndef PROXYD_FLOW_UDP_LEGS_H
#define PROXYD_FLOW_UDP_LEGS_H

#include <stdbool.h>
#include <stdint.h>

#include "proxyd/flow/udp_life.h"

/*
 * Connect both as was decided, and wait for what they receive. The client's
 * port is kept where that is wanted and possible. 0; -errno, and the flow
 * may have one of them.
 */
int udp_legs_open(struct udp_flow *f,
		  void (*on_client)(void *flow, uint32_t events),
		  void (*on_server)(void *flow, uint32_t events));

/* Wait for what both receive, who are there already. 0 or -errno. */
int udp_legs_wait(struct udp_flow *f,
		  void (*on_client)(void *flow, uint32_t events),
		  void (*on_server)(void *flow, uint32_t events));

/*
 * Receive what is there, and call pass() for items of `peer`'s, stray() for
 * each that is not. 0; -errno: the leg has an error; -ECANCELED: pass() said
 * that the flow has ended.
 */
int udp_legs_pump(struct udp_flow *f, int fd, struct loop_source *source,
		  const struct endpoint *peer,
		  bool (*pass)(struct udp_flow *f, unsigned int i,
			       unsigned int n),
		  void (*stray)(struct udp_flow *f, unsigned int i));

/*
 * The errno that waits on a leg after these events, or 0. That a datagram
 * was too long for the way is none: the kernel knows better from then on.
 */
int udp_legs_error(int fd, uint32_t events);

#endif
