/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * observe.h - looks at the kernel: what is installed, what the box is like.
 */
#ifndef NETSETUP_CHANGE_OBSERVE_H
#define NETSETUP_CHANGE_OBSERVE_H

#include "netsetup/kernel/nl.h"
#include "netsetup/kernel/sysctl.h"
#include "netsetup/state/desired.h"
#include "netsetup/state/kstate.h"

/*
 * What carries our name or number, and the settings that we might change;
 * `rec` says which of those are on record. Needs CAP_NET_ADMIN. Looks again
 * when something changes meanwhile. All lives in `arena`. 0; -EPERM; -EAGAIN
 * if it changes faster than it can be read; else -errno.
 *
 * Unless ret_nft is NULL, it becomes the netfilter socket that was used, for
 * the batch that follows; the caller closes it after that. Closing one waits
 * for whatever commit is under way, and the picture would be stale then.
 */
int observe_state(struct arena *arena, const struct sysctl_record *rec,
		  struct kstate *ret_state, struct nl *ret_nft);

/* Interfaces, addresses, families. Needs no privilege. Errors as above. */
int observe_facts(struct arena *arena, struct facts *ret_facts);

#endif
