/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each question is asked of the policy, not of the rules: what a new
 * connection of the same kind would meet. Nobody could come in to put it
 * right if that were a proxy.
 */
#include "netsetup/cmd/guard.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "netsetup/change/flows.h"
#include "netsetup/kernel/environ.h"
#include "netsetup/kernel/sock.h"
#include "netsetup/state/cuts.h"
#include "netsetup/state/meet.h"

/* --- the SSH session ----------------------------------------------------- */

/* "fe80::1%eth0": which link it is does not matter here. */
static int
parse_addr(char *text, struct addr *ret_addr)
{
	text[strcspn(text, "%")] = '\0';
	return addr_parse(text, ret_addr);
}

/* "ADDRESS PORT ADDRESS PORT" of client and server, as sshd sets it. */
static bool
parse_ssh(const char *text, struct endpoint *client, struct endpoint *server)
{
	unsigned int from_port, to_port;
	char from[128], to[128];

	if (sscanf(text, "%127s %u %127s %u", from, &from_port, to, &to_port) !=
	    4)
		return false;
	client->port = (uint16_t)from_port;
	server->port = (uint16_t)to_port;
	return parse_addr(from, &client->addr) == 0 &&
	       parse_addr(to, &server->addr) == 0;
}

bool
guard_ssh_session(struct endpoint *ret_client, struct endpoint *ret_server)
{
	char text[256];

	return environ_find("SSH_CONNECTION", text, sizeof(text)) &&
	       parse_ssh(text, ret_client, ret_server);
}

/* To an address of the box, or through it to one that it knows nothing of. */
static void
look_at_ssh(const struct session *s, enum diag_level level, struct diags *found)
{
	char from[ENDPOINT_TEXT_LEN], to[ENDPOINT_TEXT_LEN];
	struct meet_flow flow = {.proto = PROTO_TCP};
	struct meet m;

	if (!guard_ssh_session(&flow.client, &flow.server))
		return;
	m = meet_policy(s->policy, &s->facts, &flow);
	if (!m.service)
		return;
	diag_add(found, level, m.intercept->place, NULL,
		 "service '%s' would capture this SSH connection, from %s to "
		 "%s",
		 m.service->name, endpoint_format(&flow.client, from),
		 endpoint_format(&flow.server, to));
}

/* --- what listens on the box --------------------------------------------- */

struct listeners {
	const struct session *s;
	struct diags *found;
	enum diag_level level;
	const struct policy_intercept *intercept; /* that is being asked */
	struct endpoint client;			  /* whoever it is for */
	struct endpoint at;
	struct sock_entry *list; /* in the session's arena */
	size_t n;
};

static bool
keep_socket(const struct sock_entry *e, void *data)
{
	struct listeners *l = data;

	l->list = arena_push(l->s->arena, l->list, l->n, sizeof(*l->list));
	l->list[l->n++] = *e;
	return true;
}

/* Proxyd's own: what it captures, and what it listens on by itself. */
static bool
is_proxyd_port(const struct policy *p, enum proto proto, uint16_t port)
{
	const struct port_range *capture = &p->gateway.capture_ports;
	size_t i, j;

	if (port >= capture->low && port <= capture->high)
		return true;
	for (i = 0; i < p->n_services; i++) {
		const struct policy_service *s = &p->services[i];

		for (j = 0; j < s->n_listens; j++) {
			if (s->listens[j].proto == proto &&
			    s->listens[j].endpoint.port == port)
				return true;
		}
	}
	return false;
}

static bool
lists_port(const struct policy_ports *ports, uint16_t port)
{
	size_t i;

	for (i = 0; i < ports->n; i++) {
		if (port >= ports->list[i].low && port <= ports->list[i].high)
			return true;
	}
	return false;
}

/* Would the intercept that is being asked take it, on one of its interfaces? */
static const struct policy_service *
captured_by(const struct listeners *l)
{
	const struct policy_intercept *i = l->intercept, *by;
	const struct policy_service *service;
	size_t k;

	for (k = 0; k < i->on.n; k++) {
		service = policy_match_by(l->s->policy, i->proto,
					  i->on.list[k].name, NULL, &l->client,
					  &l->at, &by);
		if (by == i)
			return service;
	}
	return NULL;
}

/* Did an earlier socket of the list lead to the same? */
static bool
seen_before(const struct listeners *l, size_t stop)
{
	size_t i;

	for (i = 0; i < stop; i++) {
		if (sock_hears(&l->list[i], &l->at))
			return true;
	}
	return false;
}

/* An address of the box is named, and somebody may listen there. */
static void
look_at_host(struct listeners *l)
{
	const struct policy_intercept *i = l->intercept;
	const struct policy_service *service;
	char text[ENDPOINT_TEXT_LEN];
	size_t k;

	for (k = 0; k < l->n; k++) {
		l->at.port = l->list[k].local.port;
		if (!lists_port(&i->ports, l->at.port) ||
		    !sock_hears(&l->list[k], &l->at) || seen_before(l, k) ||
		    is_proxyd_port(l->s->policy, i->proto, l->at.port))
			continue;
		service = captured_by(l);
		if (!service)
			continue;
		diag_add(l->found, l->level, i->place, NULL,
			 "service '%s' would capture %s %s, where a program of "
			 "this box listens",
			 service->name, proto_name(i->proto),
			 endpoint_format(&l->at, text));
	}
}

static void
look_at_intercept(struct listeners *l)
{
	const struct policy_intercept *i = l->intercept;
	size_t k;

	for (k = 0; k < i->to.n; k++) {
		if (!prefix_is_host(&i->to.list[k]) ||
		    !meet_is_local(&l->s->facts, &i->to.list[k].addr))
			continue;
		l->at.addr = i->to.list[k].addr;
		memset(&l->client, 0, sizeof(l->client));
		l->client.addr.family = l->at.addr.family;
		if (i->from.n)
			l->client.addr = i->from.list[0].addr;
		look_at_host(l);
	}
}

