/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ask.h - the box answers: routes, settings and listeners of this namespace.
 */
#ifndef NETSETUP_CHANGE_ASK_H
#define NETSETUP_CHANGE_ASK_H

#include <stdint.h>

#include "netsetup/explain/way.h"
#include "netsetup/kernel/nl.h"

struct ask {
	struct nl route;
	struct nl sockets;
};

/* 0 or -errno. Needs no privilege. */
int ask_open(struct ask *a);
void ask_close(struct ask *a);

/* Questions to this one; valid while `a` is open and stays where it is. */
struct way_box ask_box(struct ask *a);

/*
 * For how long do these two still bypass the proxy? *ret_ms 0: they do not.
 * 0 or -errno; needs CAP_NET_ADMIN.
 */
int ask_bypass(const struct addr *client, const struct addr *destination,
	       uint64_t *ret_ms);

#endif
