/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * confirm.h - the command `netsetup confirm`: keep what `apply --confirm` did.
 */
#ifndef NETSETUP_CMD_CONFIRM_H
#define NETSETUP_CMD_CONFIRM_H

/* argv[0] is the command's name. Returns the exit status. */
int cmd_confirm(int argc, char **argv);

#endif
