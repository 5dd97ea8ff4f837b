/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor_rules.c - checks of other tables: zones, marks, and whose they are.
 */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/doctor/doctor_check.h"
#include "netsetup/state/capture.h"

static const char *
rule_text(struct doctor *d, const struct frule *r)
{
	struct str s = {0};
	const char *text;

	frule_format(r, &s);
	text = arena_strdup(d->arena, str_text(&s));
	str_fini(&s);
	return text;
}

/* Call `see` for every rule of others. */
static void
each_rule(struct doctor *d, void (*see)(struct doctor *d, const struct frule *r,
					const struct kforeign_chain *base))
{
	const struct foreign *f = &d->box->foreign;
	size_t i;

	for (i = 0; d->policy && i < f->n_rules; i++) {
		if (f->rules[i].family == NFPROTO_INET ||
		    f->rules[i].family == NFPROTO_IPV4 ||
		    f->rules[i].family == NFPROTO_IPV6)
			see(d, &f->rules[i], foreign_base(f, &f->rules[i]));
	}
}

/* --- conntrack: zones, and what is not tracked --------------------------- */

/* Could this rule see the first packet of a flow to one of these ports? */
static bool
meets_ports(const struct frule *r, const struct policy_ports *ports,
	    struct fpacket *p)
{
	size_t i;

	for (i = 0; i < ports->n; i++) {
		p->port = ports->list[i].low;
		if (frule_may_match(r, p))
			return true;
	}
	return false;
}

/* The same of an intercept, on any of its interfaces. */
static bool
meets_intercept(const struct doctor *d, const struct frule *r,
		const struct policy_intercept *i)
{
	struct fpacket p = {
		.l4proto = i->proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP,
		.family = r->family == NFPROTO_IPV6 ? AF_INET6 : AF_INET,
	};
	size_t k;

	for (k = 0; i->via == VIA_REDIRECT && k < d->box->n_ifaces; k++) {
		p.iif = d->box->ifaces[k].name;
		p.iif_index = d->box->ifaces[k].index;
		if (policy_iface_matches(&i->on, p.iif) &&
		    meets_ports(r, &i->ports, &p))
			return true;
	}
	return false;
}

/* The same of any intercept, before it captures. */
static bool
meets_clients(const struct doctor *d, const struct frule *r,
	      const struct kforeign_chain *base)
{
	size_t i, j;

	if (base && base->hook != NF_INET_PRE_ROUTING)
		return false;
	for (i = 0; i < d->policy->n_services; i++) {
		const struct policy_service *s = &d->policy->services[i];

		for (j = 0; j < s->n_intercepts; j++) {
			if (meets_intercept(d, r, &s->intercepts[j]))
				return true;
		}
	}
	return false;
}

static void
find_zone(struct doctor *d, const struct frule *r,
	  const struct kforeign_chain *base)
{
	const char *text = "of its own choice";
	uint32_t zone;
	bool replies;

	if (!frule_zone(r, &zone, &replies) || !replies || zone == 0 ||
	    !meets_clients(d, r, base))
		return;
	if (zone != UINT32_MAX)
		text = doctor_number(d, zone);
	doctor_found(d, "chain", rule_text(d, r), "zone", text, "handle",
		     doctor_number(d, r->handle), NULL);
}

void
check_client_zone(struct doctor *d)
{
	each_rule(d, find_zone);
}

static void
find_notrack(struct doctor *d, const struct frule *r,
	     const struct kforeign_chain *base)
{
	if (frule_untracks(r) && meets_clients(d, r, base))
		doctor_found(d, "chain", rule_text(d, r), "handle",
			     doctor_number(d, r->handle), NULL);
}

void
check_untracked(struct doctor *d)
{
	each_rule(d, find_notrack);
}

static bool
zone_is_free(const struct doctor *d, uint32_t first)
{
	const struct foreign *f = &d->box->foreign;
	uint32_t zone;
	bool replies;
	size_t i;

	for (i = 0; i < f->n_rules; i++) {
		if (frule_zone(&f->rules[i], &zone, &replies) &&
		    zone >= first && zone <= first + 2)
			return false;
	}
	return true;
}

static void
compare_zone(struct doctor *d, const struct frule *r,
	     const struct kforeign_chain *base)
{
	uint32_t first = d->policy->gateway.zone, zone, other = first;
	bool replies;

	(void)base;
	if (!frule_zone(r, &zone, &replies) || zone < first || zone > first + 2)
		return;
	while (other < UINT16_MAX - 5 && !zone_is_free(d, other))
		other += 3;
	doctor_found(d, "chain", rule_text(d, r), "zone",
		     doctor_number(d, zone), "free", doctor_number(d, other),
		     NULL);
}

void
check_zone_used(struct doctor *d)
{
	each_rule(d, compare_zone);
}

static void
find_translation(struct doctor *d, const struct frule *r,
		 const struct kforeign_chain *base)
{
	if (frule_translates(r) && base && base->hook == NF_INET_POST_ROUTING)
		doctor_found(d, "chain", rule_text(d, r), NULL);
}

void
check_nat_untracked(struct doctor *d)
{
	if (d->policy && policy_spoofs(d->policy) &&
	    d->policy->gateway.upstream_tracking == TRACKING_OFF)
		each_rule(d, find_translation);
}

/* --- marks --------------------------------------------------------------- */

/* What others ask for, or give as a constant. */
static uint32_t
marks_used(const struct doctor *d)
{
	const struct foreign *f = &d->box->foreign;
	uint32_t used = 0;
	struct fmarks m;
	size_t i;

	for (i = 0; i < f->n_rules; i++) {
		m = frule_marks(&f->rules[i]);
		used |= m.tested | m.ct_tested;
		if (m.set != UINT32_MAX)
			used |= m.set;
		if (m.ct_set != UINT32_MAX)
			used |= m.ct_set;
	}
	for (i = 0; i < d->box->n_iprules; i++)
		used |= d->box->iprules[i].mark & d->box->iprules[i].mask;
	return used;
}

