/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First packets of connections are none of its business: a bare SYN is
 * captured from the first moment on.
 */
#include "netsetup/state/settle.h"

#include <linux/netfilter.h>

#include "policy/policy.h"

static void
add_family(struct kelem *elems, size_t *n, uint8_t nfproto)
{
	elems[*n].low[0] = nfproto;
	elems[*n].high[0] = nfproto;
	(*n)++;
}

void
settle_add(struct draft *d, const char *chain, unsigned int families,
	   struct place place)
{
	struct kelem elems[2] = {0};
	size_t n = 0;

	if (families & FAMILY_IPV4)
		add_family(elems, &n, NFPROTO_IPV4);
	if (families & FAMILY_IPV6)
		add_family(elems, &n, NFPROTO_IPV6);
	draft_expiring_set(d, SETTLE_SET, KSET_FAMILY, elems, n, SETTLE_MS,
			   place, SETTLE_SET);
	rule_not_syn(&d->rule);
	rule_family_in(&d->rule, SETTLE_SET);
	rule_counter(&d->rule);
	rule_accept(&d->rule);
	draft_rule(d, chain, place, SETTLE_SET);
}
