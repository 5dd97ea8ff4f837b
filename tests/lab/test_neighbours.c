/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_neighbours.c - on a box whose firewall belongs to somebody else:
 * nothing of theirs changes, not even a handle, whatever netsetup does; and
 * captured connections work beside their rules as others do.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/command.h"

#define FIXTURES "tests/lab/fixtures/"

struct neighbour {
	const char *name;  /* FIXTURES/NAME.nft */
	const char *seen4; /* whom the server sees, IPv4 and IPv6 */
	const char *seen6;
	const char *published; /* an address that they pass on to port 81 */
	bool whole_mark; /* they set all bits of it: see netsetup doctor */
};

/* clang-format off */
static const struct neighbour neighbours[] = {
	/* name          seen4         seen6         published */
	{ "firewalld",   LAB_OUTSIDE4, LAB_CLIENT6,  NULL, false },
	{ "docker",      LAB_CLIENT4,  LAB_CLIENT6,  LAB_GATEWAY4 ":8080",
	  false },
	{ "ufw",         LAB_CLIENT4,  LAB_CLIENT6,  NULL, false },
	{ "handwritten", LAB_OUTSIDE4, LAB_OUTSIDE6, NULL, true },
};
/* clang-format on */

enum { N_NEIGHBOURS = sizeof(neighbours) / sizeof(neighbours[0]) };

static const char policy[] = "gateway {\n"
			     "    inside in0\n"
			     "    user %s\n"
			     "}\n"
			     "service web {\n"
			     "    intercept tcp port 80 via %s\n"
			     "}\n";

static struct lab *
move_in(const struct neighbour *n)
{
	static const struct lab_options options = {.forwarding = true};
	struct lab *lab = lab_up(&options);

	lab_must(lab, LAB_GATEWAY, "nft -f " FIXTURES "%s.nft", n->name);
	lab_must(lab, LAB_GATEWAY,
		 "ip rule add pref 100 fwmark 1 lookup 100;"
		 "ip rule add pref 9062 to 10.55.0.0/16 lookup main;"
		 "ip -6 rule add pref 9060 to fd55::/32 lookup 100;"
		 "ip route add default dev out0 table 100 proto static;"
		 "ip route add 10.77.0.0/16 via " LAB_SERVER4 " proto bird;"
		 "sysctl -qw net.ipv4.conf.in0.rp_filter=1"
		 " net.ipv4.conf.all.src_valid_mark=1"
		 " net.ipv4.conf.out0.accept_redirects=0");
	return lab;
}

/* All that is somebody else's, but for counters and clocks. */
static void
theirs(struct lab *lab, struct str *out)
{
	str_clear(out);
	lab_run(lab, LAB_GATEWAY, out,
		"nft -a list ruleset | awk '"
		"/^table inet interpose [{]/ { ours = 1 }"
		"!ours { print } /^}/ { ours = 0 }' | "
		"sed 's/packets [0-9]* bytes [0-9]*/counted/;"
		"s/ expires [0-9a-z]*//; s/used [0-9]* bytes/used/';"
		"{ ip rule; ip -6 rule; ip route show table all; } | "
		"grep -v 'proto 161';"
		"ip -6 route show table all | grep -v 'proto 161' | "
		"sed 's/ expires [0-9]*sec//';"
		"sysctl -a 2>/dev/null | grep '^net' | grep -v -e conntrack "
		"-e neigh -e random_");
}

/* After `command` of netsetup all of theirs is as it was. */
static void
check_theirs(struct lab *lab, const struct neighbour *n, const char *command,
	     int status, const struct str *before)
{
	struct str after = {0}, said = {0};
	int r = lab_netsetup(lab, &said, command);

	theirs(lab, &after);
	UNIT_CHECK(r == status, "%s: %s: %d: %s", n->name, command, r,
		   str_text(&said));
	UNIT_CHECK(!strcmp(str_text(&after), str_text(before)),
		   "%s: %s changed what is theirs", n->name, command);
	UNIT_STRINGS(str_text(&after), str_text(before));
	str_fini(&after);
	str_fini(&said);
}

