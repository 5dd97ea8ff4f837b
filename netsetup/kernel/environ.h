/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * environ.h - variables of the shell that this was typed in.
 *
 * sudo and others clear the environment; the shell that called them still
 * has it.
 */
#ifndef NETSETUP_KERNEL_ENVIRON_H
#define NETSETUP_KERNEL_ENVIRON_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Find variable `name` in this process, else in its parent, and so on, the
 * nearest that has it. Where a parent may not be read, it is passed over.
 * Returns whether it was found and fits; the value goes to `buf`. Source:
 * proc_pid_environ(5): as it was when that process began.
 */
bool environ_find(const char *name, char *buf, size_t size);

#endif
