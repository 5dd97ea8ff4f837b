/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pulse.h - what the master and netsetup's rules learn of each other.
 *
 * Sends the heartbeat of each service and hears whether rules took it; looks
 * whether the return path of spoofed connections is there. Says so in the
 * log when it changes. When to do it is the master's business.
 */
#ifndef PROXYD_PULSE_H
#define PROXYD_PULSE_H

#include <stdbool.h>

#include "policy/policy.h"

#include "proxyd/net/alive.h"
#include "proxyd/net/listener.h"
#include "proxyd/net/route.h"

enum pulse_rules {
	PULSE_UNKNOWN, /* nothing was sent yet */
	PULSE_SEEN,
	PULSE_MISSING,
};

struct pulse {
	const struct policy *policy;	   /* borrows */
	const struct listeners *listeners; /* borrows */
	struct alive alive;
	struct route route;
	enum pulse_rules *rules;  /* owns: of each service */
	unsigned int return_path; /* FAMILY_* bits, as last seen */
	unsigned int lost;	  /* of these it was said that it is gone */
};

/* 0 or -errno. Fini of a zeroed one is safe. */
int pulse_init(struct pulse *p, const struct policy *policy,
	       const struct listeners *listeners);
void pulse_fini(struct pulse *p);

/* One heartbeat for each service that captures and listens. */
void pulse_beat(struct pulse *p);

/* Did rules take any of the last ones? */
bool pulse_is_seen(const struct pulse *p);

/*
 * The families, FAMILY_* bits, for which answers to a spoofed source come
 * back: ip rule, route and marks are there as the policy has them.
 */
unsigned int pulse_return_path(struct pulse *p);

#endif
