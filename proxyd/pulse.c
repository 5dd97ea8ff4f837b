/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pulse.c - sending, and reading the answer out of errno, for pulse.h. */
#include "proxyd/pulse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

int
pulse_init(struct pulse *p, const struct policy *policy,
	   const struct listeners *listeners)
{
	int r;

	memset(p, 0, sizeof(*p));
	p->policy = policy;
	p->listeners = listeners;
	r = alive_open(&p->alive, policy_mark_tproxied(policy));
	if (r < 0)
		return r;
	p->rules = calloc(policy->n_services + 1, sizeof(*p->rules));
	r = p->rules ? route_init(&p->route) : -ENOMEM;
	if (r < 0)
		pulse_fini(p);
	return r;
}

void
pulse_fini(struct pulse *p)
{
	if (p->policy)
		alive_close(&p->alive);
	route_fini(&p->route);
	free(p->rules);
	memset(p, 0, sizeof(*p));
}

static void
note_rules(struct pulse *p, size_t i, enum pulse_rules now)
{
	const char *name = p->policy->services[i].name;

	if (p->rules[i] == now)
		return;
	if (now == PULSE_MISSING)
		log_notice("service %s: no rules capture for it; run"
			   " 'netsetup apply'",
			   name);
	else if (p->rules[i] == PULSE_MISSING)
		log_notice("service %s: its rules are installed", name);
	else
		log_info("service %s: its rules are installed", name);
	p->rules[i] = now;
}

static void
beat_service(struct pulse *p, size_t i)
{
	static const int families[] = {AF_INET, AF_INET6};
	const struct policy_service *s = &p->policy->services[i];
	uint64_t digest = policy_alive_digest(s);
	enum pulse_rules now = PULSE_MISSING;
	size_t k;

	for (k = 0; k < 2; k++) {
		if (!listeners_capture(p->listeners, s, families[k]))
			continue;
		if (alive_send(&p->alive, families[k], digest) == ALIVE_SEEN)
			now = PULSE_SEEN;
	}
	note_rules(p, i, now);
}

void
pulse_beat(struct pulse *p)
{
	size_t i;

	for (i = 0; i < p->policy->n_services; i++)
		if (p->policy->services[i].n_intercepts)
			beat_service(p, i);
}

bool
pulse_is_seen(const struct pulse *p)
{
	size_t i;

	for (i = 0; i < p->policy->n_services; i++)
		if (p->rules[i] == PULSE_SEEN)
			return true;
	return false;
}

/* Do rules with our marks know the probe in this family? */
static bool
probe(struct pulse *p, int family)
{
	uint64_t digest = policy_return_path_digest(p->policy);

	return alive_send(&p->alive, family, digest) == ALIVE_SEEN;
}

static void
note_return_path(struct pulse *p, unsigned int before, unsigned int now)
{
	const char *ipv4 = now & FAMILY_IPV4 ? " ipv4" : "";
	const char *ipv6 = now & FAMILY_IPV6 ? " ipv6" : "";

	if (before & ~now)
		log_warn("the return path of spoofed connections is gone; run"
			 " 'netsetup apply'");
	else if (now & ~before & p->lost)
		log_notice("the return path is there again:%s%s", ipv4, ipv6);
	else if (now & ~before)
		log_info("the return path is there:%s%s", ipv4, ipv6);
	p->lost = (p->lost | before) & ~now;
}

unsigned int
pulse_return_path(struct pulse *p)
{
	unsigned int now = 0;
	int r;

	r = route_return_path(&p->route, p->policy, &now);
	if (r < 0) {
		log_error("cannot read the routing tables: %s", strerror(-r));
		now = 0;
	}
	if (now & FAMILY_IPV4 && !probe(p, AF_INET))
		now &= ~(unsigned int)FAMILY_IPV4;
	if (now & FAMILY_IPV6 && !probe(p, AF_INET6))
		now &= ~(unsigned int)FAMILY_IPV6;
	note_return_path(p, p->return_path, now);
	p->return_path = now;
	return now;
}
