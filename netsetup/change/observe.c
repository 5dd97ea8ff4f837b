/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several dumps make one picture. When one of them was torn by a change, all
 * begin anew, on new sockets: the old may still hold answers.
 */
#include "netsetup/change/observe.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "netsetup/kernel/rt_read.h"

enum { TRIES = 100 };

/* The settings that a policy can ask for. */
static const char *const settings[] = {
	"net/ipv4/conf/all/forwarding",
	"net/ipv6/conf/all/forwarding",
};

static void
read_settings(struct arena *arena, const struct sysctl_record *rec,
	      struct kstate *s)
{
	char value[SYSCTL_VALUE_LEN];
	struct ksysctl *c;
	size_t i;

	for (i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (sysctl_read(SYSCTL_ROOT, settings[i], value) < 0)
			continue;
		s->sysctls =
			arena_push(arena, s->sysctls, s->n_sysctls, sizeof(*c));
		c = &s->sysctls[s->n_sysctls++];
		c->path = settings[i];
		c->value = arena_strdup(arena, value);
		c->recorded = sysctl_recorded(rec, settings[i]);
	}
}

static int
observer_open(struct observer *o)
{
	int r = nft_news_open(&o->news);

	if (r < 0)
		return r;
	r = nl_open(&o->nl, NETLINK_NETFILTER);
	if (r < 0)
		nft_news_close(&o->news);
	return r;
}

void
observer_close(struct observer *o)
{
	nft_news_close(&o->news);
	nl_close(&o->nl);
}

static int
read_nft(struct arena *arena, enum nft_depth depth, struct kstate *s,
	 struct observer *ret_observer)
{
	struct observer o;
	int r;

	r = observer_open(&o);
	if (r < 0)
		return r;
	r = nft_read(&o.nl, &o.news, depth, arena, s);
	if (r == 0 && ret_observer)
		*ret_observer = o;
	else
		observer_close(&o);
	return r;
}

static int
read_rt(struct arena *arena, struct kstate *s)
{
	struct nl nl;
	int r;

	r = nl_open(&nl, NETLINK_ROUTE);
	if (r < 0)
		return r;
	r = rt_read_state(&nl, arena, s);
	nl_close(&nl);
	return r;
}

int
observe_state(struct arena *arena, const struct sysctl_record *rec,
	      enum nft_depth depth, struct kstate *ret_state,
	      struct observer *ret_observer)
{
	int r = -EINTR, i;

	for (i = 0; i < TRIES && (r == -EINTR || r == -ENOBUFS); i++) {
		memset(ret_state, 0, sizeof(*ret_state));
		read_settings(arena, rec, ret_state);
		r = read_rt(arena, ret_state);
		if (r == 0)
			r = read_nft(arena, depth, ret_state, ret_observer);
	}
	return r == -EINTR ? -EAGAIN : r;
}

/* 0 when it cannot be read */
static int
read_number(const char *path)
{
	char value[SYSCTL_VALUE_LEN];

	if (sysctl_read(SYSCTL_ROOT, path, value) < 0)
		return 0;
	return atoi(value);
}

static bool
has_ipv6(void)
{
	char value[SYSCTL_VALUE_LEN];

	/* no such file in a kernel without IPv6 */
	return sysctl_read(SYSCTL_ROOT, "net/ipv6/conf/all/disable_ipv6",
			   value) == 0 &&
	       !strcmp(value, "0");
}

static int
read_facts(struct arena *arena, struct facts *facts)
{
	struct nl nl;
	int r;

	r = nl_open(&nl, NETLINK_ROUTE);
	if (r < 0)
		return r;
	r = rt_read_facts(&nl, arena, facts);
	nl_close(&nl);
	return r;
}

/* accept_ra matters only where a route came from router advertisements. */
static void
add_accept_ra(struct arena *arena, const struct facts *facts)
{
	struct facts_iface *ifaces = facts->ifaces;
	size_t i;

	for (i = 0; i < facts->n_ifaces; i++) {
		if (!ifaces[i].ra_route)
			continue;
		ifaces[i].accept_ra = read_number(arena_printf(
			arena, "net/ipv6/conf/%s/accept_ra", ifaces[i].name));
	}
}

int
observe_facts(struct arena *arena, struct facts *ret_facts)
{
	int r = -EINTR, i;

	for (i = 0; i < TRIES && (r == -EINTR || r == -ENOBUFS); i++) {
		memset(ret_facts, 0, sizeof(*ret_facts));
		r = read_facts(arena, ret_facts);
	}
	if (r < 0)
		return r == -EINTR ? -EAGAIN : r;
	add_accept_ra(arena, ret_facts);
	ret_facts->families = FAMILY_IPV4 | (has_ipv6() ? FAMILY_IPV6 : 0);
	ret_facts->forwards_ipv6 =
		read_number("net/ipv6/conf/all/forwarding") > 0;
	return 0;
}
