/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor.h - the command `netsetup doctor`: what on this box would break it,
 * and what mends that?
 */
#ifndef NETSETUP_CMD_DOCTOR_H
#define NETSETUP_CMD_DOCTOR_H

/* argv[0] is the command's name. Returns the exit status. */
int cmd_doctor(int argc, char **argv);

#endif
