/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk.h - what our rules do with one packet.
 *
 * An interpreter of wanted rules, whose expressions are known, over a packet
 * that is described, not seen. What only the kernel knows comes in with the
 * packet: what a look at the routes gives, whether a socket is found. Rules
 * of others are not walked.
 */
#ifndef NETSETUP_EXPLAIN_WALK_H
#define NETSETUP_EXPLAIN_WALK_H

#include "netsetup/explain/packet.h"
#include "netsetup/state/kstate.h"

/* What is held to be in the alive sets. */
enum walk_alive {
	WALK_ALIVE_NOW, /* what is in there */
	WALK_ALIVE_YES, /* every family */
	WALK_ALIVE_NO,	/* nothing */
};

struct walk_rules {
	const struct kstate *wanted;
	const struct kstate *contents; /* read back: what packets have put in
					  sets; NULL: nothing */
	enum walk_alive alive;
	bool bypassed; /* the packet's addresses are in the bypass sets */
};

enum walk_did {
	WALK_DID_MISS, /* no rule of the chain holds for it */
	WALK_DID_CHANGE,
	WALK_DID_JUMP,
	WALK_DID_RETURN,
	WALK_DID_ACCEPT,
	WALK_DID_DROP,
	WALK_DID_REJECT,
	WALK_DID_REDIRECT,
	WALK_DID_TPROXY,
};

/* A rule that held, or a chain of which none did. */
struct walk_step {
	const struct kchain *base; /* the base chain it began in */
	const char *chain;	   /* where it is */
	enum walk_did did;
	bool changed; /* it changed the packet before that */
	/* MISS: the rule that came nearest, or NULL; borrows from wanted */
	const struct krule *rule;
	const char *why;     /* MISS: which match failed; else NULL */
	const char *element; /* a map said what to do for this; or NULL */
	const char *target;  /* JUMP: the chain */
	struct place place;  /* what asks for it; of the target of a map */
};

struct walk_trace {
	struct arena *arena; /* borrows from the caller */
	struct walk_step *steps;
	size_t n;
};

enum walk_end {
	WALK_END_PASSED,
	WALK_END_DROPPED,
	WALK_END_REJECTED,
};

/*
 * Send the packet through all base chains of a hook, NF_INET_*, by priority.
 * What the rules change in it is changed in *p: marks, zone, destination.
 * `first` NAT wins, as in the kernel. Steps are appended to *trace.
 */
enum walk_end walk_hook(const struct walk_rules *w, uint32_t hook,
			struct packet *p, struct walk_trace *trace);

/* "jump", "accept", ...: words for machines. */
const char *walk_did_name(enum walk_did did);

#endif
