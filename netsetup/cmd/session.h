/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.h - a policy, the box, and the state that follows from both: how
 * plan, apply and status begin.
 */
#ifndef NETSETUP_CMD_SESSION_H
#define NETSETUP_CMD_SESSION_H

#include "lib/arena.h"
#include "netsetup/cmd/common.h"
#include "netsetup/kernel/nft_read.h"
#include "netsetup/state/desired.h"
#include "netsetup/state/diff.h"
#include "netsetup/state/drain.h"

struct session {
	struct arena *arena; /* owns */
	struct diags diags;
	struct policy *policy; /* owns */
	struct facts facts;
	struct kstate desired;
	struct kstate observed; /* session_observe() */
	bool refused;		/* this box cannot do it; diags say why */
	const char *applied;	/* that policy's file; NULL: none on record */
	bool edited;		/* and it says something else now */
	enum drain drain;	/* that part of it is wanted */
};

/*
 * Load the policy and work out what it wants of this box. -1 to go on, or the
 * exit status: the rest was said. Always followed by session_close().
 */
int session_open(struct session *s, const char *policy);

/*
 * The same for the policy that was applied last. Without one s->policy is
 * NULL and nothing is wanted.
 */
int session_open_applied(struct session *s);

/*
 * Only the policy that was applied last; the caller frees it. NULL: none is
 * on record, or it cannot be read.
 */
struct policy *session_in_force(void);

/* Look at what is installed, that deep. Likewise. */
int session_observe(struct session *s, enum nft_depth depth);

void session_close(struct session *s);

/*
 * A whole command: its options and words, see common_options(); `run`, which
 * opens the session; and the end of that. Returns the exit status.
 */
int session_command(int argc, char **argv, unsigned int allowed,
		    const char *words,
		    int (*run)(struct session *s, const struct options *o));

#endif
