/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real box behind struct way_box.
 */
#include "netsetup/change/ask.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>

#include "lib/arena.h"
#include "netsetup/kernel/nft_pair.h"
#include "netsetup/kernel/rt_route.h"
#include "netsetup/kernel/sock.h"
#include "netsetup/kernel/sysctl.h"

int
ask_open(struct ask *a)
{
	int r = nl_open(&a->route, NETLINK_ROUTE);

	if (r < 0)
		return r;
	r = nl_open(&a->sockets, NETLINK_SOCK_DIAG);
	if (r < 0)
		nl_close(&a->route);
	return r;
}

void
ask_close(struct ask *a)
{
	nl_close(&a->route);
	nl_close(&a->sockets);
}

static int
ask_route(void *data, const struct hop_query *q, struct hop *ret_hop)
{
	struct ask *a = data;

	return rt_route(&a->route, q, ret_hop);
}

static int
ask_setting(void *data, const char *path, int *ret)
{
	char value[SYSCTL_VALUE_LEN];

	(void)data;
	*ret = -1;
	if (sysctl_read(SYSCTL_ROOT, path, value) == 0)
		*ret = atoi(value);
	return 0;
}

struct seeking {
	const struct endpoint *at;
	bool found;
};

static bool
see_socket(const struct sock_entry *entry, void *data)
{
	struct seeking *s = data;

	s->found = sock_hears(entry, s->at);
	return !s->found;
}

static int
ask_listens(void *data, enum proto proto, const struct endpoint *at, int *ret)
{
	struct ask *a = data;
	struct seeking s = {.at = at};
	int r;

	r = sock_dump(&a->sockets,
		      proto == PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP,
		      SOCK_KIND_BOUND, see_socket, &s);
	*ret = r < 0 ? -1 : s.found;
	return r == -ENOENT ? 0 : r;
}

struct way_box
ask_box(struct ask *a)
{
	return (struct way_box){
		.data = a,
		.route = ask_route,
		.setting = ask_setting,
		.listens = ask_listens,
	};
}

static uint64_t
time_left(const struct bypass_pair *pairs, size_t n, const struct addr *client,
	  const struct addr *destination)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (addr_equal(&pairs[i].client, client) &&
		    addr_equal(&pairs[i].destination, destination))
			return pairs[i].left_ms;
	}
	return 0;
}

int
ask_bypass(const struct addr *client, const struct addr *destination,
	   uint64_t *ret_ms)
{
	struct arena *arena = arena_new();
	struct bypass_pair *pairs = NULL;
	struct nl nl = {0};
	size_t n = 0;
	int r;

	r = nl_open(&nl, NETLINK_NETFILTER);
	if (r == 0)
		r = nft_pair_list(&nl, client->family, arena, &pairs, &n);
	nl_close(&nl);
	*ret_ms = r == 0 ? time_left(pairs, n, client, destination) : 0;
	arena_free(arena);
	return r == -ENOENT ? 0 : r;
}
