/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * access.h - where records go.
 *
 * Files and standard error, as the policy's `log access` says. Records are
 * gathered and written once a turn of the loop. A target that is slow must
 * not stop the relaying: beyond a limit records are dropped, counted, and
 * the log says how many.
 */
#ifndef PROXYD_CTL_ACCESS_H
#define PROXYD_CTL_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/str.h"

#include "policy/policy.h"

#include "proxyd/base/limiter.h"
#include "proxyd/ctl/record.h"

enum access_kind {
	ACCESS_FILE,
	ACCESS_PIPE,   /* or a terminal */
	ACCESS_SOCKET, /* the journal */
};

struct access_target {
	const char *path; /* borrows from the policy; NULL: standard error */
	int fd;		  /* owns, unless it is standard error */
	enum access_kind kind;
	struct str text; /* owns: complete lines, not yet written */
	uint64_t lost;
	struct limiter said; /* that they are being lost */
};

struct access {
	const struct policy *policy;   /* borrows */
	struct access_target *targets; /* owns */
	size_t n;
	size_t *of_service; /* owns: index of the target; n: none */
};

/* 0; -errno with the path in `why`. */
int access_open(struct access *a, const struct policy *p, struct str *why);

/* Writes what is left; a zeroed one is fine. */
void access_close(struct access *a);

/* Is this service's record wanted at all? */
bool access_wanted(const struct access *a, const struct policy_service *s);

void access_write(struct access *a, const struct policy_service *s,
		  const struct record *r);

/* Write what was gathered, as far as the targets take it now. */
void access_flush(struct access *a);

/* Open the files anew. One that cannot be opened stays as it was. */
void access_reopen(struct access *a);

/* --- for who may open no files --- */

enum { ACCESS_GIFT = 4 };

/* Some targets as they are in another process with the same policy. */
struct access_gift {
	uint32_t first; /* the number of the first */
	uint32_t n;
	uint32_t kinds[ACCESS_GIFT]; /* enum access_kind */
};

/*
 * Make `gift` the targets after those it has, or the first if it is zeroed,
 * and `fds` their descriptors, which stay this process's. False: no more.
 */
bool access_give(const struct access *a, struct access_gift *gift,
		 int fds[ACCESS_GIFT]);

/*
 * Write to these from now on: `fds` are as many descriptors as the gift
 * says, and from here on the access's. False: it is not a gift for this one,
 * and nothing was taken.
 */
bool access_take(struct access *a, const struct access_gift *gift,
		 const int *fds, size_t n);

#endif
