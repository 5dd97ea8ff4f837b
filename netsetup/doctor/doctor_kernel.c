/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor_kernel.c - checks of kernel settings: conntrack's, bridges', ports'.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/doctor/doctor_check.h"

#define CONNTRACK "net/netfilter/nf_conntrack_"

/* Of 100 entries, so many make it nearly full. */
enum { FULL_PERCENT = 80 };

void
check_conntrack_full(struct doctor *d)
{
	long max = box_number(d->box, 0, CONNTRACK "max");
	long count = box_number(d->box, 0, CONNTRACK "count");

	if (max <= 0 || count < max / 100 * FULL_PERCENT)
		return;
	doctor_found(d, "count", doctor_number(d, (uint64_t)count), "max",
		     doctor_number(d, (uint64_t)max), "more",
		     doctor_number(d, (uint64_t)max * 2), NULL);
}

/* One for the client's leg, one for the server's. */
void
check_conntrack_room(struct doctor *d)
{
	long max = box_number(d->box, 0, CONNTRACK "max");
	uint64_t want, workers;

	if (max <= 0 || !d->policy || !doctor_captures(d, VIA_REDIRECT))
		return;
	workers = d->policy->gateway.workers;
	if (workers == 0)
		workers = d->box->processors;
	want = 2 * workers * d->policy->gateway.max_flows;
	if (want <= (uint64_t)max)
		return;
	doctor_found(d, "flows", doctor_number(d, d->policy->gateway.max_flows),
		     "workers", doctor_number(d, workers), "max",
		     doctor_number(d, (uint64_t)max), "more",
		     doctor_number(d, want + want / 4), NULL);
}

/*
 * What comes in the middle of a connection is new to conntrack only if that
 * is loose; only then is it redirected again, to where it was before.
 */
void
check_tcp_loose(struct doctor *d)
{
	if (doctor_captures(d, VIA_REDIRECT) &&
	    box_number(d->box, 1, CONNTRACK "tcp_loose") == 0)
		doctor_found(d, NULL);
}

static void
compare_timeout(struct doctor *d, const struct policy_service *s)
{
	long have = box_number(d->box, -1, CONNTRACK "tcp_timeout_established");
	uint64_t want = (s->timeout_ms[TIMEOUT_IDLE] + 999u) / 1000;

	if (s->proto != PROTO_TCP || have < 0 || (uint64_t)have >= want)
		return;
	doctor_found(d, "have", doctor_number(d, (uint64_t)have), "want",
		     doctor_number(d, want), "service", s->name, NULL);
}

void
check_conntrack_timeout(struct doctor *d)
{
	doctor_each_service(d, compare_timeout);
}

/* Of a bridge, what it only passes on comes through the hooks of IP, too. */
void
check_bridge_netfilter(struct doctor *d)
{
	static const char *const settings[] = {
		"net/bridge/bridge-nf-call-iptables",
		"net/bridge/bridge-nf-call-ip6tables",
	};
	size_t i, j;
	char *name, *at;

	for (i = 0; i < d->box->n_ifaces; i++) {
		const struct box_iface *f = &d->box->ifaces[i];

		if (!f->bridge || !doctor_inside(d, f->name))
			continue;
		for (j = 0; j < 2; j++) {
			if (box_number(d->box, 0, "%s", settings[j]) == 0)
				continue;
			name = arena_strdup(d->arena, settings[j]);
			for (at = name; *at; at++)
				*at = *at == '/' ? '.' : *at;
			doctor_found(d, "setting", name, "iface", f->name,
				     NULL);
		}
	}
}

/* --- ports that the box gives out ---------------------------------------- */

/* Is it in a list like "8080,9148-9150"? */
static bool
is_reserved(const char *list, uint16_t port)
{
	unsigned long low, high;
	char *end;

	while (*list) {
		low = strtoul(list, &end, 10);
		if (end == list)
			return false;
		high = low;
		if (*end == '-')
			high = strtoul(end + 1, &end, 10);
		if (port >= low && port <= high)
			return true;
		list = *end == ',' ? end + 1 : end;
	}
	return false;
}

/* One is enough: what mends it mends it for all. */
void
check_ephemeral_ports(struct doctor *d)
{
	const char *range = box_setting(d->box, "net/ipv4/ip_local_port_range");
	const char *reserved =
		box_setting(d->box, "net/ipv4/ip_local_reserved_ports");
	char ports[PORTS_TEXT_LEN], *end;
	unsigned long low, high;
	size_t i;

	if (!range || !d->policy)
		return;
	low = strtoul(range, &end, 10);
	high = strtoul(end, NULL, 10);
	reserved = reserved ? reserved : "";
	port_range_format(&d->policy->gateway.capture_ports, ports);
	for (i = 0; i < d->policy->n_services; i++) {
		const struct policy_service *s = &d->policy->services[i];

		if (s->n_intercepts == 0 || s->capture_port < low ||
		    s->capture_port > high ||
		    is_reserved(reserved, s->capture_port))
			continue;
		doctor_found(d, "port", doctor_number(d, s->capture_port),
			     "service", s->name, "reserved",
			     arena_printf(d->arena, "%s%s%s", reserved,
					  *reserved ? "," : "", ports),
			     NULL);
		return;
	}
}
