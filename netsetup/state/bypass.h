/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bypass.h - pairs of client and destination that are routed, not captured.
 *
 * One set for each family, which `netsetup bypass` and proxyd fill and time
 * empties; and a rule at the head of every chain that captures, which lets
 * go what is in them. Sets and names are the policy library's, because both
 * programs use them.
 */
#ifndef NETSETUP_STATE_BYPASS_H
#define NETSETUP_STATE_BYPASS_H

#include "netsetup/state/draft.h"

/* One pair, as it is in the kernel. */
struct bypass_pair {
	struct addr client;
	struct addr destination;
	uint64_t timeout_ms; /* for which it was put there */
	uint64_t left_ms;    /* of that */
	uint64_t packets;    /* that were let go */
};

/* Bytes of the key, client and destination, in the order of the network. */
size_t bypass_key(const struct bypass_pair *pair, uint8_t ret_key[32]);

/* The other way round; `len` is 8 or 32. */
void bypass_from_key(const uint8_t *key, size_t len,
		     struct bypass_pair *ret_pair);

/* Add the sets for `families`, FAMILY_* bits. */
void bypass_add_sets(struct draft *d, unsigned int families,
		     struct place place);

/* Append the rules to `chain`, which sees new connections of clients. */
void bypass_add_rules(struct draft *d, const char *chain, unsigned int families,
		      struct place place);

#endif
