/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain.h - the command `netsetup explain`: the way of one flow, hook by
 * hook. Changes nothing.
 */
#ifndef NETSETUP_CMD_EXPLAIN_H
#define NETSETUP_CMD_EXPLAIN_H

/* argv[0] is the command's name. Returns the exit status. */
int cmd_explain(int argc, char **argv);

#endif
