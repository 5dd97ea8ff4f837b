/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify.h - tell the service manager how it goes.
 *
 * The protocol of sd_notify(3) is one datagram; libsystemd is not needed.
 */
#ifndef PROXYD_BASE_NOTIFY_H
#define PROXYD_BASE_NOTIFY_H

/*
 * Send `state` ("READY=1") to $NOTIFY_SOCKET. Does nothing without one; that
 * nobody listens is not our problem. Source: sd_notify(3).
 */
void notify_send(const char *state);

#endif
