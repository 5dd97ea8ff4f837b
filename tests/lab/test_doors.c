/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_doors.c - netsetup's doors to what others have open: sockets and
 * tracked connections.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netsetup/kernel/ct.h"
#include "netsetup/kernel/sock.h"
#include "tests/lab/lab.h"

enum { PORT = 80, SEEN_MAX = 64 };

static void
open_door(struct lab *lab, struct nl *nl, int bus)
{
	lab_enter(lab, LAB_GATEWAY);
	if (nl_open(nl, bus) < 0)
		lab_die("netlink");
	lab_leave(lab);
}

/* --- sockets ------------------------------------------------------------- */

struct socks {
	struct sock_entry list[SEEN_MAX];
	size_t n;
};

static bool
see_socket(const struct sock_entry *e, void *data)
{
	struct socks *s = data;

	s->list[s->n++] = *e;
	return s->n < SEEN_MAX;
}

static void
dump_sockets(struct nl *nl, uint8_t protocol, enum sock_kind kind,
	     struct socks *s)
{
	int r;

	s->n = 0;
	r = sock_dump(nl, protocol, kind, see_socket, s);
	UNIT_CHECK(r == 0, "%s", strerror(-r));
}

/* How many sockets hear what is sent to `to`? */
static size_t
hearing(const struct socks *s, const char *to)
{
	struct endpoint e;
	size_t i, n = 0;

	if (endpoint_parse(to, &e) < 0)
		lab_die("%s", to);
	for (i = 0; i < s->n; i++)
		n += sock_hears(&s->list[i], &e);
	return n;
}

static void
bind_to(int fd, const char *at)
{
	union sockaddr_any sa;
	struct endpoint e;
	socklen_t len;

	if (endpoint_parse(at, &e) < 0)
		lab_die("%s", at);
	len = endpoint_to_sockaddr(&e, &sa);
	if (bind(fd, &sa.sa, len) < 0)
		lab_die("%s: %s", at, strerror(errno));
}

static void
sockets_are_seen(void)
{
	struct lab *lab = lab_up(NULL);
	int one = lab_listen(lab, LAB_GATEWAY, LAB_GATEWAY4 ":22");
	int six = lab_listen(lab, LAB_GATEWAY, "[::]:23");
	int udp = lab_socket(lab, LAB_GATEWAY, AF_INET, SOCK_DGRAM);
	int peer;
	struct socks s;
	struct nl nl;

	bind_to(udp, "0.0.0.0:53");
	open_door(lab, &nl, NETLINK_SOCK_DIAG);
	dump_sockets(&nl, IPPROTO_TCP, SOCK_KIND_BOUND, &s);
	UNIT_CHECK(s.n == 2, "%zu", s.n);
	UNIT_CHECK(hearing(&s, LAB_GATEWAY4 ":22") == 1, "its address");
	UNIT_CHECK(hearing(&s, LAB_OUTSIDE4 ":22") == 0, "another address");
	UNIT_CHECK(hearing(&s, LAB_GATEWAY4 ":24") == 0, "another port");
	UNIT_CHECK(hearing(&s, "[" LAB_GATEWAY6 "]:23") == 1, "any of IPv6");
	UNIT_CHECK(hearing(&s, LAB_GATEWAY4 ":23") == 1, "and of IPv4");
	UNIT_CHECK(hearing(&s, "[" LAB_GATEWAY6 "]:22") == 0, "not of IPv6");

	dump_sockets(&nl, IPPROTO_UDP, SOCK_KIND_BOUND, &s);
	UNIT_CHECK(s.n == 1 && hearing(&s, LAB_GATEWAY4 ":53") == 1, "%zu",
		   s.n);
	dump_sockets(&nl, IPPROTO_TCP, SOCK_KIND_CONNECTED, &s);
	UNIT_CHECK(s.n == 0, "%zu", s.n);
	peer = lab_connect(lab, LAB_CLIENT, NULL, LAB_GATEWAY4 ":22", 1000);
	dump_sockets(&nl, IPPROTO_TCP, SOCK_KIND_CONNECTED, &s);
	UNIT_CHECK(s.n == 1 && s.list[0].remote.port != 0, "%zu", s.n);
	nl_close(&nl);
	close(peer);
	close(udp);
	close(six);
	close(one);
	lab_down(lab);
}

/* Only IPv6: nobody hears IPv4. */
static void
ipv6_only(void)
{
	struct lab *lab = lab_up(NULL);
	int fd = lab_socket(lab, LAB_GATEWAY, AF_INET6, SOCK_STREAM);
	int on = 1;
	struct socks s;
	struct nl nl;

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	bind_to(fd, "[::]:23");
	listen(fd, 1);
	open_door(lab, &nl, NETLINK_SOCK_DIAG);
	dump_sockets(&nl, IPPROTO_TCP, SOCK_KIND_BOUND, &s);
	UNIT_CHECK(hearing(&s, "[" LAB_GATEWAY6 "]:23") == 1, "IPv6");
	UNIT_CHECK(hearing(&s, LAB_GATEWAY4 ":23") == 0, "IPv4");
	nl_close(&nl);
	close(fd);
	lab_down(lab);
}

/* --- connections --------------------------------------------------------- */

