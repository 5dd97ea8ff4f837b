/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command.h - for tests of netsetup's commands: run one, see what it says.
 */
#ifndef TESTS_LAB_COMMAND_H
#define TESTS_LAB_COMMAND_H

#include "tests/lab/lab.h"

/* Two services, both families, sets, excepts, a return path. */
#define COMMAND_POLICY                                                         \
	"gateway {\n"                                                          \
	"    inside in0, eth*\n"                                               \
	"    except to 10.99.0.0/16\n"                                         \
	"}\n"                                                                  \
	"service web {\n"                                                      \
	"    intercept tcp port 80, 8000-8100\n"                               \
	"    except from 10.9.0.0/16, 10.11.0.0/16, fd00:9::/32\n"             \
	"}\n"                                                                  \
	"service tls {\n"                                                      \
	"    intercept tcp port 443 to 10.0.0.0/8, 10.1.0.1, 2001:db8::/32\n"  \
	"    on-failure closed\n"                                              \
	"}\n"

/*
 * `netsetup COMMAND` with the lab's policy ends with this status, and says
 * `output` somewhere (NULL: whatever it says).
 */
void command_check(struct lab *lab, const char *command, int status,
		   const char *output);

/* It ends with 0 and says nothing at all. */
void command_silent(struct lab *lab, const char *command);

#endif
