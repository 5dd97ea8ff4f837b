/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.h - the command `netsetup check`: is the policy sound? It does not
 * look at the box.
 */
#ifndef NETSETUP_CMD_CHECK_H
#define NETSETUP_CMD_CHECK_H

/* argv[0] is the command's name. Returns the exit status. */
int cmd_check(int argc, char **argv);

#endif
