/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export.h - the command `netsetup export`: the same by hand. Changes
 * nothing.
 */
#ifndef NETSETUP_CMD_EXPORT_H
#define NETSETUP_CMD_EXPORT_H

/* argv[0] is the command's name. Returns the exit status. */
int cmd_export(int argc, char **argv);

#endif