struct entries {
	struct ct_entry list[SEEN_MAX];
	size_t n;
};

/* Only those to our port: others come and go. */
static bool
see_entry(const struct ct_entry *e, void *data)
{
	struct entries *s = data;

	if (e->protocol == IPPROTO_TCP && e->original.to.port == PORT)
		s->list[s->n++] = *e;
	return s->n < SEEN_MAX;
}

static void
dump_entries(struct nl *nl, uint32_t mark, uint32_t mask, struct entries *s)
{
	int r;

	s->n = 0;
	r = ct_dump(nl, mark, mask, see_entry, s);
	UNIT_CHECK(r == 0, "%s", strerror(-r));
}

/* Conntrack works only where a rule asks for it. */
static const char tracking[] =
	"table inet other {\n"
	"	chain pre {\n"
	"		type filter hook prerouting "
	"priority raw;\n"
	"		%s\n"
	"	}\n"
	"	chain after {\n"
	"		type filter hook forward "
	"priority 0;\n"
	"		ct state new ct mark set 0xf0f0 "
	"accept\n"
	"	}\n"
	"}\n";

/* A mark changes only under its mask; deleting takes that entry only. */
static void
in_zone(const char *rule, uint16_t original, uint16_t reply)
{
	const struct lab_options forwarding = {.forwarding = true};
	struct lab *lab = lab_up(&forwarding);
	struct str text = {0};
	struct lab_flow f[2];
	struct entries s;
	struct nl nl;
	int i, l[2];

	str_addf(&text, tracking, rule);
	lab_nft(lab, LAB_GATEWAY, str_text(&text));
	for (i = 0; i < 2; i++) {
		l[i] = lab_serve(lab, lab_families[i], PORT);
		lab_flow_open(lab, lab_families[i], l[i], NULL, PORT, &f[i]);
	}
	open_door(lab, &nl, NETLINK_NETFILTER);
	dump_entries(&nl, 0, 0, &s);
	UNIT_CHECK(s.n == 2, "%zu", s.n);
	for (i = 0; i < 2 && s.n == 2; i++) {
		UNIT_CHECK(s.list[i].mark == 0xf0f0, "%x", s.list[i].mark);
		UNIT_CHECK(s.list[i].original.zone == original &&
				   s.list[i].reply.zone == reply,
			   "%u %u", s.list[i].original.zone,
			   s.list[i].reply.zone);
		UNIT_CHECK(!s.list[i].over && !s.list[i].dnat, "%d", i);
		UNIT_CHECK(ct_set_mark(&nl, &s.list[i], 0x3000, 0x3000) == 0,
			   "mark %d, %s", i, rule);
	}
	dump_entries(&nl, 0x3000, 0x3000, &s);
	UNIT_CHECK(s.n == 2 && s.list[0].mark == 0xf0f0, "%zu", s.n);
	UNIT_CHECK(ct_set_mark(&nl, &s.list[0], 0, 0x3000) == 0, "%s", rule);
	dump_entries(&nl, 0x3000, 0x3000, &s);
	UNIT_CHECK(s.n == 1, "%zu", s.n);
	UNIT_CHECK(ct_delete(&nl, &s.list[0]) == 0, "delete, %s", rule);
	UNIT_CHECK(ct_delete(&nl, &s.list[0]) == -ENOENT, "again");
	dump_entries(&nl, 0, 0, &s);
	UNIT_CHECK(s.n == 1 && s.list[0].mark == 0xc0f0, "%zu", s.n);
	s.list[0].id++;
	UNIT_CHECK(ct_delete(&nl, &s.list[0]) == -ENOENT, "another one");
	nl_close(&nl);
	for (i = 0; i < 2; i++) {
		lab_flow_close(&f[i]);
		close(l[i]);
	}
	str_fini(&text);
	lab_down(lab);
}

static void
entries_are_marked_and_deleted(void)
{
	in_zone("accept", 0, 0);
	in_zone("iifname in0 ct original zone set 7", 7, 0);
	in_zone("iifname in0 ct reply zone set 7", 0, 7);
	in_zone("ct zone set 7", 7, 7);
}

static void
ended_is_over(void)
{
	const struct lab_options forwarding = {.forwarding = true};
	struct lab *lab = lab_up(&forwarding);
	struct str text = {0};
	struct entries s = {0};
	struct lab_flow f;
	struct nl nl;
	int l;

	str_addf(&text, tracking, "accept");
	lab_nft(lab, LAB_GATEWAY, str_text(&text));
	l = lab_serve(lab, AF_INET, PORT);
	lab_flow_open(lab, AF_INET, l, NULL, PORT, &f);
	open_door(lab, &nl, NETLINK_NETFILTER);
	lab_reset(f.client);
	f.client = -1;
	UNIT_CHECK(LAB_WAIT((dump_entries(&nl, 0, 0, &s), s.n == 1) &&
				    s.list[0].over,
			    1000),
		   "%zu", s.n);
	nl_close(&nl);
	lab_flow_close(&f);
	close(l);
	str_fini(&text);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"sockets_are_seen", sockets_are_seen},
	{"ipv6_only", ipv6_only},
	{"entries_are_marked_and_deleted", entries_are_marked_and_deleted},
	{"ended_is_over", ended_is_over},
};

LAB_MAIN("doors", tests)
