/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker.h - the process that does the proxying.
 *
 * Accepts, and lets flows live, in one loop. Owns no listening socket: it
 * inherits the master's, and has CAP_NET_RAW and CAP_NET_BIND_SERVICE only.
 */
#ifndef PROXYD_WORKER_H
#define PROXYD_WORKER_H

#include <stdint.h>

#include "policy/policy.h"

#include "proxyd/base/shm.h"
#include "proxyd/base/tally.h"
#include "proxyd/ctl/access.h"
#include "proxyd/flow/listing.h"
#include "proxyd/net/listener.h"

enum worker_order_kind {
	WORKER_DRAIN = 1, /* accept no more, end with the last flow */
	WORKER_QUIT,	  /* end now */
	WORKER_LOG_LEVEL, /* say more, or less */
	WORKER_LIST,  /* with a file and a pipe: list flows, see listing.h */
	WORKER_FILES, /* write to these log files, which come with it */
	WORKER_COUNT, /* conntrack is there now: for origdst_untracked() */
};

/* What the master tells a worker: a message of base/talk. */
struct worker_order {
	uint32_t kind;		      /* enum worker_order_kind */
	uint32_t level;		      /* WORKER_LOG_LEVEL: enum log_level */
	struct listing_order listing; /* WORKER_LIST */
	struct access_gift gift;      /* WORKER_FILES */
};

/* All borrowed. */
struct worker_setup {
	const struct policy *policy;
	struct shm *shm;
	struct tally_row *tally;     /* this worker's column */
	struct listeners *listeners; /* shut when draining begins */
	struct access *access;
	int tracker_fd; /* to ask the tracker */
	int talk_fd;	/* orders; its end: the master is gone */
	int count_fd;	/* of origdst_open_count(); or -errno */
};

/*
 * A worker's life. Returns its exit status. Privileges are already limited.
 */
int worker_run(const struct worker_setup *setup);

#endif
