/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * span.h - which rules of a list may match, value by value.
 *
 * The values at which any rule begins or ends to match cut a lane (ports of
 * TCP, destinations of IPv4, ...) into spans; spans with the same rules are
 * of one class. Pure; it makes no chains and chooses no lane.
 */
#ifndef NETSETUP_STATE_SPAN_H
#define NETSETUP_STATE_SPAN_H

#include "policy/policy.h"

#include "netsetup/state/kstate.h"

/* Values that a rule asks for, from low to high; n == 0: it asks for none. */
struct dispatch_keys {
	const struct kelem *list; /* borrows from the arena */
	size_t n;
};

/* A rule, and what it can match at most. */
struct dispatch_rule {
	struct krule rule;     /* finished, for the front chain */
	uint8_t l4;	       /* IPPROTO_TCP, IPPROTO_UDP; 0: any */
	unsigned int families; /* FAMILY_* bits; one, where addresses are */
	struct dispatch_keys ports;
	struct dispatch_keys from;
	struct dispatch_keys to;
	struct policy_ifaces on;
};

/* Where a value is looked for, and the packets that have it. */
struct lane {
	enum dimension {
		DIMENSION_PORT,
		DIMENSION_TO,
		DIMENSION_FROM,
		DIMENSION_IFACE,
		DIMENSION_COUNT,
	} dimension;
	uint8_t l4;	/* of DIMENSION_PORT */
	uint8_t family; /* of addresses */
	enum kset_type type;
	const char *map;   /* appended to the chain's name */
	const char *chain; /* likewise, before the value */
};

/* Rules by their index, in order. */
struct span_list {
	const uint32_t *rules;
	size_t n;
};

/* Rules that share a chain, and the first value that leads to it. */
struct span_class {
	uint64_t hash; /* of the list */
	struct span_list list;
	uint8_t first[KELEM_LEN];
};

/* From low to high, these rules. */
struct span {
	uint8_t low[KELEM_LEN];
	uint8_t high[KELEM_LEN];
	size_t class;
};

/* One lane's part of a split. */
struct cut {
	struct span *spans;
	size_t n_spans;
	struct span_class *classes;
	size_t n_classes;
};

/*
 * The spans of the rules in `list`, out of `rules`. They take of *budget as
 * many as their classes have rules; false, when there are not enough.
 */
bool span_cut(const struct dispatch_rule *rules, const struct span_list *list,
	      const struct lane *lane, size_t *budget, struct arena *arena,
	      struct cut *ret_cut);

/* Rules of `list` that may match where a value is in no span of a lane. */
struct span_list span_rest(const struct dispatch_rule *rules,
			   const struct span_list *list,
			   enum dimension dimension, struct arena *arena);

#endif
