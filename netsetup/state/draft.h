/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * draft.h - a wanted kernel state while it is being put together.
 *
 * Adds chains, sets, rules, ip rules, routes and sysctls to a kstate, each
 * with the place in the policy that asks for it. It does not know what they
 * are for.
 */
#ifndef NETSETUP_STATE_DRAFT_H
#define NETSETUP_STATE_DRAFT_H

#include "netsetup/state/kstate.h"
#include "netsetup/state/rule.h"

struct draft {
	struct arena *arena;  /* borrows from the caller */
	struct kstate *state; /* borrows from the caller */
	struct rule rule;     /* the rule that is being written */
};

/* `state` becomes empty; all that is added lives in `arena`. */
void draft_init(struct draft *d, struct arena *arena, struct kstate *state);

/* "policy.conf:14 web": base name and line of `place`, if any, and a name. */
const char *draft_label(struct draft *d, struct place place, const char *name);

void draft_base_chain(struct draft *d, const char *name, const char *type,
		      uint32_t hook, int32_t priority, struct place place);
void draft_chain(struct draft *d, const char *name, struct place place);

/* Ends the rule in d->rule and appends it to `chain`. `name` is for people. */
void draft_rule(struct draft *d, const char *chain, struct place place,
		const char *name);

/* The same in two steps: a rule that may be copied before it is appended. */
struct krule draft_finish(struct draft *d, const char *chain,
			  struct place place, const char *name);
void draft_finished(struct draft *d, const struct krule *rule);

/*
 * A set that never changes, of `n` elements in any order. Returns its name,
 * in the arena.
 */
const char *draft_set(struct draft *d, const char *name, enum kset_type type,
		      struct kelem *elems, size_t n, struct place place,
		      const char *label);

/*
 * The same for a verdict map, whose elements must not overlap. The chains
 * that they lead to may be added later.
 */
const char *draft_map(struct draft *d, const char *name, enum kset_type type,
		      struct kelem *elems, size_t n, struct place place,
		      const char *label);

/*
 * An empty set that others than packets fill, each element for its time;
 * packets that match one are counted there.
 */
const char *draft_timed_set(struct draft *d, const char *name,
			    enum kset_type type, uint32_t size,
			    struct place place, const char *label);

/*
 * A set that begins with these elements, each for `ms`. They are there anew
 * only when the set is: what is left of them is nobody's business.
 */
const char *draft_expiring_set(struct draft *d, const char *name,
			       enum kset_type type, struct kelem *elems,
			       size_t n, uint32_t ms, struct place place,
			       const char *label);

/* An empty set of families that packets fill and time empties. */
void draft_alive_set(struct draft *d, const char *name, struct place place,
		     const char *label);

/* Once, of a name that says it all: "udp_70s". Returns it. */
const char *draft_udp_timeout(struct draft *d, uint32_t seconds,
			      struct place place);

void draft_iprule(struct draft *d, const struct kiprule *rule);
void draft_route(struct draft *d, const struct kroute *route);
void draft_sysctl(struct draft *d, const char *path, const char *value,
		  struct place place);

#endif