static void
nothing_of_theirs(const struct neighbour *n)
{
	struct lab *lab = move_in(n);
	struct str before = {0}, out = {0};

	lab_policy(lab, policy, lab_user(), "redirect");
	lab_must(lab, LAB_GATEWAY,
		 "ip -6 route add local default dev lo table 78 proto static");
	theirs(lab, &before);
	UNIT_CHECK(strstr(str_text(&before), "# handle") != NULL, "%s",
		   n->name);
	check_theirs(lab, n, "plan", 2, &before);
	check_theirs(lab, n, "apply", 0, &before);
	check_theirs(lab, n, "apply", 0, &before);
	check_theirs(lab, n, "status", 0, &before);
	lab_policy(lab, "gateway {\n inside in0, eth*\n except to 10.9.0.0/16\n"
			" zone 7\n}\n"
			"service tls {\n intercept tcp port 443, 8443\n"
			" on-failure closed\n}\n"
			"service web {\n intercept tcp port 80\n}\n");
	check_theirs(lab, n, "plan", 2, &before);
	check_theirs(lab, n, "apply --force", 0, &before);
	check_theirs(lab, n, "export", 0, &before);
	/* refused half way: somebody has that route already */
	lab_policy(lab, "gateway {\n inside in0\n table 78\n}\n"
			"service web {\n intercept tcp port 80\n}\n");
	check_theirs(lab, n, "apply --force", 1, &before);
	lab_policy(lab, "nonsense\n");
	check_theirs(lab, n, "apply", 65, &before);
	check_theirs(lab, n, "remove", 0, &before);
	check_theirs(lab, n, "remove", 0, &before);
	lab_run(lab, LAB_GATEWAY, &out,
		"nft list table inet interpose; ip rule | grep 161");
	UNIT_CHECK(strstr(str_text(&out), "No such file") != NULL, "%s",
		   str_text(&out));
	str_fini(&before);
	str_fini(&out);
	lab_down(lab);
}

static void
not_one_byte(void)
{
	size_t i;

	for (i = 0; i < N_NEIGHBOURS; i++)
		nothing_of_theirs(&neighbours[i]);
}

/* --- traffic -------------------------------------------------------------- */

/* A captured connection; the server sees `seen`. */
static void
captured(struct lab *lab, const struct neighbour *n, int family,
	 const char *seen)
{
	int l = lab_serve(lab, family, 80);
	struct lab_flow f;

	lab_flow_open(lab, family, l, NULL, 80, &f);
	UNIT_CHECK(lab_flow_works(&f), "%s: a captured flow", n->name);
	UNIT_CHECK(strstr(f.seen, seen) != NULL, "%s: %s, not %s", n->name,
		   f.seen, seen);
	UNIT_CHECK(lab_sockets(lab, LAB_GATEWAY, "state established") >= 2,
		   "%s: it was not captured", n->name);
	lab_flow_close(&f);
	close(l);
}

/* One that they pass on, or route, themselves. */
static void
routed(struct lab *lab, const struct neighbour *n, const char *to)
{
	int l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":81");
	int fd = lab_connect(lab, LAB_CLIENT, NULL, to, 2000);
	int peer = lab_accept(l, 2000, NULL);

	UNIT_CHECK(fd >= 0 && peer >= 0, "%s: to %s: %d %d", n->name, to, fd,
		   peer);
	UNIT_CHECK(lab_sockets(lab, LAB_GATEWAY, "state established") == 0,
		   "%s: %s is not for us", n->name, to);
	close(fd);
	close(peer);
	close(l);
}

static void
works_beside(const struct neighbour *n, const char *via)
{
	struct lab *lab = move_in(n);
	struct str before = {0};
	pid_t proxyd;

	lab_policy(lab, policy, lab_user(), via);
	theirs(lab, &before);
	routed(lab, n, LAB_SERVER4 ":81");
	lab_apply(lab);
	routed(lab, n, LAB_SERVER4 ":81");
	if (n->published)
		routed(lab, n, n->published);
	proxyd = lab_proxyd_up(lab);
	UNIT_CHECK(LAB_WAIT(lab_armed(lab), 3000), "%s: alive", n->name);
	captured(lab, n, AF_INET, n->seen4);
	captured(lab, n, AF_INET6, n->seen6);
	lab_stop_proxyd(lab, proxyd);
	check_theirs(lab, n, "remove", 0, &before);
	routed(lab, n, LAB_SERVER4 ":81");
	str_fini(&before);
	lab_down(lab);
}

static void
traffic(void)
{
	size_t i;

	for (i = 0; i < N_NEIGHBOURS; i++)
		works_beside(&neighbours[i], "redirect");
}

static void
traffic_by_tproxy(void)
{
	size_t i;

	for (i = 0; i < N_NEIGHBOURS; i++) {
		if (!neighbours[i].whole_mark)
			works_beside(&neighbours[i], "tproxy");
	}
}

static const struct unit_test tests[] = {
	{"not_one_byte", not_one_byte},
	{"traffic", traffic},
	{"traffic_by_tproxy", traffic_by_tproxy},
};

LAB_MAIN("neighbours", tests)
