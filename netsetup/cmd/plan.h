/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan.h - the command `netsetup plan`: what would apply change? Changes
 * nothing.
 */
#ifndef NETSETUP_CMD_PLAN_H
#define NETSETUP_CMD_PLAN_H

/* argv[0] is the command's name. Returns the exit status. */
int cmd_plan(int argc, char **argv);

#endif