/* "0x100000 0x200000 mask 0x300000" */
static const char *
free_marks(struct doctor *d)
{
	uint32_t used = marks_used(d) | d->policy->gateway.mark_mask;
	int n;

	for (n = 28; n > 0; n -= 2) {
		if (!(used & 3u << n))
			break;
	}
	return arena_printf(d->arena, "0x%x 0x%x mask 0x%x", 1u << n, 2u << n,
			    3u << n);
}

static void
found_marks(struct doctor *d, const char *who, const char *what, uint32_t bits)
{
	uint32_t mask = d->policy->gateway.mark_mask;

	if (!(bits & mask))
		return;
	doctor_found(d, "who", who, "what", what, "bits",
		     arena_printf(d->arena, "0x%x", bits & mask), "mask",
		     arena_printf(d->arena, "0x%x", mask), "free",
		     free_marks(d), NULL);
}

/* A whole mark set where our packets have got past all that looks at it. */
static bool
is_too_late(const struct kforeign_chain *base)
{
	return base && (base->hook == NF_INET_LOCAL_IN ||
			base->hook == NF_INET_FORWARD ||
			base->hook == NF_INET_POST_ROUTING);
}

static struct fmarks
marks_of(const struct frule *r, const struct kforeign_chain *base)
{
	struct fmarks m = frule_marks(r);

	if (is_too_late(base))
		m.set = 0;
	return m;
}

static void
find_whole(struct doctor *d, const struct frule *r,
	   const struct kforeign_chain *base)
{
	struct fmarks m = marks_of(r, base);

	if (m.set != UINT32_MAX && m.ct_set != UINT32_MAX)
		return;
	doctor_found(
		d, "chain", rule_text(d, r), "what",
		m.set == UINT32_MAX ? "packet" : "connection", "mask",
		arena_printf(d->arena, "0x%x", d->policy->gateway.mark_mask),
		NULL);
}

void
check_whole_mark(struct doctor *d)
{
	if (d->policy && capture_wanted(d->policy))
		each_rule(d, find_whole);
}

static void
find_marks(struct doctor *d, const struct frule *r,
	   const struct kforeign_chain *base)
{
	const struct policy_gateway *g = &d->policy->gateway;
	struct fmarks m = marks_of(r, base);
	const char *who = arena_printf(d->arena, "chain %s", rule_text(d, r));

	/* it lets in what is captured, as input-drop says to type */
	if (frule_asks_mark(r, g->mark_deliver, g->mark_mask))
		m.tested = 0;
	/* that is another finding */
	m.set = m.set == UINT32_MAX ? 0 : m.set;
	m.ct_set = m.ct_set == UINT32_MAX ? 0 : m.ct_set;
	found_marks(d, who, "packet", m.set | m.tested);
	found_marks(d, who, "connection", m.ct_set | m.ct_tested);
}

void
check_mark_bits(struct doctor *d)
{
	size_t i;

	if (!d->policy || !capture_wanted(d->policy))
		return;
	each_rule(d, find_marks);
	for (i = 0; i < d->box->n_iprules; i++) {
		const struct box_iprule *r = &d->box->iprules[i];

		found_marks(d,
			    arena_printf(d->arena, "ip rule %u", r->priority),
			    "packet", r->mark & r->mask);
	}
}

/* --- flowtables, and who is here ----------------------------------------- */

void
check_flowtable(struct doctor *d)
{
	const struct foreign *f = &d->box->foreign;
	size_t i, j;

	for (i = 0; i < f->n_flowtables; i++) {
		const struct fflowtable *t = &f->flowtables[i];

		for (j = 0; j < t->n_devices; j++) {
			if (!doctor_inside(d, t->devices[j]))
				continue;
			doctor_found(
				d, "table",
				arena_printf(d->arena, "%s %s %s",
					     kstate_table_family(t->family),
					     t->table, t->name),
				"iface", t->devices[j], NULL);
		}
	}
}

/* Is there a table of this name, or a chain whose name begins like this? */
static bool
has_table(const struct doctor *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->box->foreign.n_chains; i++) {
		if (!strcmp(d->box->foreign.chains[i].table, name))
			return true;
	}
	return false;
}

static bool
has_chain(const struct doctor *d, const char *prefix)
{
	size_t i;

	for (i = 0; i < d->box->foreign.n_rules; i++) {
		if (!strncmp(d->box->foreign.rules[i].chain, prefix,
			     strlen(prefix)))
			return true;
	}
	return false;
}

void
check_firewalld(struct doctor *d)
{
	if (has_table(d, "firewalld"))
		doctor_found(d, NULL);
}

void
check_ufw(struct doctor *d)
{
	const struct box_file *f = box_file(d->box, "/etc/ufw/ufw.conf");

	if (has_chain(d, "ufw") || (f && strstr(f->text, "\nENABLED=yes")))
		doctor_found(d, NULL);
}

void
check_docker(struct doctor *d)
{
	const char *inside = "eth1", *out = doctor_way_out(d);
	size_t i;

	for (i = 0; i < d->box->n_ifaces; i++) {
		if (doctor_inside(d, d->box->ifaces[i].name))
			inside = d->box->ifaces[i].name;
	}
	if (has_chain(d, "DOCKER"))
		doctor_found(d, "iface", inside, "out", out ? out : "eth0",
			     NULL);
}

void
check_podman(struct doctor *d)
{
	if (has_table(d, "netavark"))
		doctor_found(d, NULL);
}
