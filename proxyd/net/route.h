/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * route.h - what the kernel's routing says, for two questions of proxyd's.
 *
 * Is there a return path: an ip rule that sends packets marked DELIVER to
 * the policy's table, and a `local default` in it? Is an address one of the
 * box itself? Both are looked up over rtnetlink and need no privilege. This
 * module changes nothing; that is netsetup's.
 */
#ifndef PROXYD_NET_ROUTE_H
#define PROXYD_NET_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/inet.h"

#include "policy/policy.h"

struct mnl_socket;

enum { ROUTE_CACHE = 256 };

struct route_known {
	struct addr addr;
	bool local;
	uint64_t until_ms;
};

struct route {
	struct mnl_socket *nl; /* owns */
	uint32_t seq;
	/* answers of the last second: a busy server is asked about once */
	struct route_known known[ROUTE_CACHE];
};

/* Opens the netlink socket. 0 or -errno. Fini of a zeroed one is safe. */
int route_init(struct route *r);
void route_fini(struct route *r);

/*
 * For which families is the return path there? *ret_families gets FAMILY_*
 * bits. 0 or -errno. Source: rtnetlink(7), RTM_GETRULE, RTM_GETROUTE.
 */
int route_return_path(struct route *r, const struct policy *p,
		      unsigned int *ret_families);

/*
 * Would a packet to `addr` end on this box? Answers may be a second old
 * (`now_ms`: the time). If the kernel does not say: no.
 */
bool route_is_local(struct route *r, const struct addr *addr, uint64_t now_ms);

#endif
