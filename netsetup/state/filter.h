/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.h - a statement of the policy that selects flows, as rules.
 *
 * It knows addresses, ports and interfaces; which chain they lead to, and in
 * which order, is capture.c's.
 */
#ifndef NETSETUP_STATE_FILTER_H
#define NETSETUP_STATE_FILTER_H

#include "policy/policy.h"

#include "netsetup/state/dispatch.h"

/* What is done with a packet that matches. */
enum verdict {
	VERDICT_JUMP,
	VERDICT_ACCEPT,
	VERDICT_RETURN,
};

/* The rules of a chain, until they are all known. */
struct filter_rules {
	struct dispatch_rule *list;
	size_t n;
};

/* A statement that selects flows, on its way to become rules. */
struct filter {
	struct draft *d;
	uint8_t l4; /* of the ports: IPPROTO_* */
	bool again; /* its sets were made for the other front */
	unsigned int families;
	struct place place;
	const char *name;	    /* of service or gateway, for labels */
	const char *tag;	    /* makes names of sets unique: "1_web" */
	const char *chain;	    /* where the rules go */
	struct filter_rules *front; /* where they wait before, or NULL */
	struct policy_ifaces on;
	const char *on_set; /* the plain names of `on`, when more than one */
	struct policy_prefixes from;
	struct policy_prefixes to;
	struct policy_ports ports;
	const char *ports_set; /* when more than one */
	struct dispatch_keys port_keys;
	bool routed_only; /* networks in `to` leave out the box's own */
	enum verdict verdict;
	const char *target; /* VERDICT_JUMP */
};

/* Add its rules, and their sets. */
void filter_emit(struct filter *f);

/* Is there an address of `family` in the list, or is it `any`? */
bool filter_list_has_family(const struct policy_prefixes *list, int family);

#endif
