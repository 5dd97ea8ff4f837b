/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * existing.h - connections that were there before capture began.
 */
#ifndef NETSETUP_CHANGE_EXISTING_H
#define NETSETUP_CHANGE_EXISTING_H

#include "policy/policy.h"

#include "netsetup/kernel/ct.h"
#include "netsetup/state/desired.h"

/*
 * Of the connections that conntrack knows, reset those that `p`, which is in
 * force, would capture and that are not proxied: tcp is marked for the rule
 * of existing_add(), of udp the entry is deleted, so that its next datagram is
 * the first of a new one. `spare`, or NULL, is left alone. 0; -EPERM without
 * CAP_NET_ADMIN; else -errno, and then some may be reset.
 */
int existing_reset(const struct policy *p, const struct facts *facts,
		   const struct ct_tuple *spare);

#endif
