/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker.h - a process that does the proxying.
 *
 * Accepts, and lets flows live, in one loop. Shares nothing with other
 * workers. Owns no listening socket: it inherits the master's, those of all
 * slots, and has CAP_NET_RAW and CAP_NET_BIND_SERVICE only.
 */
#ifndef PROXYD_WORKER_H
#define PROXYD_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

#include "proxyd/base/shm.h"
#include "proxyd/base/tally.h"
#include "proxyd/ctl/access.h"
#include "proxyd/flow/listing.h"
#include "proxyd/http/error_page.h"
#include "proxyd/net/listener.h"
#include "proxyd/pool/places.h"

enum worker_order_kind {
	/* accept from the sockets of `slot`; accept no more from them */
	WORKER_TAKE = 1,
	WORKER_GIVE,
	/*
	 * The one descriptor that comes with it is the socket of `listener`
	 * and `slot`, which was not open yet.
	 */
	WORKER_LISTEN,
	/*
	 * Accept no more, and end with the last flow; cut what is left after
	 * `timeout_ms`. From listeners in `alone`, from which nobody else
	 * accepts, go on accepting for `linger_ms`, and then take in first
	 * what waits. Comes again to make that shorter.
	 */
	WORKER_DRAIN,
	WORKER_QUIT, /* end now */
	/*
	 * With one end of a talk: hand flows of udp over to a successor when
	 * their listeners are left to it; take them over. See udp_move.h.
	 */
	WORKER_MOVE_TO,
	WORKER_MOVE_FROM,
	WORKER_LOG_LEVEL, /* say more, or less */
	WORKER_LIST,  /* with a file and a pipe: list flows, see listing.h */
	WORKER_FILES, /* write to these log files, which come with it */
	WORKER_COUNT, /* conntrack is there now: for origdst_untracked() */
};

/*
 * What the master tells a worker: a message of base/talk. It may be sent
 * without `alone`.
 */
struct worker_order {
	uint32_t kind; /* enum worker_order_kind */
	uint32_t slot;
	uint32_t listener; /* its index */
	uint32_t linger_ms;
	uint32_t timeout_ms;
	uint32_t level;			  /* enum log_level */
	struct listing_order listing;	  /* WORKER_LIST */
	struct access_gift gift;	  /* WORKER_FILES */
	uint8_t alone[LISTENERS_MAX / 8]; /* a bit for each listener */
};

/* All borrowed. */
struct worker_setup {
	const struct policy *policy;
	struct shm *shm;
	struct shm_worker *own;	     /* its slot there */
	struct places *places;	     /* what limits count */
	struct tally_row *tally;     /* this worker's column */
	struct listeners *listeners; /* shut when draining ends */
	struct access *access;
	const struct error_pages *error_pages;
	uint32_t index; /* which of the workers; its own slot */
	bool serves;	/* its own slot, from the start */
	int tracker_fd; /* to ask the tracker */
	int talk_fd;	/* orders; its end: the master is gone */
	int count_fd;	/* of origdst_open_count(); or -errno */
};

/*
 * A worker's life. Returns its exit status. Privileges are already limited.
 */
int worker_run(const struct worker_setup *setup);

#endif
