/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fills in what is not known of a connection, and asks policy_match_by().
 */
#include "netsetup/state/meet.h"

bool
meet_is_local(const struct facts *facts, const struct addr *addr)
{
	size_t i;

	for (i = 0; i < facts->n_addrs; i++) {
		if (addr_equal(&facts->addrs[i], addr))
			return true;
	}
	return false;
}

struct meet
meet_policy(const struct policy *p, const struct facts *facts,
	    const struct meet_flow *flow)
{
	const struct policy_ifaces *outside = &p->gateway.outside;
	const char *out = flow->out;
	struct meet m = {0};
	size_t i;

	if (meet_is_local(facts, &flow->server.addr))
		out = NULL;
	else if (!out)
		out = outside->n ? outside->list[0].name : "";
	if (flow->in) {
		m.service = policy_match_by(p, flow->proto, flow->in, out,
					    &flow->client, &flow->server,
					    &m.intercept);
		return m;
	}
	for (i = 0; i < facts->n_ifaces && !m.service; i++)
		m.service = policy_match_by(
			p, flow->proto, facts->ifaces[i].name, out,
			&flow->client, &flow->server, &m.intercept);
	return m;
}
