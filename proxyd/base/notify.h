/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify.h - what the service manager is told, and what it keeps for us.
 *
 * The protocol of sd_notify(3) is one datagram, with descriptors if some are
 * to be kept: libsystemd is not needed. Nothing here waits for the manager.
 */
#ifndef PROXYD_BASE_NOTIFY_H
#define PROXYD_BASE_NOTIFY_H

#include <stddef.h>

enum {
	NOTIFY_FDS_MAX = 253,	   /* in one message, SCM_MAX_FD */
	NOTIFY_FIRST_FD = 3,	   /* of those that come back */
	NOTIFY_NAME_LEN = 255 + 1, /* of what is kept */
};

/*
 * Send `state` ("READY=1") to $NOTIFY_SOCKET. Does nothing without one; that
 * nobody listens is not our problem. Source: sd_notify(3).
 */
void notify_send(const char *state);

/*
 * Say that a reload begins; READY=1 says that it is over. With the time of
 * it, which systemd 253 and later want where the unit has
 * Type=notify-reload.
 */
void notify_reloading(void);

/*
 * Have the manager keep `n` descriptors, at most NOTIFY_FDS_MAX, under
 * `name`; one that it has already is kept once. What it keeps, the next
 * process of the service inherits, unless the service was stopped. Returns
 * 0, also without a manager; -EAGAIN: it is busy, ask again; -errno.
 */
int notify_store(const char *name, const int *fds, size_t n);

/* It need not keep them any more. As notify_store(). */
int notify_forget(const char *name);

/*
 * How many descriptors, from NOTIFY_FIRST_FD on, were passed to this very
 * process? All become close-on-exec. The variables that say so are taken out
 * of the environment: they are not meant for our children, nor for us after
 * an exec. Source: sd_listen_fds(3).
 */
unsigned int notify_take_fds(void);

#endif
