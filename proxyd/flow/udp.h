/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp.h - datagrams of one client to one destination, as a flow.
 *
 * The first one comes to a listener. The flow then finds out where it was
 * going, has it decided, and gets two connected sockets: one to the server,
 * and one to the client, from the address that the client asked, to which
 * the client's next datagrams come straight. What the other side does not
 * take at once is dropped and counted: nothing is queued but what a flow
 * needs while the tracker is asked, and that is bounded.
 *
 * The only place, with udp_life.h, that makes and ends such flows.
 */
#ifndef PROXYD_FLOW_UDP_H
#define PROXYD_FLOW_UDP_H

#include "proxyd/base/reason.h"
#include "proxyd/flow/flows.h"
#include "proxyd/net/listener.h"

/*
 * Before anything is received; without services of udp nothing is allocated.
 * 0 or -errno.
 */
int udp_init(struct flows *fs);

/* All its flows have ended. A zeroed one is fine. */
void udp_fini(struct flows *fs);

/*
 * Take what waits in `fd`, a socket of a listener of udp, or as much of it as
 * one has a turn for: then true. With a full table this is still called:
 * datagrams of new clients are dropped.
 */
bool udp_receive(struct flows *fs, const struct listener *l, int fd);

/*
 * Is there room for one more flow, of whatever kind? A full table gives up
 * the flow of datagrams that has waited longest for its first answer, if it
 * had its time: so whoever sends from a million addresses takes the places
 * of his own kind.
 */
bool udp_make_room(struct flows *fs);

struct udp_parcel;

/*
 * Go on with a flow that another worker had, of this service; both sockets
 * are taken over.
 */
void udp_resume(struct flows *fs, const struct policy_service *s,
		const struct udp_parcel *p, const int legs[2]);

/*
 * Datagrams have no end to wait for: what is under way gets a second, then
 * flows end with REASON_DRAIN_TIMEOUT, and clients are routed or refused.
 */
void udp_drain(struct flows *fs);

/* End all of them for this reason. */
void udp_end_all(struct flows *fs, enum reason reason);

#endif
