/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alarm.h - waits until the kernel tells of a change that concerns us.
 *
 * Rules of our table, ip rules, our routes, interfaces and addresses. What
 * proxyd does to stay alive, and what others do to tables of theirs, is not
 * told. It does not say what has changed: whoever is alarmed looks.
 */
#ifndef NETSETUP_KERNEL_ALARM_H
#define NETSETUP_KERNEL_ALARM_H

#include "netsetup/kernel/nl.h"
#include "netsetup/state/kstate.h"

enum { ALARM_NAME_LEN = 32 };

struct alarm {
	struct nl nft;	  /* owns */
	struct nl route;  /* owns */
	bool under_way;	  /* a commit whose end has not come yet is ours */
	uint32_t who_pid; /* of the last commit to our table; 0: unknown */
	char who[ALARM_NAME_LEN]; /* the name of that process, or "" */
};

/* 0 or -errno; -EPERM without CAP_NET_ADMIN. */
int alarm_open(struct alarm *a);
void alarm_close(struct alarm *a);

/*
 * Wait until something is told, at most `ms`, or until descriptor `stop` is
 * readable. 0, or -ECANCELED for that.
 */
int alarm_wait(const struct alarm *a, int stop, int ms);

/*
 * Take in what was told. Has anything changed that concerns us? `wanted` has
 * the sets whose elements come and go.
 */
bool alarm_rings(struct alarm *a, const struct kstate *wanted);

#endif
