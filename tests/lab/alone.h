/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alone.h - for tests of proxyd without netsetup: it listens on port 80 of
 * the gateway, and clients connect to that.
 */
#ifndef TESTS_LAB_ALONE_H
#define TESTS_LAB_ALONE_H

#include "tests/lab/lab.h"

extern const struct lab_options alone_options;

/*
 * Lab and proxyd with these further lines in `gateway` and `service web`,
 * whose pool has two nodes on the server.
 */
struct lab *alone_begin(const char *gateway, const char *service,
			pid_t *ret_pid);

/* A client connects to proxyd: descriptor, or -errno. */
int alone_knock(struct lab *lab);

/* A flow through the gateway to whoever accepts on `l`. */
void alone_flow(struct lab *lab, int l, struct lab_flow *ret_flow);

/* The pid of the master's "tracker" or "worker"; -1: there is none. */
pid_t alone_child(pid_t master, const char *name);

#endif
