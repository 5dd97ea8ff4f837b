/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One reader after the other. What is not there on this box is left out:
 * then there is nothing to find.
 */
#include "netsetup/change/survey.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/arena.h"
#include "netsetup/kernel/box_read.h"
#include "netsetup/kernel/foreign_read.h"
#include "netsetup/kernel/rt_route.h"
#include "netsetup/kernel/sock.h"
#include "netsetup/kernel/sysctl.h"
#include "netsetup/kernel/textfile.h"

enum { TRIES = 100, WAYS_MAX = 64 };

/* Files of networkd, of systemd's units, of firewalls, and of scripts. */
static const char *const patterns[] = {
	"/etc/systemd/networkd.conf",
	"/usr/lib/systemd/networkd.conf.d/*.conf",
	"/usr/local/lib/systemd/networkd.conf.d/*.conf",
	"/run/systemd/networkd.conf.d/*.conf",
	"/etc/systemd/networkd.conf.d/*.conf",
	"/run/systemd/netif/state",
	"/etc/systemd/system/*.wants/*.service",
	"/etc/systemd/system/interpose*.service",
	"/usr/lib/systemd/system/interpose*.service",
	"/etc/systemd/system/interpose*.service.d/*.conf",
	"/etc/nftables.conf",
	"/etc/nftables/*",
	"/etc/nftables.d/*",
	"/etc/sysconfig/nftables.conf",
	"/etc/ufw/ufw.conf",
	"/etc/rc.local",
	"/etc/network/if-pre-up.d/*",
	"/etc/network/if-up.d/*",
	"/etc/NetworkManager/dispatcher.d/*",
	"/etc/networkd-dispatcher/*.d/*",
	"/etc/cron.d/*",
};

static const char *const settings[] = {
	"net/ipv4/conf/all/forwarding",
	"net/ipv4/conf/all/rp_filter",
	"net/ipv4/conf/all/src_valid_mark",
	"net/ipv4/conf/all/send_redirects",
	"net/ipv6/conf/all/forwarding",
	"net/ipv4/ip_local_port_range",
	"net/netfilter/nf_conntrack_max",
	"net/netfilter/nf_conntrack_count",
	"net/netfilter/nf_conntrack_tcp_loose",
	"net/netfilter/nf_conntrack_tcp_timeout_established",
	"net/bridge/bridge-nf-call-iptables",
	"net/bridge/bridge-nf-call-ip6tables",
	"fs/nr_open",
	"fs/file-max",
};

/* The same of every interface. */
static const char *const of_ifaces[] = {
	"net/ipv4/conf/%s/forwarding",	   "net/ipv4/conf/%s/rp_filter",
	"net/ipv4/conf/%s/src_valid_mark", "net/ipv4/conf/%s/send_redirects",
	"net/ipv6/conf/%s/forwarding",
};

#define RESERVED_PORTS "net/ipv4/ip_local_reserved_ports"

static void
add_setting(struct arena *arena, struct box *b, const char *path,
	    const char *value)
{
	struct box_setting *s;

	b->settings = arena_push(arena, b->settings, b->n_settings, sizeof(*s));
	s = &b->settings[b->n_settings++];
	s->path = path;
	s->value = value;
}

static void
read_setting(struct arena *arena, struct box *b, const char *path)
{
	char value[SYSCTL_VALUE_LEN];

	if (sysctl_read(SYSCTL_ROOT, path, value) == 0)
		add_setting(arena, b, path, arena_strdup(arena, value));
}

/* "net/ipv4/conf/%s/..." with the name of an interface. */
static const char *
of_iface(struct arena *arena, const char *pattern, const char *name)
{
	const char *hole = strstr(pattern, "%s");

	return arena_printf(arena, "%.*s%s%s", (int)(hole - pattern), pattern,
			    name, hole + 2);
}

static void
read_settings(struct arena *arena, struct box *b)
{
	const char *text;
	size_t i, j;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		read_setting(arena, b, settings[i]);
	for (i = 0; i < b->n_ifaces; i++) {
		for (j = 0; j < sizeof(of_ifaces) / sizeof(of_ifaces[0]); j++)
			read_setting(arena, b,
				     of_iface(arena, of_ifaces[j],
					      b->ifaces[i].name));
	}
	/* a list, of any length */
	text = textfile_read(SYSCTL_ROOT "/" RESERVED_PORTS, arena);
	if (text)
		add_setting(arena, b, RESERVED_PORTS,
			    arena_strndup(arena, text, strcspn(text, "\n")));
}

/* --- ways ---------------------------------------------------------------- */

/* What an address is asked for once; errors of the routing are an answer. */
static int
ask_way(struct nl *nl, struct arena *arena, const struct addr *to,
	struct box *b)
{
	struct hop_query q = {.to = *to};
	struct box_way *w;
	struct hop hop;
	size_t i;
	int r;

