/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listener.h - the sockets that clients arrive at.
 *
 * All of a policy's: one endpoint a family for each capture port, and the
 * `listen` endpoints, each with a socket for every worker. The master opens
 * them, after it became its user, and workers inherit them all, so that one
 * can stand in for another. Accepts nothing.
 */
#ifndef PROXYD_NET_LISTENER_H
#define PROXYD_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"
#include "lib/str.h"

#include "policy/policy.h"

#include "proxyd/net/sockets.h"

enum { LISTENERS_MAX = 16384 }; /* endpoints of a policy */

enum listener_kind {
	LISTENER_REDIRECT, /* netsetup's rules redirect to it */
	LISTENER_TPROXY,   /* they give it packets for any destination */
	LISTENER_LISTEN,   /* anybody may connect, or redirect */
};

struct listener {
	enum listener_kind kind;
	struct endpoint endpoint;
	uint32_t mark; /* LISTENER_TPROXY: of it and of what it accepts */
	const struct policy_service *service; /* borrows from the policy */
	/*
	 * counted; NULL: closed, or not open yet, because those of a former
	 * policy are in the way
	 */
	struct sockets *sockets;
};

struct listeners {
	struct listener *list; /* owns */
	size_t n;
	uint32_t n_slots; /* sockets of each */
};

/* What to open, and what is there already. */
struct listener_plan {
	const struct policy *policy;
	uint32_t n_slots; /* sockets of each endpoint, at least 1 */
	/* of other policies that are still served, the latest first */
	const struct listeners *const *former;
	size_t n_former;
	uint32_t patience_ms; /* to wait for addresses that are in use */
	bool only_former; /* open none: what they do not have, is not open */
};

/*
 * Open them all, or none: then -errno, with the one that failed in `why`.
 * Endpoints that `former` has too share its sockets. One that cannot be open
 * at the same time as another of `former` is left for later, see
 * listeners_late(). IPv6 is left out where the box has none, unless the
 * policy names it; then `why` says so although 0 is returned.
 */
int listeners_open(struct listeners *ls, const struct listener_plan *plan,
		   struct str *why);

/*
 * Try again to open what was left for later. True: *ret_index is open now,
 * and there may be more.
 */
bool listeners_late(struct listeners *ls, size_t *ret_index);

/* What its sockets are. */
struct sockets_what listener_what(const struct listener *l);

/* Does `other` have the same sockets? */
bool listener_is_shared(const struct listener *l,
			const struct listeners *other);

/*
 * Let go of the sockets but still know which they were. They are closed here
 * if no other listener of this process has them.
 */
void listener_shut(struct listener *l);
void listeners_shut(struct listeners *ls);

/* The same, and forget; a zeroed one is fine. */
void listeners_close(struct listeners *ls);

/*
 * Does one of them answer at this address and port, if the address is ours?
 * One that is shut or not yet open counts.
 */
bool listeners_answer(const struct listeners *ls, enum proto proto,
		      const struct endpoint *e);

/* Does the service listen on its capture port in this family? */
bool listeners_capture(const struct listeners *ls,
		       const struct policy_service *s, int family);

#endif
