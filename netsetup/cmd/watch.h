/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch.h - the command `netsetup watch`: stay, notice when somebody changes
 * what is installed, and act as the policy's `on-drift` says.
 */
#ifndef NETSETUP_CMD_WATCH_H
#define NETSETUP_CMD_WATCH_H

/* argv[0] is the command's name. Returns the exit status, after SIGTERM. */
int cmd_watch(int argc, char **argv);

#endif
