/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h - what proxyd says of itself, as JSON.
 *
 * The answers to `status`, `services` and `stats`, whose members are
 * documented in proxyctl(8) and stay. Values in, text out; who knows the
 * values is not known here.
 */
#ifndef PROXYD_CTL_REPORT_H
#define PROXYD_CTL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/clock.h"
#include "lib/inet.h"
#include "lib/log.h"
#include "lib/str.h"

#include "policy/policy.h"

#include "proxyd/base/tally.h"
#include "proxyd/http/bad.h"

/* A worker process, or the place of one that is about to be started. */
struct report_worker {
	uint32_t worker;
	pid_t pid;	   /* 0: none */
	const char *state; /* documented */
	uint64_t flows;
	uint64_t accepted; /* by this process */
};

struct report_status {
	const char *state; /* documented */
	pid_t pid;
	uint64_t up_ms;
	const char *policy; /* its path */
	uint64_t digest;
	const char *since; /* when this policy was read, a stamp of clock.h */
	bool alive;	   /* the heartbeat is being sent */
	bool spoofs;	   /* the policy needs a return path */
	unsigned int return_path; /* FAMILY_* bits */
	enum log_level level;
	uint64_t flows;
	uint64_t accepted;
	const struct report_worker *workers; /* borrows */
	size_t n_workers;
};

struct report_service {
	const char *name;
	const struct policy_service *service; /* NULL: of a former policy */
	const char *rules;		      /* documented */
	const struct endpoint *sockets;	      /* borrows */
	size_t n_sockets;
	struct tally_sum sum;
};

/* All services together, past and present. */
struct report_total {
	uint64_t accepted;
	uint64_t flows;
	uint64_t ended[REASON_COUNT];
	/* see struct shm_counts */
	uint64_t limited;
	uint64_t tested;
	uint64_t unplaced;
	uint64_t paused;
	uint64_t shed;
	uint64_t requests;
	uint64_t not_http;
	uint64_t bad[HTTP_BAD_COUNT];
};

void report_status(const struct report_status *s, struct str *out);
void report_services(const struct report_service *list, size_t n,
		     struct str *out);
void report_stats(const struct report_total *total,
		  const struct report_service *list, size_t n, struct str *out);

#endif