static void
look_at_services(struct listeners *l, enum proto proto)
{
	const struct policy *p = l->s->policy;
	size_t i, j;

	for (i = 0; i < p->n_services; i++) {
		if (p->services[i].proto != proto)
			continue;
		for (j = 0; j < p->services[i].n_intercepts; j++) {
			l->intercept = &p->services[i].intercepts[j];
			look_at_intercept(l);
		}
	}
}

/* A kernel without socket diagnosis shows nothing: no reason to refuse. */
static int
look_at_listeners(const struct session *s, enum diag_level level,
		  struct diags *found)
{
	static const uint8_t protocols[] = {
		[PROTO_TCP] = IPPROTO_TCP,
		[PROTO_UDP] = IPPROTO_UDP,
	};
	struct listeners l;
	struct nl nl;
	int r, i;

	r = nl_open(&nl, NETLINK_SOCK_DIAG);
	for (i = PROTO_TCP; i <= PROTO_UDP && r == 0; i++) {
		memset(&l, 0, sizeof(l));
		l.s = s;
		l.found = found;
		l.level = level;
		r = sock_dump(&nl, protocols[i], SOCK_KIND_BOUND, keep_socket,
			      &l);
		if (r == 0)
			look_at_services(&l, (enum proto)i);
	}
	nl_close(&nl);
	return r == -ENOENT || r == -EPROTONOSUPPORT ? 0 : r;
}

/* --- flows that are proxied ----------------------------------------------- */

/* Does another table make the kernel translate, without ours? */
static bool
others_nat(const struct kstate *observed, uint8_t family)
{
	const struct kforeign_chain *c = observed->foreign;
	size_t i;

	for (i = 0; i < observed->n_foreign; i++, c++) {
		if (!strcmp(c->type, "nat") &&
		    kforeign_sees(c, family, c->hook))
			return true;
	}
	return false;
}

/* A flow may be cut on both of its legs. */
static size_t
count_cuts(const struct kstate *observed, struct cuts cut,
	   const struct flows *all)
{
	struct flows f = *all;

	if (!cut.spoofed)
		f.spoofed = 0;
	if (!cut.tproxied)
		f.tproxied = 0;
	if (!cut.redirected || others_nat(observed, AF_INET))
		f.redirected4 = 0;
	if (!cut.redirected || others_nat(observed, AF_INET6))
		f.redirected6 = 0;
	return flows_total(&f);
}

int
guard_cuts(const struct kstate *observed, const struct facts *facts,
	   const struct policy *will, size_t *ret_n, struct str *out)
{
	struct policy *was = session_in_force();
	struct flows flows = {0};
	struct cuts cut = {0};
	int r = 0;

	*ret_n = 0;
	if (was)
		cut = cuts(was, will);
	if (cut.why != CUT_NOTHING)
		r = flows_count(was, facts, &flows);
	if (r == 0)
		*ret_n = count_cuts(observed, cut, &flows);
	if (*ret_n > 0)
		cuts_format(was, will, *ret_n, out);
	policy_free(was);
	return r;
}

static int
look_at_flows(struct session *s, enum diag_level level, struct guard *g)
{
	struct str text = {0};
	int r;

	if (!s->observed.table)
		return -1;
	r = guard_cuts(&s->observed, &s->facts, s->policy, &g->cuts, &text);
	if (g->cuts)
		diag_add(&g->found, level, s->policy->gateway.place, NULL, "%s",
			 str_text(&text));
	str_fini(&text);
	return r < 0 ? common_fail("cannot look at the connections", r) : -1;
}

/* --- NAT of others -------------------------------------------------------- */

/* Without tracking there is no NAT: what others translate would not be. */
static void
look_at_nat(const struct session *s, enum diag_level level, struct diags *found)
{
	const struct kforeign_chain *c = s->observed.foreign;
	struct str text = {0};
	size_t i;

	if (s->policy->gateway.upstream_tracking != TRACKING_OFF ||
	    !policy_spoofs(s->policy))
		return;
	for (i = 0; i < s->observed.n_foreign; i++, c++) {
		if (strcmp(c->type, "nat") != 0 ||
		    (!kforeign_sees(c, AF_INET, NF_INET_POST_ROUTING) &&
		     !kforeign_sees(c, AF_INET6, NF_INET_POST_ROUTING)))
			continue;
		str_clear(&text);
		kforeign_format(c, &text);
		diag_add(found, level, s->policy->gateway.place, NULL,
			 "with `upstream-tracking off` connections to servers "
			 "escape the NAT of %s",
			 str_text(&text));
	}
	str_fini(&text);
}

/* --- all of it ------------------------------------------------------------ */

int
guard_open(struct session *s, enum diag_level level, struct guard *g)
{
	int r;

	memset(g, 0, sizeof(*g));
	diags_init(&g->found);
	look_at_ssh(s, level, &g->found);
	look_at_nat(s, level, &g->found);
	r = look_at_listeners(s, level, &g->found);
	if (r < 0)
		return common_fail("cannot look at the sockets", r);
	return look_at_flows(s, level, g);
}

void
guard_close(struct guard *g)
{
	diags_fini(&g->found);
}

int
guard_refuse(const struct guard *g)
{
	if (g->found.n == 0)
		return -1;
	common_print(&g->found);
	log_error("nothing was changed; `netsetup apply --force` does it "
		  "nevertheless");
	return EXIT_GUARD;
}
