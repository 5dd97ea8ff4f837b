/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status.h - the command `netsetup status`: what is installed, is it what the
 * policy says, and who is alive?
 */
#ifndef NETSETUP_CMD_STATUS_H
#define NETSETUP_CMD_STATUS_H

/* argv[0] is the command's name. Returns the exit status. */
int cmd_status(int argc, char **argv);

#endif
