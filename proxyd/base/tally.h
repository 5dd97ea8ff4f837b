/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tally.h - what became of each service's flows, in numbers.
 *
 * Memory that the workers of one policy share with the master: a column for
 * each worker, which alone writes there, and column 0, the master's, for
 * what is past. Services are known by name, so that counters go on when a
 * policy follows another. Counts flows when they begin and when they end,
 * never bytes as they pass.
 */
#ifndef PROXYD_BASE_TALLY_H
#define PROXYD_BASE_TALLY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

#include "proxyd/base/reason.h"

/* One service, in one column. */
struct tally_row {
	_Atomic uint64_t accepted;
	_Atomic uint64_t bytes_in;  /* of flows that ended */
	_Atomic uint64_t bytes_out; /* likewise */
	_Atomic uint64_t ended[REASON_COUNT];
};

/* The same, added up. */
struct tally_sum {
	uint64_t flows; /* now */
	uint64_t lost;	/* ended with a worker that was killed */
	uint64_t accepted;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t ended[REASON_COUNT];
};

struct tally;

/*
 * Zeroed, for the services of `p` and `n_workers` workers; shared with
 * children forked later. NULL if there is no memory.
 */
struct tally *tally_new(const struct policy *p, size_t n_workers);

/*
 * The same, of a former proxyd, by a descriptor that is ours from then on.
 * NULL: it is of other services or another layout, or there is no memory;
 * then it is closed.
 */
struct tally *tally_find_again(int fd, const struct policy *p,
			       size_t n_workers);

/* Its descriptor, borrowed. */
int tally_fd(const struct tally *t);

/* Unmaps it here; other processes keep theirs. NULL is allowed. */
void tally_free(struct tally *t);

/*
 * Where the worker counts, 0 to n_workers - 1: a row for each service, in
 * the order of the policy. Borrows from `t`.
 */
struct tally_row *tally_column(struct tally *t, size_t worker);

/* A flow of this service began; it ended. Called by the column's owner. */
void tally_begin(struct tally_row *row);
/* One that began goes on with another worker, who counts it too. */
void tally_leave(struct tally_row *row);
void tally_end(struct tally_row *row, enum reason reason, uint64_t bytes_in,
	       uint64_t bytes_out);

/*
 * The worker is gone: what it counted is past, its flows are not there any
 * more, and a successor may use the column. Called by the master.
 */
void tally_settle(struct tally *t, size_t worker);

/* The services, in the order of their policy; NULL after the last. */
const char *tally_service(const struct tally *t, size_t i);

/*
 * Where is the service of this name? Quick if at `guess`. One more than the
 * last: nowhere.
 */
size_t tally_find(const struct tally *t, const char *name, size_t guess);

/* Add this service to *sum, if there is one. */
void tally_add(const struct tally *t, size_t i, struct tally_sum *sum);

/*
 * Take over what `former` counted of services that are here too. All its
 * workers are gone and settled.
 */
void tally_inherit(struct tally *t, const struct tally *former);

#endif
