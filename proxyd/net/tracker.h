/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracker.h - the process that may ask conntrack, and what is said to it.
 *
 * A worker has no CAP_NET_ADMIN, so it asks the tracker over a talk of its
 * own, one struct each way. The tracker has a second task:
 * when the master is gone, it empties the alive sets, so that no packet is
 * captured for a proxyd that is dead. The one door to
 * libnetfilter_conntrack. It decides nothing and keeps nothing.
 */
#ifndef PROXYD_NET_TRACKER_H
#define PROXYD_NET_TRACKER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/inet.h"

#include "policy/policy.h"

enum tracker_kind {
	/*
	 * `from` and `to` are the accepted socket's own name and its peer's,
	 * that is, the tuple of the answers; answered by the original tuple.
	 */
	TRACKER_ORIGIN,
	/*
	 * Delete the entry of the connection `from` to `to` in `zone`, left
	 * over from an earlier one.
	 */
	TRACKER_EVICT,
};

struct tracker_ask {
	uint64_t id; /* comes back in the answer */
	uint32_t kind;
	uint16_t zone;
	uint16_t proto; /* enum proto */
	struct endpoint from;
	struct endpoint to;
};

struct tracker_answer {
	uint64_t id;
	int32_t error;		/* 0 or -errno; -ENOENT: no such entry */
	struct endpoint client; /* TRACKER_ORIGIN */
	struct endpoint destination;
};

enum tracker_order_kind {
	TRACKER_LEAVE = 1, /* end, but leave the alive sets as they are */
};

/* What the master tells the tracker: a message of base/talk. */
struct tracker_order {
	uint32_t kind; /* enum tracker_order_kind */
};

/*
 * The tracker's life: answer what comes in on the `n` talks `fds` with the
 * workers, until the talk with the master, `talk_fd`, ends; then empty the
 * alive sets of `p`. Returns its exit status. Privileges are already limited.
 */
int tracker_run(const struct policy *p, const int *fds, size_t n, int talk_fd);

#endif
