/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon.h - asks the proxyd that runs beside us which policy it serves.
 *
 * By its control socket, in the words of proxyctl(8). It never has to
 * answer: whoever asks goes on without.
 */
#ifndef NETSETUP_KERNEL_DAEMON_H
#define NETSETUP_KERNEL_DAEMON_H

#include <stdint.h>

#include "lib/arena.h"

/* All of it lives in the arena. */
struct daemon_policy {
	const char *path;  /* as proxyd was given it */
	const char *since; /* a stamp */
	uint64_t digest;   /* as in policy.h */
};

/*
 * Ask; half a second at most. 0; -ENOENT: there is nobody, it may not be
 * asked, it is not of this network namespace, did not answer in time, or is
 * about to serve another policy or none.
 */
int daemon_ask(struct arena *arena, struct daemon_policy *ret);

#endif