	for (i = 0; i < b->n_ways; i++) {
		if (addr_equal(&b->ways[i].to, to))
			return 0;
	}
	if (b->n_ways >= WAYS_MAX)
		return 0;
	r = rt_route(nl, &q, &hop);
	if (r < 0)
		return r;
	b->ways = arena_push(arena, b->ways, b->n_ways, sizeof(*w));
	w = &b->ways[b->n_ways++];
	w->to = *to;
	snprintf(w->iface, sizeof(w->iface), "%s", hop.error ? "" : hop.oif);
	return 0;
}

/* To the servers, and back to the clients that are named. */
static int
ask_ways(struct nl *nl, struct arena *arena, const struct policy *p,
	 struct box *b)
{
	size_t i, j, k;
	int r = 0;

	for (i = 0; i < p->n_pools; i++) {
		for (j = 0; j < p->pools[i].n_nodes && r == 0; j++) {
			const struct policy_node *n = &p->pools[i].nodes[j];

			if (!n->original)
				r = ask_way(nl, arena, &n->endpoint.addr, b);
		}
	}
	for (i = 0; i < p->n_services; i++) {
		for (j = 0; j < p->services[i].n_intercepts; j++) {
			const struct policy_prefixes *from =
				&p->services[i].intercepts[j].from;

			for (k = 0; k < from->n && r == 0; k++)
				r = ask_way(nl, arena, &from->list[k].addr, b);
		}
	}
	return r;
}

/* --- all of it ----------------------------------------------------------- */

static int
read_routes(struct arena *arena, const struct policy *p, struct box *b)
{
	struct nl nl;
	int r;

	r = nl_open(&nl, NETLINK_ROUTE);
	if (r < 0)
		return r;
	r = box_read(&nl, arena, p ? p->gateway.table : 0, b);
	if (r == 0 && p)
		r = ask_ways(&nl, arena, p, b);
	nl_close(&nl);
	return r;
}

static int
read_rules(struct arena *arena, struct box *b)
{
	struct nl nl;
	int r;

	r = nl_open(&nl, NETLINK_NETFILTER);
	if (r < 0)
		return r;
	r = foreign_read(&nl, arena, &b->foreign);
	nl_close(&nl);
	return r;
}

/* Where the listeners go. */
struct listening {
	struct arena *arena;
	struct box *box;
};

static bool
take_listener(const struct sock_entry *entry, void *data)
{
	struct listening *l = data;
	struct box *b = l->box;
	struct box_listener *x;

	b->listeners =
		arena_push(l->arena, b->listeners, b->n_listeners, sizeof(*x));
	x = &b->listeners[b->n_listeners++];
	x->protocol = entry->protocol;
	x->port = entry->local.port;
	x->uid = entry->uid;
	return true;
}

static int
read_listeners(struct arena *arena, struct box *b)
{
	struct listening l = {arena, b};
	struct nl nl;
	int r;

	r = nl_open(&nl, NETLINK_SOCK_DIAG);
	if (r < 0)
		return r;
	r = sock_dump(&nl, IPPROTO_TCP, SOCK_KIND_BOUND, take_listener, &l);
	if (r == 0)
		r = sock_dump(&nl, IPPROTO_UDP, SOCK_KIND_BOUND, take_listener,
			      &l);
	nl_close(&nl);
	return r == -ENOENT ? 0 : r;
}

void
survey_files(const char *root, struct arena *arena, struct box *b)
{
	size_t i;

	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		textfile_add(root, patterns[i], arena, b);
}

static uint32_t
user_id(const char *name)
{
	struct passwd pw, *found = NULL;
	char buf[4096];

	if (getpwnam_r(name, &pw, buf, sizeof(buf), &found) != 0 || !found)
		return UINT32_MAX;
	return pw.pw_uid;
}

int
survey(struct arena *arena, const struct policy *policy,
       const struct kstate *observed, struct box *ret_box)
{
	int r = -EINTR, i;

	for (i = 0; i < TRIES && r == -EINTR; i++) {
		memset(ret_box, 0, sizeof(*ret_box));
		r = read_routes(arena, policy, ret_box);
		if (r == 0)
			r = read_rules(arena, ret_box);
	}
	if (r == 0)
		r = read_listeners(arena, ret_box);
	if (r < 0)
		return r == -EINTR ? -EAGAIN : r;
	ret_box->foreign.chains = observed->foreign;
	ret_box->foreign.n_chains = observed->n_foreign;
	read_settings(arena, ret_box);
	survey_files("", arena, ret_box);
	ret_box->proxy_uid =
		policy ? user_id(policy->gateway.user) : UINT32_MAX;
	ret_box->processors = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	return 0;
}
