/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_match.c - do netsetup's rules capture what policy_match() says?
 *
 * Policies are put together by chance, always the same chance; for each, a
 * client connects from several addresses, on two interfaces, to several
 * servers and ports, and the test sees who accepts. No proxyd here.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/policy.h"
#include "tests/lab/lab.h"

enum { POLICIES = 40, SERVICES_MAX = 4, MANY_MAX = 24, LISTENERS_MAX = 40 };

/* Clients with the interface by which they come, per family. */
struct from {
	const char *iface;
	const char *address;
};

static const struct from froms[] = {
	{"in0", LAB_CLIENT4}, {"in0", "10.1.0.77"}, {"in0", "10.1.0.200"},
	{"in1", "10.5.0.2"},  {"in0", LAB_CLIENT6}, {"in0", "fd01::77"},
	{"in0", "fd01::200"}, {"in1", "fd05::2"},
};

static const char *const tos[] = {
	LAB_SERVER4, "10.8.1.1", "10.8.200.1", LAB_OUTSIDE4,
	LAB_SERVER6, "fd08::1",	 "fd08:1::1",  LAB_OUTSIDE6,
};

static const unsigned int ports[] = {80, 81, 443, 1999, 2000, 8080};

/* What a policy may be made of. */
static const char *const from_lists[] = {
	"from 10.1.0.0/25, fd01::/120",
	"from 10.1.0.77",
	"from 10.5.0.0/24, fd05::2, 10.1.0.200",
	"from fd01::/64",
	"from 10.0.0.0/8, fd00::/8",
};

static const char *const to_lists[] = {
	"to 10.8.0.0/16, fd08::/32",
	"to 10.2.0.0/24, fd02::/64",
	"to " LAB_OUTSIDE4 ", " LAB_OUTSIDE6,
	"to 10.8.1.1, fd08:1::/32, 10.8.128.0/17",
};

static const char *const port_lists[] = {
	"port 80",
	"port 80-81",
	"port 443, 2000",
	"port 1000-1999",
	"port 80, 81-443",
	"port 1-65535",
	"port 8080, 80, 2000-3000",
};

static const char *const outside_lists[] = {"out0", "out*", "in1, out0", "in1",
					    "wan*"};

static const char *const on_lists[] = {"on in0", "on in1", "on in*",
				       "on in0, in1"};

struct chance {
	uint32_t x;
};

static uint32_t
draw(struct chance *c, uint32_t n)
{
	c->x ^= c->x << 13;
	c->x ^= c->x >> 17;
	c->x ^= c->x << 5;
	return c->x % n;
}

#define ONE_OF(c, list) ((list)[draw((c), sizeof(list) / sizeof((list)[0]))])

/* Add one of the list in one case of `n`. */
#define SOMETIMES(c, s, n, list)                                               \
	do {                                                                   \
		if (draw((c), (n)) == 0)                                       \
			str_addf((s), " %s", ONE_OF((c), list));               \
	} while (0)

/* "except from ... to ... port ...", with at least one of them. */
static void
draw_except(struct chance *c, struct str *s)
{
	str_add(s, "\texcept");
	str_addf(s, " %s", ONE_OF(c, from_lists));
	SOMETIMES(c, s, 2, to_lists);
	SOMETIMES(c, s, 2, port_lists);
	str_add(s, "\n");
}

static void
draw_policy(struct chance *c, uint32_t most, struct str *s)
{
	static const char *const families[] = {"ipv4", "ipv6", "ipv4, ipv6"};
	uint32_t i, k, n = 1 + draw(c, most);

	str_add(s, "gateway {\n\tinside in0, in1\n");
	if (draw(c, 3) == 0)
		str_addf(s, "\tfamily %s\n", ONE_OF(c, families));
	if (draw(c, 4) == 0)
		str_addf(s, "\toutside %s\n", ONE_OF(c, outside_lists));
	if (draw(c, 2) == 0)
		draw_except(c, s);
	str_add(s, "}\n");
	for (i = 0; i < n; i++) {
		str_addf(s, "service s%u {\n", i);
		for (k = 0; k <= draw(c, 2); k++) {
			str_addf(s, "\tintercept tcp %s",
				 ONE_OF(c, port_lists));
			SOMETIMES(c, s, 3, from_lists);
			SOMETIMES(c, s, 3, to_lists);
			SOMETIMES(c, s, 4, on_lists);
			str_add(s, "\n");
		}
		if (draw(c, 2) == 0)
			draw_except(c, s);
		str_add(s, "}\n");
	}
}

/* Everybody who may accept; [0..n_services) stand on capture ports. */
struct hall {
	struct lab *lab;
	struct policy *policy;		  /* owns */
	struct pollfd fds[LISTENERS_MAX]; /* owns the descriptors */
	size_t n;
	size_t n_services;
	unsigned int captured; /* how many of the connections asked for */
	unsigned int spared;
};

static void
add_listener(struct hall *h, enum lab_where where, unsigned int port)
{
	char at[ENDPOINT_TEXT_LEN];

	snprintf(at, sizeof(at), "[::]:%u", port);
	h->fds[h->n++] = (struct pollfd){
		.fd = lab_listen(h->lab, where, at),
		.events = POLLIN,
	};
}

