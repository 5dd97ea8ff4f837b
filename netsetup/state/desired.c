/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order here is the order in which a packet meets the chains: see
 * interpose(7). Parts: heartbeat and guards, which capturing needs; the
 * return path, which spoofing and tproxy need; forwarding.
 */
#include "netsetup/state/desired.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/state/capture.h"
#include "netsetup/state/existing.h"
#include "netsetup/state/guard.h"
#include "netsetup/state/heartbeat.h"
#include "netsetup/state/return_path.h"

/* What is being made, and from what. */
struct making {
	struct draft draft;
	const struct policy *policy;
	const struct facts *facts;
	struct diags *diags;
	unsigned int families; /* to capture: wanted and switched on */
	struct cause cause;    /* what asks for the return path */
};

/* --- can this box do it? ------------------------------------------------- */

static void
refuse(struct making *m, struct place place, const char *text, const char *name)
{
	diag_add(m->diags, DIAG_ERROR, place, NULL, text, name);
}

/* IPv6 that is switched off is left out, unless it was asked for by name. */
static void
choose_families(struct making *m)
{
	const struct policy_gateway *g = &m->policy->gateway;
	unsigned int missing = g->families & ~m->facts->families;

	m->families = g->families & m->facts->families;
	if (missing == 0 || !capture_wanted(m->policy))
		return;
	if (g->families_named)
		refuse(m, g->place, "%s is switched off on this box",
		       missing & FAMILY_IPV6 ? "ipv6" : "ipv4");
	else
		diag_add(m->diags, DIAG_WARNING, g->place, NULL,
			 "%s is switched off on this box and left out",
			 missing & FAMILY_IPV6 ? "ipv6" : "ipv4");
}

static const struct facts_iface *
find_iface(const struct facts *facts, const char *name)
{
	size_t i;

	for (i = 0; i < facts->n_ifaces; i++) {
		if (!strcmp(facts->ifaces[i].name, name))
			return &facts->ifaces[i];
	}
	return NULL;
}

/* Is it listed by its full name? A wildcard may mean others as well. */
static bool
lists_iface(const struct policy_ifaces *on, const char *name)
{
	size_t i;

	for (i = 0; i < on->n; i++) {
		if (!on->list[i].wildcard && !strcmp(on->list[i].name, name))
			return true;
	}
	return false;
}

/*
 * Was this interface looked at for an intercept before `stop`? `family`: for
 * one that redirects it; AF_UNSPEC: for any.
 */
static bool
seen_before(const struct policy *p, const struct policy_intercept *stop,
	    const char *name, int family)
{
	size_t i, j;

	for (i = 0; i < p->n_services; i++) {
		const struct policy_service *s = &p->services[i];

		for (j = 0; j < s->n_intercepts; j++) {
			const struct policy_intercept *one = &s->intercepts[j];

			if (one == stop)
				return false;
			if (lists_iface(&one->on, name) &&
			    (!family || (one->via == VIA_REDIRECT &&
					 capture_has_family(one, family))))
				return true;
		}
	}
	return false;
}

/*
 * The kernel redirects to the first address of the interface on which a
 * packet came in, and drops the packet without a word where there is none.
 */
static void
check_iface(struct making *m, const struct policy_intercept *i,
	    const char *name)
{
	const struct facts_iface *iface = find_iface(m->facts, name);

	if (!iface) {
		if (!seen_before(m->policy, i, name, AF_UNSPEC))
			diag_add(m->diags, DIAG_WARNING, i->place, NULL,
				 "there is no interface '%s' yet", name);
		return;
	}
	if (!(m->families & FAMILY_IPV4) || iface->ipv4 ||
	    i->via != VIA_REDIRECT || !capture_has_family(i, AF_INET) ||
	    seen_before(m->policy, i, name, AF_INET))
		return;
	refuse(m, i->place,
	       "interface '%s' has no IPv4 address: what is redirected there "
	       "would be dropped; give it one, or capture `via tproxy`, or "
	       "with `family ipv6` only",
	       name);
}

static void
check_intercept(struct making *m, const struct policy_intercept *i)
{
	size_t k;

	for (k = 0; k < i->on.n; k++) {
		if (!i->on.list[k].wildcard)
			check_iface(m, i, i->on.list[k].name);
	}
}

static void
check_ifaces(struct making *m)
{
	size_t i, j;

	for (i = 0; i < m->policy->n_services; i++) {
		const struct policy_service *s = &m->policy->services[i];

		for (j = 0; j < s->n_intercepts; j++)
			check_intercept(m, &s->intercepts[j]);
	}
}

/* --- forwarding ---------------------------------------------------------- */

/* Forwarding makes IPv6 deaf to routers unless accept_ra is 2. */
static void
check_router_advertisements(struct making *m)
{
	size_t i;

	if (m->facts->forwards_ipv6)
		return;
	for (i = 0; i < m->facts->n_ifaces; i++) {
		const struct facts_iface *f = &m->facts->ifaces[i];

		if (!f->ra_route || f->accept_ra != 1)
			continue;
		refuse(m, m->policy->gateway.place,
		       "the IPv6 default route on '%s' comes from router "
		       "advertisements and would be lost by forwarding: set "
		       "accept_ra=2 there first, or `forwarding no`, or "
		       "`family ipv4`",
		       f->name);
	}
}

static void
add_forwarding(struct making *m)
{
	const struct policy_gateway *g = &m->policy->gateway;

	if (m->families & FAMILY_IPV4)
		draft_sysctl(&m->draft, "net/ipv4/conf/all/forwarding", "1",
			     g->place);
	if (m->families & FAMILY_IPV6) {
		check_router_advertisements(m);
		draft_sysctl(&m->draft, "net/ipv6/conf/all/forwarding", "1",
			     g->place);
	}
}

int
desired(const struct policy *p, const struct facts *facts, struct arena *arena,
	struct diags *diags, struct kstate *ret_state)
{
	struct making m = {.policy = p, .facts = facts, .diags = diags};
	size_t n_errors = diags->n_errors;
	bool captures = capture_wanted(p), spoofs = policy_spoofs(p);

	draft_init(&m.draft, arena, ret_state);
	choose_families(&m);
	m.cause = return_path_cause(p);
	if (captures)
		check_ifaces(&m);
	if (captures || spoofs)
		heartbeat_add(&m.draft, p, spoofs ? &m.cause : NULL);
	if (return_path_wanted(p))
		return_path_add(&m.draft, p, facts->families);
	if (captures) {
		capture_add(&m.draft, p, m.families);
		guard_add(&m.draft, p);
		existing_add(&m.draft, p);
		if (p->gateway.forwarding)
			add_forwarding(&m);
	}
	return diags->n_errors > n_errors ? -EOPNOTSUPP : 0;
}
