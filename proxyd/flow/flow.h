/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow.h - one client's connection, from its acceptance to its record.
 *
 * A flow finds out where the client was going, has it decided, connects
 * onward, relays and ends with one record. What it waits for, how long, and
 * how it ends then is in steps_tbl.h and reason_tbl.h.
 */
#ifndef PROXYD_FLOW_FLOW_H
#define PROXYD_FLOW_FLOW_H

#include "lib/inet.h"

#include "proxyd/base/reason.h"
#include "proxyd/flow/flows.h"
#include "proxyd/net/listener.h"

/*
 * A connection of `peer` was accepted by `l`; `fd` is the flow's from now
 * on. The flow may have ended when this returns.
 */
void flow_open(struct flows *fs, const struct listener *l, int fd,
	       const struct endpoint *peer);

/* End all of them for this reason. */
void flow_end_all(struct flows *fs, enum reason reason);

#endif
