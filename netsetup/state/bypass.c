/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two families do the same, with keys of 8 and of 32 bytes.
 */
#include "netsetup/state/bypass.h"

#include <string.h>

#include "policy/policy.h"

/* What the rules are called for people. */
static const char name[] = "bypass";

size_t
bypass_key(const struct bypass_pair *pair, uint8_t ret_key[32])
{
	size_t len = addr_bits(&pair->client) / 8;

	memcpy(ret_key, pair->client.bytes, len);
	memcpy(ret_key + len, pair->destination.bytes, len);
	return 2 * len;
}

void
bypass_from_key(const uint8_t *key, size_t len, struct bypass_pair *ret_pair)
{
	memset(ret_pair, 0, sizeof(*ret_pair));
	ret_pair->client.family = len == 8 ? AF_INET : AF_INET6;
	ret_pair->destination.family = ret_pair->client.family;
	memcpy(ret_pair->client.bytes, key, len / 2);
	memcpy(ret_pair->destination.bytes, key + len / 2, len / 2);
}

void
bypass_add_sets(struct draft *d, unsigned int families, struct place place)
{
	if (families & FAMILY_IPV4)
		draft_timed_set(d, policy_bypass_set(AF_INET), KSET_IPV4_PAIR,
				POLICY_BYPASS_SIZE, place, name);
	if (families & FAMILY_IPV6)
		draft_timed_set(d, policy_bypass_set(AF_INET6), KSET_IPV6_PAIR,
				POLICY_BYPASS_SIZE, place, name);
}

static void
add_rule(struct draft *d, const char *chain, int family, struct place place)
{
	rule_pair_in(&d->rule, family, policy_bypass_set(family));
	rule_counter(&d->rule);
	rule_accept(&d->rule);
	draft_rule(d, chain, place, name);
}

void
bypass_add_rules(struct draft *d, const char *chain, unsigned int families,
		 struct place place)
{
	if (families & FAMILY_IPV4)
		add_rule(d, chain, AF_INET, place);
	if (families & FAMILY_IPV6)
		add_rule(d, chain, AF_INET6, place);
}
