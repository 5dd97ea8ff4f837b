/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sandbox.h - which system calls a process may still make.
 *
 * The one door to libseccomp. What is not on the list of its role is refused
 * by the kernel; what only an intruder asks for ends the process. A filter
 * stays for good, is inherited over fork() and exec(), and can only be made
 * tighter: so the master's, which its children get first, allows all that
 * theirs do.
 */
#ifndef PROXYD_BASE_SANDBOX_H
#define PROXYD_BASE_SANDBOX_H

#include "proxyd/base/priv.h"

/*
 * Let this process make the system calls of its role and no others, and be
 * looked into by nobody but root: no core dump, no debugger. Needs
 * no_new_privs. A filter of the same list that is on already, from before an
 * exec(), is not put on again.
 *
 * -ENOSYS: this kernel has no seccomp, nothing was done; -EPERM also if what
 * the kernel reads back is not what was set; other -errno.
 * Source: seccomp(2), prctl(2).
 */
int sandbox_enter(enum priv_role role);

#endif
