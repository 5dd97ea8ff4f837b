/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * drain.h - lets proxied flows end before what they need is taken away.
 */
#ifndef NETSETUP_CMD_DRAIN_H
#define NETSETUP_CMD_DRAIN_H

#include "netsetup/cmd/session.h"

/*
 * End capture, and wait until no flow is proxied any more, at most `ms`. The
 * journal must be locked. Who interrupts it finds the box as it is then: a
 * later drain, remove or apply goes on from there. -1 to go on with removing;
 * or an exit status: the rest was said.
 */
int drain(struct journal *j, uint64_t ms);

#endif
