/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * udp_move.h - flows of datagrams go on in another worker.
 *
 * Datagrams have no end to wait for, so a worker that drains hands its flows
 * to its successor, over a talk whose ends the master gives them: one message
 * and two sockets each. What arrives meanwhile waits in those sockets. A flow
 * that nobody takes ends as udp_drain() says.
 */
#ifndef PROXYD_FLOW_UDP_MOVE_H
#define PROXYD_FLOW_UDP_MOVE_H

#include <stdbool.h>

#include "proxyd/flow/flows.h"

/*
 * Hand over, through `fd`, which is ours from now on, the flows of listeners
 * that were left to the successor: those of now, and of later.
 */
void udp_move_to(struct flows *fs, int fd);

/* Listeners were left, or flows have found their way: look again. */
void udp_move_look(struct flows *fs);

/* Take over what comes through `fd`, which is ours from now on. */
void udp_move_from(struct flows *fs, int fd);

/* May more come from another? Then it is too early to end. */
bool udp_move_expects(const struct flows *fs);

/* Close both, before udp_fini(). */
void udp_move_fini(struct flows *fs);

#endif
