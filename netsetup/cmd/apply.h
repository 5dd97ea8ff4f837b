/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply.h - the command `netsetup apply`: make the kernel do what the policy
 * says.
 */
#ifndef NETSETUP_CMD_APPLY_H
#define NETSETUP_CMD_APPLY_H

/* argv[0] is the command's name. Returns the exit status. */
int cmd_apply(int argc, char **argv);

#endif
