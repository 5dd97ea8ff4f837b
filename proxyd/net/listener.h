/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listener.h - the sockets that clients arrive at.
 *
 * All of a policy's: one a family for each capture port, and the `listen`
 * endpoints. The master opens them, after it became its user, and workers
 * inherit them. Accepts nothing.
 */
#ifndef PROXYD_NET_LISTENER_H
#define PROXYD_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/inet.h"
#include "lib/str.h"

#include "policy/policy.h"

enum listener_kind {
	LISTENER_REDIRECT, /* netsetup's rules redirect to it */
	LISTENER_TPROXY,   /* they give it packets for any destination */
	LISTENER_LISTEN,   /* anybody may connect, or redirect */
};

struct listener {
	int fd; /* owns; -1: closed */
	enum listener_kind kind;
	struct endpoint endpoint;
	uint32_t mark; /* LISTENER_TPROXY: of it and of what it accepts */
	const struct policy_service *service; /* borrows from the policy */
};

struct listeners {
	struct listener *list; /* owns */
	size_t n;
};

/*
 * Open them all, or none: then -errno, with the one that failed in `why`.
 * Waits up to two seconds for addresses that are in use.
 * IPv6 is left out where the box has none, unless the policy names it; then
 * `why` says so although 0 is returned.
 */
int listeners_open(struct listeners *ls, const struct policy *p,
		   struct str *why);

/* Close the sockets here, but still know which they were. */
void listeners_shut(struct listeners *ls);

/* The same, and forget; a zeroed one is fine. */
void listeners_close(struct listeners *ls);

/* Does one of them answer at this address and port, if the address is ours? */
bool listeners_answer(const struct listeners *ls, enum proto proto,
		      const struct endpoint *e);

/* Does the service listen on its capture port in this family? */
bool listeners_capture(const struct listeners *ls,
		       const struct policy_service *s, int family);

#endif