/* Addresses and routes beyond those that every lab has. */
static void
extend(struct lab *lab)
{
	lab_must(lab, LAB_GATEWAY,
		 "ip link add in1 type veth peer name eth1 netns client &&"
		 "ip link set in1 up && ip addr add 10.5.0.1/24 dev in1 &&"
		 "ip addr add fd05::1/64 dev in1 &&"
		 "ip route add 10.8.0.0/16 via " LAB_SERVER4 " &&"
		 "ip route add fd08::/16 via " LAB_SERVER6);
	lab_must(lab, LAB_CLIENT,
		 "ip link set eth1 up && ip addr add 10.5.0.2/24 dev eth1 &&"
		 "ip addr add fd05::2/64 dev eth1 &&"
		 "ip addr add 10.1.0.77/24 dev eth0 &&"
		 "ip addr add 10.1.0.200/24 dev eth0 &&"
		 "ip addr add fd01::77/64 dev eth0 &&"
		 "ip addr add fd01::200/64 dev eth0 &&"
		 "ip rule add from 10.5.0.0/24 lookup 5 &&"
		 "ip -6 rule add from fd05::/64 lookup 5 &&"
		 "ip route add default via 10.5.0.1 table 5 &&"
		 "ip -6 route add default via fd05::1 table 5");
	lab_must(lab, LAB_SERVER,
		 "ip route add local 10.8.0.0/16 dev lo &&"
		 "ip -6 route add local fd08::/16 dev lo");
}

static void
open_hall(struct hall *h, const char *text)
{
	char set[POLICY_ALIVE_SET_LEN];
	struct str why = {0};
	struct diags d;
	size_t i;

	diags_init(&d);
	h->policy = policy_load_text("policy.conf", text, strlen(text), &d);
	diags_format(&d, false, &why);
	if (!h->policy)
		lab_die("%s\n%s", text, str_text(&why));
	str_fini(&why);
	diags_fini(&d);
	lab_policy(h->lab, "%s", text);
	lab_apply(h->lab);
	/* a port used again would have what an earlier policy decided */
	lab_must(h->lab, LAB_GATEWAY, "conntrack -F");
	for (i = 0; i < h->policy->n_services; i++) {
		policy_alive_set(&h->policy->services[i], set);
		lab_must(h->lab, LAB_GATEWAY,
			 "nft add element inet interpose %s "
			 "'{ ipv4 timeout 90s, ipv6 timeout 90s }'",
			 set);
		add_listener(h, LAB_GATEWAY,
			     h->policy->services[i].capture_port);
	}
	h->n_services = h->n;
	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		add_listener(h, LAB_SERVER, ports[i]);
		add_listener(h, LAB_GATEWAY, ports[i]);
	}
}

static void
close_hall(struct hall *h)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		close(h->fds[i].fd);
	policy_free(h->policy);
	lab_must(h->lab, LAB_GATEWAY, "netsetup remove");
}

/* Who accepts? A service's name, "nobody captures" or "nobody". */
static const char *
who(struct hall *h)
{
	const char *name = "nobody";
	size_t i;
	int fd;

	if (poll(h->fds, h->n, 1000) <= 0)
		return name;
	for (i = 0; i < h->n; i++) {
		if (!h->fds[i].revents)
			continue;
		fd = accept(h->fds[i].fd, NULL, NULL);
		if (fd >= 0)
			lab_reset(fd);
		name = i < h->n_services ? h->policy->services[i].name
					 : "nobody captures";
	}
	return name;
}

static void
check_one(struct hall *h, const struct from *from, const char *to,
	  unsigned int port)
{
	const struct policy_service *s;
	struct endpoint client, destination;
	char at[ENDPOINT_TEXT_LEN];
	const char *want, *got;
	bool local = !strcmp(to, LAB_OUTSIDE4) || !strcmp(to, LAB_OUTSIDE6);
	int fd;

	endpoint_parse(from->address, &client);
	endpoint_parse(to, &destination);
	destination.port = (uint16_t)port;
	s = policy_match(h->policy, PROTO_TCP, from->iface,
			 local ? NULL : "out0", &client, &destination);
	want = s ? s->name : "nobody captures";
	if (s)
		h->captured++;
	else
		h->spared++;
	fd = lab_connect(h->lab, LAB_CLIENT, from->address,
			 endpoint_format(&destination, at), 1000);
	got = fd < 0 ? strerror(-fd) : who(h);
	UNIT_CHECK(!strcmp(got, want), "%s %s -> %s: want %s, got %s",
		   from->iface, from->address, at, want, got);
	if (fd >= 0)
		lab_reset(fd);
}

static void
check_all(struct hall *h)
{
	size_t f, t, p;

	for (f = 0; f < sizeof(froms) / sizeof(froms[0]); f++)
		for (t = 0; t < sizeof(tos) / sizeof(tos[0]); t++) {
			if (!strchr(froms[f].address, ':') !=
			    !strchr(tos[t], ':'))
				continue;
			for (p = 0; p < sizeof(ports) / sizeof(ports[0]); p++)
				check_one(h, &froms[f], tos[t], ports[p]);
		}
}

static void
by_chance(void)
{
	struct lab *lab = lab_up(&(struct lab_options){.forwarding = true});
	struct chance chance = {.x = 20260101};
	struct str text = {0};
	struct hall hall;
	unsigned int before, captured = 0, spared = 0;
	int i;

	extend(lab);
	for (i = 0; i < POLICIES; i++) {
		hall = (struct hall){.lab = lab};
		str_clear(&text);
		/* so many in some that maps lead to their services */
		draw_policy(&chance, i % 4 == 3 ? MANY_MAX : SERVICES_MAX,
			    &text);
		before = CU_get_number_of_failures();
		open_hall(&hall, str_text(&text));
		check_all(&hall);
		close_hall(&hall);
		captured += hall.captured;
		spared += hall.spared;
		if (CU_get_number_of_failures() > before)
			printf("with this policy:\n%s", str_text(&text));
	}
	/* chance has not made them all alike */
	UNIT_CHECK(captured > 1000 && spared > 1000, "%u captured, %u not",
		   captured, spared);
	str_fini(&text);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"by_chance", by_chance},
};

LAB_MAIN("match", tests)
