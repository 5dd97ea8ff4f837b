/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inherited.h - sockets that were there before this process.
 *
 * From the service manager, which kept them over a crash, or from the proxyd
 * whose place this one takes. They are known by what they are, not by what
 * somebody says they are: protocol, name, transparent or not. They become
 * listeners of no service, for listeners_open() to find as those of a former
 * policy; what it does not want is closed, with a note.
 */
#ifndef PROXYD_NET_INHERITED_H
#define PROXYD_NET_INHERITED_H

#include "proxyd/net/listener.h"

/*
 * Look at a descriptor and own it from now on, if clients can arrive there;
 * it becomes close-on-exec and non-blocking. Else -errno, and it stays the
 * caller's: -ENOTSOCK; -EPROTOTYPE: a socket, but not of that kind; -EEXIST:
 * the same socket is there already; -ENOMEM; other -errno. `ls` is zeroed at
 * first.
 */
int inherited_add(struct listeners *ls, int fd);

/* Close what `current` does not have, and say of each what it was. */
void inherited_close(struct listeners *ls, const struct listeners *current);

#endif
