/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * priv.h - who a process is and what it may do.
 *
 * The one door to libcap. Each process of proxyd keeps the capabilities of
 * its role and gives all others up for good. What was set is read back;
 * a difference is an error that the caller must not survive.
 */
#ifndef PROXYD_BASE_PRIV_H
#define PROXYD_BASE_PRIV_H

#include "lib/str.h"

enum priv_role {
	PRIV_MASTER,  /* NET_ADMIN, NET_RAW, NET_BIND_SERVICE */
	PRIV_TRACKER, /* NET_ADMIN */
	PRIV_WORKER,  /* NET_RAW, NET_BIND_SERVICE */
};

/*
 * Which capabilities of the role are not permitted to this process? Adds
 * their names to `names`, "cap_net_admin, cap_net_raw". Returns how many,
 * or -errno.
 */
int priv_missing(enum priv_role role, struct str *names);

/*
 * If this process is root, become `user` with its groups, and keep the
 * permitted capabilities; else stay. -ENOENT: no such user; other -errno as
 * the kernel says.
 */
int priv_become(const char *user);

/*
 * Keep the role's capabilities and no others: effective, permitted; nothing
 * inheritable or ambient, no_new_privs. -EPERM also if what the kernel reads
 * back is not what was set.
 */
int priv_limit(enum priv_role role);

/*
 * Let a program that this process executes have the role's capabilities too,
 * although it is not root: they become inheritable and ambient. 0; -EPERM if
 * what is read back is not that; -errno. priv_limit() takes it back.
 * Source: capabilities(7), "Transformation of capabilities".
 */
int priv_pass_on(enum priv_role role);

#endif
