/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flows.h - what all flows of a worker share.
 *
 * Doors to the tracker and to routing, the turns of the pools, the relay's
 * buffers, the list of those that live. Makes and ends no flow: flow.h does.
 */
#ifndef PROXYD_FLOW_FLOWS_H
#define PROXYD_FLOW_FLOWS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "policy/policy.h"

#include "proxyd/base/limiter.h"
#include "proxyd/base/loop.h"
#include "proxyd/base/reason.h"
#include "proxyd/base/shm.h"
#include "proxyd/base/tally.h"
#include "proxyd/ctl/access.h"
#include "proxyd/flow/decide.h"
#include "proxyd/http/error_page.h"
#include "proxyd/http/head.h"
#include "proxyd/http/reuse.h"
#include "proxyd/net/asker.h"
#include "proxyd/net/listener.h"
#include "proxyd/net/route.h"
#include "proxyd/pool/balance.h"
#include "proxyd/pool/limit.h"
#include "proxyd/stream/relay.h"

struct flow;
struct udp;

LIST_HEAD(flow_list, flow);

/* A head of HTTP that came, and the one that goes on: for one call. */
struct http_scratch {
	struct http_head head;
	char out[SIDE_CHUNK_SIZE];
};

/* All flows of a worker, and what they need. */
struct flows {
	const struct policy *policy;	   /* borrows */
	const struct listeners *listeners; /* borrows */
	struct loop *loop;		   /* borrows */
	struct shm *shm;		   /* borrows */
	struct shm_worker *own;		   /* borrows: of this process */
	struct tally_row *tally;	   /* borrows: of each service */
	struct access *access;		   /* borrows */
	int count_fd; /* owns: of origdst_open_count(); or -errno */
	struct asker asker;
	struct route route;
	struct limit limit;
	struct balance balance;
	struct relay relay;
	struct reuse_store reuse;
	struct http_scratch *http;	 /* owns */
	const struct error_pages *pages; /* borrows */
	bool draining; /* requests are the last ones of their connections */
	struct flow_list list;
	struct flow *listed; /* the next one of a listing; NULL: none */
	struct udp *udp;     /* owns, see udp.h; NULL: no service is of udp */
	uint32_t n;
	uint32_t max;
	uint32_t epoch;	 /* first half of the ids of this worker's flows */
	uint32_t serial; /* second half */
	int reserve_fd;	 /* owns: given up when no descriptor is left; -1 */
	struct limiter said[REASON_COUNT];
};

/*
 * The members that are borrowed are filled in. `tracker_fd`: the worker's
 * end of the talk with the tracker, borrowed. 0 or -errno.
 */
int flows_init(struct flows *fs, int tracker_fd);

/* All flows have ended. A zeroed one is fine. */
void flows_fini(struct flows *fs);

/* Count that a flow of this service began, or ended. */
void flows_began(struct flows *fs, const struct policy_service *s);
/* The same for one that began here and goes on elsewhere: never mind. */
void flows_left(struct flows *fs, const struct policy_service *s);
void flows_ended(struct flows *fs, const struct policy_service *s,
		 enum reason reason, uint64_t bytes_in, uint64_t bytes_out);

/* Tell the master how many there are. */
void flows_show(struct flows *fs);

/*
 * Is a descriptor in reserve? If not, try to get one again; without it
 * nothing more should be accepted.
 */
bool flows_have_reserve(struct flows *fs);

/* Would it be proxyd itself that answers there? */
bool flows_is_loop(struct flows *fs, enum proto proto,
		   const struct endpoint *target);

/*
 * decide(), with the return path as it is now: fills it in. Who would be sent
 * to proxyd itself is refused; and who would be sent to this box, because a
 * PROXY header says so.
 */
enum reason flows_decide(struct flows *fs, struct decide_ask *ask,
			 struct decision *ret_decision);

/* Give the reserve up, for one who needs it more. False: there was none. */
bool flows_use_reserve(struct flows *fs);

#endif
