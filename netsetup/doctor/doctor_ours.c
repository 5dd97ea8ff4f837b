/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor_ours.c - checks of what is ours: is it applied, is it whole, and
 * does proxyd live?
 */
#include <linux/fib_rules.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/doctor/doctor_check.h"
#include "netsetup/state/capture.h"
#include "netsetup/state/plan.h"
#include "netsetup/state/return_path.h"

static bool
is_installed(const struct doctor *d)
{
	return d->facts->applied && d->facts->observed->table;
}

static bool
is_of_return_path(const struct kchange *c)
{
	static const char *const chains[] = {"divert", "unowned", "zones",
					     "remember"};
	const char *name;
	size_t i;

	if (c->object == KCHANGE_IPRULE || c->object == KCHANGE_ROUTE)
		return true;
	if (c->object != KCHANGE_CHAIN && c->object != KCHANGE_RULE)
		return false;
	name = c->object == KCHANGE_CHAIN ? c->will.chain->name
					  : c->will.rule->chain;
	for (i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		if (!strcmp(name, chains[i]))
			return true;
	}
	return false;
}

/* The first part of the return path that is to be added, or NULL. */
static const struct kchange *
missing(const struct doctor *d)
{
	const struct kdiff *drift = d->facts->drift;
	size_t i;

	for (i = 0; i < drift->n; i++) {
		if (drift->list[i].op == KCHANGE_ADD &&
		    is_of_return_path(&drift->list[i]))
			return &drift->list[i];
	}
	return NULL;
}

void
check_return_path(struct doctor *d)
{
	const struct kchange *c;
	struct str what = {0};

	if (!is_installed(d) || d->facts->edited || !d->policy ||
	    !return_path_wanted(d->policy))
		return;
	c = missing(d);
	if (!c)
		return;
	plan_describe(c, &what);
	doctor_found(d, "what", str_text(&what), NULL);
	str_fini(&what);
}

/* The rules that make up for it are those of IPv4 that do not look up. */
static bool
lacks_skip(const struct doctor *d)
{
	const struct kdiff *drift = d->facts->drift;
	size_t i;

	for (i = 0; i < drift->n; i++) {
		const struct kchange *c = &drift->list[i];

		if (c->op == KCHANGE_ADD && c->object == KCHANGE_IPRULE &&
		    c->will.iprule->family == AF_INET &&
		    c->will.iprule->action != FR_ACT_TO_TBL)
			return true;
	}
	return false;
}

void
check_src_valid_mark(struct doctor *d)
{
	const char *name = NULL;
	size_t i;

	if (!is_installed(d) || !lacks_skip(d))
		return;
	for (i = 0; i < d->box->n_ifaces && !name; i++) {
		if (box_number(d->box, 0, "net/ipv4/conf/%s/src_valid_mark",
			       d->box->ifaces[i].name) > 0)
			name = d->box->ifaces[i].name;
	}
	if (box_number(d->box, 0, "net/ipv4/conf/all/src_valid_mark") > 0)
		name = "all";
	if (name)
		doctor_found(d, "iface", name, NULL);
}

void
check_drift(struct doctor *d)
{
	if (d->facts->applied && !d->facts->edited && d->facts->drift->n > 0)
		doctor_found(d, NULL);
}

void
check_draining(struct doctor *d)
{
	if (d->facts->draining)
		doctor_found(d, NULL);
}

void
check_edited(struct doctor *d)
{
	if (d->facts->applied && d->facts->edited)
		doctor_found(d, "path", d->facts->path, NULL);
}

void
check_not_applied(struct doctor *d)
{
	if (d->policy && !d->facts->applied && capture_wanted(d->policy))
		doctor_found(d, "path", d->facts->path, NULL);
}

/* --- who lives ----------------------------------------------------------- */

/* While it drains nothing is asked who is alive, and proxyd must stay. */
static bool
should_live(const struct doctor *d)
{
	return is_installed(d) && !d->facts->draining;
}

static bool
is_alive(const struct doctor *d, const struct policy_service *s)
{
	char name[POLICY_ALIVE_SET_LEN];
	const struct kset *set =
		kstate_set(d->facts->observed, policy_alive_set(s, name));

	return set && set->n_elems > 0;
}

/* Who listens where the flows of this service are sent to? Or NULL. */
static const struct box_listener *
listener(const struct doctor *d, const struct policy_service *s)
{
	uint8_t protocol = s->proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	size_t i;

	for (i = 0; i < d->box->n_listeners; i++) {
		if (d->box->listeners[i].protocol == protocol &&
		    d->box->listeners[i].port == s->capture_port)
			return &d->box->listeners[i];
	}
	return NULL;
}

static void
want_port(struct doctor *d, const struct policy_service *s)
{
	const struct port_range *ports = &d->policy->gateway.capture_ports;
	const struct box_listener *l = listener(d, s);
	unsigned int n = ports->high - ports->low, low;

	if (!l || is_alive(d, s) || l->uid == d->box->proxy_uid)
		return;
	/* as many ports, above or below */
	low = ports->high + n < UINT16_MAX ? ports->high + 1u : 1024;
	doctor_found(d, "port", doctor_number(d, s->capture_port), "service",
		     s->name, "free",
		     arena_printf(d->arena, "%u-%u", low, low + n), NULL);
}

void
check_port_taken(struct doctor *d)
{
	doctor_each_service(d, want_port);
}

static void
want_same_policy(struct doctor *d, const struct policy_service *s)
{
	const struct box_listener *l = listener(d, s);

	if (should_live(d) && l && !is_alive(d, s) &&
	    l->uid == d->box->proxy_uid)
		doctor_found(d, "port", doctor_number(d, s->capture_port),
			     "service", s->name, NULL);
}

void
check_other_policy(struct doctor *d)
{
	doctor_each_service(d, want_same_policy);
}

static void
want_alive(struct doctor *d, const struct policy_service *s)
{
	if (should_live(d) && !listener(d, s) && !is_alive(d, s))
		doctor_found(d, "service", s->name, "fate",
			     s->on_failure == ON_FAILURE_OPEN ? "passed by"
							      : "refused",
			     NULL);
}

void
check_not_alive(struct doctor *d)
{
	doctor_each_service(d, want_alive);
}
