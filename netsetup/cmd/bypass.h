/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bypass.h - the command `netsetup bypass`: which pairs of client and
 * destination are routed unproxied for a while?
 */
#ifndef NETSETUP_CMD_BYPASS_H
#define NETSETUP_CMD_BYPASS_H

/* argv[0] is the command's name. Returns the exit status. */
int cmd_bypass(int argc, char **argv);

#endif
