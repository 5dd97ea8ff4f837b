/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.h - what speaks against a change: who would be cut off by it.
 *
 * The SSH connection that the command is typed in, programs of the box that
 * listen on what would be captured, and flows that are proxied now. `plan`
 * warns of them, `apply` refuses unless it is forced.
 */
#ifndef NETSETUP_CMD_GUARD_H
#define NETSETUP_CMD_GUARD_H

#include "netsetup/cmd/session.h"

/* Client and server of the SSH session; false: there is none. */
bool guard_ssh_session(struct endpoint *ret_client,
		       struct endpoint *ret_server);

/* What was found. */
struct guard {
	struct diags found; /* what speaks against it, each with its place */
	size_t cuts;	    /* flows that are proxied and would end */
};

/*
 * Look at the box, and what of it speaks against s->desired, which is not
 * installed yet: s->observed is. Each is noted as of `level`. -1, or an
 * exit status if the box cannot be looked at: the rest was said. Always
 * followed by guard_close().
 */
int guard_open(struct session *s, enum diag_level level, struct guard *g);
void guard_close(struct guard *g);

/*
 * How many flows end if `will` follows on what is in force (NULL: nothing
 * does)? Adds what to say about it to `out`, if any. `observed` shows what
 * others have. 0 or -errno.
 */
int guard_cuts(const struct kstate *observed, const struct facts *facts,
	       const struct policy *will, size_t *ret_n, struct str *out);

/* May it be done unforced? -1, or EXIT_GUARD: why not was said. */
int guard_refuse(const struct guard *g);

#endif
