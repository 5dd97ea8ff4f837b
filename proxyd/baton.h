/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * baton.h - passes a running proxyd on to another program.
 *
 * The other one is executed in this process, so that its pid and its
 * children stay. What it has to know goes with it in a memfd, and the
 * descriptors that are named there stay open. Source: execve(2).
 */
#ifndef PROXYD_BATON_H
#define PROXYD_BATON_H

#include "proxyd/handover.h"
#include "proxyd/net/inherited.h"

/*
 * The path by which this program was started, absolute, whatever is at it
 * now. The caller frees it; NULL: not known.
 */
char *baton_path(void);

/*
 * Become the program at `path`, with the arguments of `argv` and the rights
 * of the master. Returns only if that failed: -errno, and all is as before.
 */
int baton_pass(const char *path, char *const *argv, const struct handover *h);

/*
 * Were we executed by a proxyd? Then take what it left: `h` is filled, its
 * sockets are added to `ls`, all descriptors are close-on-exec. What it left
 * and cannot be read is said; then `h` is empty, and `ls` has what could be
 * found. `h` is initialised in any case.
 */
void baton_take(struct handover *h, struct listeners *ls);

#endif
