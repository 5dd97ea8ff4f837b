/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares two policies. Pure: no system calls.
 */
#include "netsetup/state/cuts.h"

static bool
captures(const struct policy *p, enum via via)
{
	size_t i, j;

	for (i = 0; p && i < p->n_services; i++) {
		for (j = 0; j < p->services[i].n_intercepts; j++) {
			if (p->services[i].intercepts[j].via == via)
				return true;
		}
	}
	return false;
}

static bool
other_marks(const struct policy_gateway *a, const struct policy_gateway *b)
{
	return a->mark_deliver != b->mark_deliver ||
	       a->mark_upstream != b->mark_upstream;
}

/* What was not tracked, or will not be, knows no zone. */
static bool
other_zone(const struct policy_gateway *a, const struct policy_gateway *b)
{
	return a->upstream_tracking == TRACKING_ZONE &&
	       b->upstream_tracking == TRACKING_ZONE && a->zone != b->zone;
}

static enum cut
why(const struct cuts *c, const struct policy *was, const struct policy *will)
{
	if (!c->spoofed && !c->tproxied)
		return c->redirected ? CUT_NAT : CUT_NOTHING;
	if (will && other_marks(&was->gateway, &will->gateway))
		return CUT_MARK;
	if (will && policy_spoofs(will) &&
	    other_zone(&was->gateway, &will->gateway))
		return CUT_ZONE;
	return CUT_RETURN_PATH;
}

struct cuts
cuts(const struct policy *was, const struct policy *will)
{
	bool marks = will && other_marks(&was->gateway, &will->gateway);
	bool zone = will && other_zone(&was->gateway, &will->gateway);
	struct cuts c = {0};

	c.spoofed = policy_spoofs(was) &&
		    (!will || marks || zone || !policy_spoofs(will));
	c.tproxied = captures(was, VIA_TPROXY) &&
		     (!will || marks || !captures(will, VIA_TPROXY));
	c.redirected =
		captures(was, VIA_REDIRECT) && !captures(will, VIA_REDIRECT);
	c.why = why(&c, was, will);
	return c;
}

void
cuts_format(const struct policy *was, const struct policy *will, size_t n_flows,
	    struct str *out)
{
	str_addf(out, "cuts %zu flow%s", n_flows, n_flows == 1 ? "" : "s");
	switch (cuts(was, will).why) {
	case CUT_NOTHING:
		break;
	case CUT_MARK:
		str_addf(out, ": the marks change from 0x%x 0x%x to 0x%x 0x%x",
			 was->gateway.mark_deliver, was->gateway.mark_upstream,
			 will->gateway.mark_deliver,
			 will->gateway.mark_upstream);
		break;
	case CUT_ZONE:
		str_addf(out, ": the conntrack zone changes from %u to %u",
			 was->gateway.zone, will->gateway.zone);
		break;
	case CUT_RETURN_PATH:
		str_add(out, ": the return path that they need goes");
		break;
	case CUT_NAT:
		str_add(out, ": nothing is redirected any more");
		break;
	}
}
