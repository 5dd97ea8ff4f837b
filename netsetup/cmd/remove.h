/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * remove.h - the command `netsetup remove`: take away all that is ours; needs
 * no policy.
 */
#ifndef NETSETUP_CMD_REMOVE_H
#define NETSETUP_CMD_REMOVE_H

/* argv[0] is the command's name. Returns the exit status. */
int cmd_remove(int argc, char **argv);

#endif
