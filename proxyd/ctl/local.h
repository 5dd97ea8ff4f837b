/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * local.h - a socket that has a name in the file system.
 *
 * Where proxyd listens and proxyctl connects. The name decides who may come:
 * the directory is everybody's to look into, the socket is its owner's and
 * its group's.
 */
#ifndef PROXYD_CTL_LOCAL_H
#define PROXYD_CTL_LOCAL_H

#include "lib/str.h"

/*
 * As root: make the directory of POLICY_CONTROL_PATH for `user`, and the one
 * above it, where they are missing. 0 or -errno.
 */
int local_prepare(const char *user);

/*
 * Listen at `path`, never blocking, in a directory that is there. A socket
 * that nobody listens at any more is replaced. 0 and *ret_fd, the caller's;
 * -EADDRINUSE: another process listens there; -EEXIST: it is no socket;
 * other -errno.
 */
int local_listen(const char *path, int *ret_fd);

/* What that error means, for people. */
void local_explain(const char *path, int error, struct str *why);

/*
 * Connect; connecting, sending and receiving wait for `ms` at most and are
 * -EAGAIN then. 0 and *ret_fd, the caller's; -ECONNREFUSED and -ENOENT:
 * nobody listens; other -errno.
 */
int local_connect(const char *path, unsigned int ms, int *ret_fd);

#endif
