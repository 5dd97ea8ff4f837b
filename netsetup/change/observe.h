/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * observe.h - looks at the kernel: what is installed, what the box is like.
 */
#ifndef NETSETUP_CHANGE_OBSERVE_H
#define NETSETUP_CHANGE_OBSERVE_H

#include "netsetup/kernel/nft_news.h"
#include "netsetup/kernel/nft_read.h"
#include "netsetup/kernel/nl.h"
#include "netsetup/kernel/sysctl.h"
#include "netsetup/state/desired.h"
#include "netsetup/state/kstate.h"

/* The ways in by which a ruleset was read, for the batch that follows. */
struct observer {
	struct nl nl;
	struct nft_news news;
};

/* Closing waits for whatever commit is under way. */
void observer_close(struct observer *o);

/*
 * What carries our name or number, and the settings that we might change;
 * `rec` says which of those are on record. Needs CAP_NET_ADMIN. Looks again
 * when something of ours changes meanwhile. All lives in `arena`. 0; -EPERM;
 * -EAGAIN if it changes faster than it can be read; else -errno.
 *
 * Unless ret_observer is NULL, it becomes what was used; the caller closes
 * it.
 */
int observe_state(struct arena *arena, const struct sysctl_record *rec,
		  enum nft_depth depth, struct kstate *ret_state,
		  struct observer *ret_observer);

/* Interfaces, addresses, families. Needs no privilege. Errors as above. */
int observe_facts(struct arena *arena, struct facts *ret_facts);

#endif
