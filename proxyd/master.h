/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * master.h - the process that is started, and that starts the others.
 *
 * Reads signals, owns the listening sockets, keeps a tracker and workers
 * running, has a new policy follow the old one, and tells netsetup's rules
 * that proxyd is alive. Proxies nothing itself, so that nothing a client
 * sends can reach it.
 */
#ifndef PROXYD_MASTER_H
#define PROXYD_MASTER_H

#include <stdint.h>

#include "policy/policy.h"

#include "proxyd/handover.h"
#include "proxyd/net/listener.h"

struct master_setup {
	struct policy *policy; /* the master's from now on */
	const char *path;      /* borrows: where it is read again */
	const char *control;   /* borrows: the socket of proxyctl */
	uint32_t workers;      /* so many whatever a policy says; 0: no */
	char *const *argv;     /* borrows: as main() has it */
	/* borrows: what was there before this program, if anything */
	const struct handover *handover;
	struct listeners *sockets;
};

/*
 * Be proxyd for this policy until told to end; already with the rights of
 * the master. Returns the exit status, in the children too: they return
 * from here when their life is over. Reports its errors itself.
 */
int master_run(const struct master_setup *setup);

#endif
