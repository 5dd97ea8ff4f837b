/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Before the forward chains of others, which may drop without a word.
 */
#include "netsetup/state/existing.h"

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <netinet/in.h>

void
existing_add(struct draft *d, const struct policy *p)
{
	const struct policy_gateway *g = &p->gateway;
	struct rule *r = &d->rule;

	draft_base_chain(d, "existing", "filter", NF_INET_FORWARD,
			 NF_IP_PRI_MANGLE, g->place);
	rule_ct_mark_is(r, g->mark_mask, policy_mark_tproxied(p));
	rule_l4(r, IPPROTO_TCP);
	rule_counter(r);
	rule_reject_tcp(r);
	draft_rule(d, "existing", g->place, "gateway");
}
