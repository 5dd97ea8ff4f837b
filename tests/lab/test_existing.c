/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_existing.c - connections that were there before capture began: they
 * go on, or both their ends are told.
 */
#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/command.h"

enum { PORT = 80, OTHER = 81 };

static const char policy[] = "gateway {\n"
			     "	inside in0\n"
			     "	outside out0\n"
			     "	user %s\n"
			     "}\n"
			     "service web {\n"
			     "	intercept tcp port 80\n"
			     "	except from 10.1.0.9\n"
			     "}\n";

/* What everybody has: a firewall that tracks what it forwards. */
static const char firewall[] = "table inet firewall {\n"
			       "	chain forward {\n"
			       "		type filter hook forward "
			       "priority 0; policy drop;\n"
			       "		ct state established,related "
			       "accept\n"
			       "		iifname in0 accept\n"
			       "	}\n"
			       "}\n";

static struct lab *
begin(bool masquerade)
{
	const struct lab_options options = {
		.forwarding = true,
		.masquerade = masquerade,
	};
	struct lab *lab = lab_up(&options);

	lab_nft(lab, LAB_GATEWAY, firewall);
	lab_policy(lab, policy, lab_user());
	return lab;
}

/* It works, and nobody stands between. */
static void
works(struct lab_flow *f, const char *what)
{
	UNIT_CHECK(lab_flow_works(f), "%s works", what);
}

static void
kept(void)
{
	struct lab *lab = begin(false);
	struct lab_flow f[2];
	int i, l[2];

	for (i = 0; i < 2; i++) {
		l[i] = lab_serve(lab, lab_families[i], PORT);
		lab_flow_open(lab, lab_families[i], l[i], NULL, PORT, &f[i]);
	}
	command_check(lab, "apply --existing keep", 0, NULL);
	lab_proxyd_up(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
	for (i = 0; i < 2; i++) {
		works(&f[i], "the old one");
		lab_flow_close(&f[i]);
		close(l[i]);
	}
	lab_down(lab);
}

/* Told by a reset, at once when it says something. */
static void
told(int fd, const char *who)
{
	char c;
	ssize_t n;

	send(fd, "?", 1, MSG_NOSIGNAL);
	n = lab_recv(fd, &c, 1, 1000);
	UNIT_CHECK(n == -ECONNRESET, "%s: %zd", who, n);
}

/* Connections that were redirected, by the counters. */
static size_t
captured(struct lab *lab)
{
	struct str out = {0};
	const char *at;
	size_t n;

	lab_run(lab, LAB_GATEWAY, &out,
		"nft list chain inet interpose "
		"service_web");
	at = strstr(str_text(&out), "counter packets ");
	n = at ? strtoul(at + strlen("counter packets "), NULL, 10) : 0;
	str_fini(&out);
	return n;
}

/*
 * A connection from before of each family, on a box that tracks nothing; then
 * the rules are there, and proxyd.
 */
static struct lab *
begin_untracked(struct lab_flow old[2], int l[2])
{
	static const struct lab_options forwards = {.forwarding = true};
	struct lab *lab = lab_up(&forwards);
	int i;

	lab_policy(lab, policy, lab_user());
	for (i = 0; i < 2; i++) {
		l[i] = lab_serve(lab, lab_families[i], PORT);
		lab_flow_open(lab, lab_families[i], l[i], NULL, PORT, &old[i]);
		works(&old[i], "before");
	}
	UNIT_CHECK(lab_run(lab, LAB_GATEWAY, NULL,
			   "conntrack -L | grep dport=80") == 1,
		   "nothing is tracked");
	lab_apply(lab);
	lab_proxyd_up(lab);
	CU_ASSERT_FATAL(LAB_WAIT(lab_armed(lab), 3000));
	return lab;
}

static void
close_both(struct lab_flow f[2], const int *l)
{
	int i;

	for (i = 0; i < 2; i++) {
		lab_flow_close(&f[i]);
		if (l)
			close(l[i]);
	}
}

static void
open_proxied(struct lab *lab, const int l[2], struct lab_flow ret_new[2])
{
	size_t before = captured(lab);
	int i;

	for (i = 0; i < 2; i++)
		lab_flow_open(lab, lab_families[i], l[i], NULL, PORT,
			      &ret_new[i]);
	UNIT_CHECK(captured(lab) == before + 2, "the new ones are proxied");
}

/* Whoever speaks first; and for longer than packets need to settle. */
static void
nothing_is_tracked(void)
{
	struct lab_flow old[2], new[2];
	struct lab *lab;
	int i, l[2];

	lab = begin_untracked(old, l);
	lab_send(old[0].client, "client first");
	CU_ASSERT(lab_expect(old[0].server, "first", 1000));
	lab_send(old[1].server, "server first");
	CU_ASSERT(lab_expect(old[1].client, "first", 1000));
	open_proxied(lab, l, new);
	lab_must(lab, LAB_GATEWAY, "nft flush set inet interpose settling");
	command_silent(lab, "plan");
	for (i = 0; i < 2; i++) {
		works(&old[i], "the old one, settled");
		works(&new[i], "the new one");
	}
	close_both(new, NULL);
	close_both(old, l);
	lab_down(lab);
}

/* The time runs once: from when the table is made, not from each apply. */
static void
settles_once(void)
{
	struct lab_flow old[2];
	struct str out = {0};
	struct lab *lab;
	int i, l[2];

	lab = begin_untracked(old, l);
	lab_run(lab, LAB_GATEWAY, &out, "nft list set inet interpose settling");
	UNIT_CHECK(
		strstr(str_text(&out), "ipv4 timeout 2h expires 1h59m") &&
			strstr(str_text(&out), "ipv6 timeout 2h expires 1h59m"),
		"%s", str_text(&out));
	lab_must(lab, LAB_GATEWAY, "nft flush set inet interpose settling");
	/* known to nobody, and in the middle: cut, as what conntrack forgot */
	for (i = 0; i < 2; i++)
		told(old[i].client, "too late");
	lab_policy(lab,
		   "gateway {\n inside in0\n user %s\n}\n"
		   "service web {\n intercept tcp port 80, 443\n}\n",
		   lab_user());
	lab_apply(lab);
	str_clear(&out);
	lab_run(lab, LAB_GATEWAY, &out, "nft list set inet interpose settling");
	UNIT_CHECK(!strstr(str_text(&out), "ipv"), "%s", str_text(&out));
	close_both(old, l);
	str_fini(&out);
	lab_down(lab);
}

/* What is proxied keeps its entries; what began in between is let be. */
static void
flushed_and_back(void)
{
	struct lab_flow old[2], new[2], between[2];
	struct lab *lab;
	int i, l[2];

	lab = begin_untracked(old, l);
	for (i = 0; i < 2; i++)
		works(&old[i], "the old one");
	/* silent: what proxyd's side sends without NAT is refused */
	open_proxied(lab, l, new);
	lab_must(lab, LAB_GATEWAY, "nft flush ruleset");
	for (i = 0; i < 2; i++)
		lab_flow_open(lab, lab_families[i], l[i], NULL, PORT,
			      &between[i]);
	lab_apply(lab);
	for (i = 0; i < 2; i++) {
		works(&old[i], "the old one, back");
		works(&new[i], "the new one, back");
		works(&between[i], "the one in between");
	}
	close_both(between, NULL);
	close_both(new, NULL);
	close_both(old, l);
	lab_down(lab);
}

/* Whoever speaks first: both are told, and nothing comes through. */
static void
reset_one(struct lab *lab, int family, bool client_first)
{
	int l = lab_serve(lab, family, PORT);
	struct lab_flow f;

	lab_flow_open(lab, family, l, NULL, PORT, &f);
	works(&f, "before");
	command_silent(lab, "apply --existing reset");
	told(client_first ? f.client : f.server, "the first");
	told(client_first ? f.server : f.client, "the second");
	lab_flow_close(&f);
	close(l);
}

/* What nothing tracked is known once it has said something. */
static void
reset_when_known(void)
{
	struct lab_flow old[2];
	struct lab *lab;
	int i, l[2];

	lab = begin_untracked(old, l);
	command_silent(lab, "apply --existing reset");
	for (i = 0; i < 2; i++)
		works(&old[i], "known to nobody");
	command_silent(lab, "apply --existing reset");
	for (i = 0; i < 2; i++) {
		told(i ? old[i].client : old[i].server, "the first");
		told(i ? old[i].server : old[i].client, "the second");
	}
	close_both(old, l);
	lab_down(lab);
}

static void
reset_with(bool masquerade)
{
	struct lab *lab = begin(masquerade);
	int i;

	lab_apply(lab);
	for (i = 0; i < 2; i++) {
		reset_one(lab, lab_families[i], true);
		reset_one(lab, lab_families[i], false);
	}
	lab_down(lab);
}

static void
both_ends_are_reset(void)
{
	reset_with(false);
	reset_with(true);
}

/* Other ports, clients that are excepted, and the session of who types it. */
static void
others_are_spared(void)
{
	struct lab *lab = begin(false);
	int l80 = lab_serve(lab, AF_INET, PORT);
	int l81 = lab_serve(lab, AF_INET, OTHER);
	struct lab_flow port, client, own, taken;
	char command[256];

	lab_must(lab, LAB_CLIENT, "ip addr add 10.1.0.9/24 dev eth0");
	lab_flow_open(lab, AF_INET, l81, NULL, OTHER, &port);
	lab_flow_open(lab, AF_INET, l80, "10.1.0.9", PORT, &client);
	lab_flow_open(lab, AF_INET, l80, "10.1.0.2:40022", PORT, &own);
	lab_flow_open(lab, AF_INET, l80, NULL, PORT, &taken);
	snprintf(command, sizeof(command),
		 "SSH_CONNECTION='10.1.0.2 40022 10.2.0.2 80' netsetup apply "
		 "--force --existing reset -f " LAB_DIR "/policy.conf");
	lab_must(lab, LAB_GATEWAY, "%s", command);
	works(&port, "another port");
	works(&client, "an excepted client");
	works(&own, "the session");
	told(taken.client, "the one that is captured");
	lab_flow_close(&port);
	lab_flow_close(&client);
	lab_flow_close(&own);
	lab_flow_close(&taken);
	close(l80);
	close(l81);
	lab_down(lab);
}

/* What is proxied goes on, and so do marks of others. */
static void
proxied_go_on(void)
{
	struct lab *lab = begin(false);
	int l = lab_serve(lab, AF_INET, PORT);
	struct lab_flow f, marked;
	struct str out = {0};

	lab_must(lab, LAB_CLIENT, "ip addr add 10.1.0.9/24 dev eth0");
	lab_apply(lab);
	lab_proxyd_up(lab);
	CU_ASSERT_FATAL(LAB_WAIT(lab_armed(lab), 3000));
	lab_flow_open(lab, AF_INET, l, NULL, PORT, &f);
	command_silent(lab, "apply --existing reset");
	works(&f, "the proxied one");
	lab_run(lab, LAB_GATEWAY, &out, "conntrack -L -m 0x3000/0x3000");
	UNIT_CHECK(!strstr(str_text(&out), "mark="), "%s", str_text(&out));
	str_clear(&out);
	lab_flow_close(&f);

	lab_flow_open(lab, AF_INET, l, "10.1.0.9:40001", PORT, &marked);
	lab_must(lab, LAB_GATEWAY,
		 "conntrack -U -s 10.1.0.9 -p tcp --sport 40001 --mark 0x81");
	lab_policy(lab,
		   "gateway {\n inside in0\n user %s\n}\n"
		   "service web {\n intercept tcp port 80\n}\n",
		   lab_user());
	command_check(lab, "apply --existing reset", 0, "proxyctl reload");
	lab_run(lab, LAB_GATEWAY, &out, "conntrack -L -p tcp --sport 40001");
	UNIT_CHECK(strstr(str_text(&out), "mark=12417 ") != NULL, "%s",
		   str_text(&out)); /* 0x3081 */
	told(marked.client, "the one that is captured now");
	lab_flow_close(&marked);
	close(l);
	str_fini(&out);
	lab_down(lab);
}

/* An entry of UDP is forgotten: the next datagram is a first one. */
static void
udp_is_forgotten(void)
{
	struct lab *lab = begin(false);
	int fd = lab_socket(lab, LAB_CLIENT, AF_INET, SOCK_DGRAM), k;
	struct sockaddr_in to = {.sin_family = AF_INET};
	const unsigned int ports[] = {53, 54};
	struct str out = {0};

	inet_pton(AF_INET, LAB_SERVER4, &to.sin_addr);
	for (k = 0; k < 2; k++) {
		to.sin_port = htons((uint16_t)ports[k]);
		sendto(fd, "?", 1, 0, (struct sockaddr *)&to, sizeof(to));
	}
	CU_ASSERT(LAB_WAIT(lab_run(lab, LAB_GATEWAY, NULL,
				   "conntrack -L -p udp --dport 53 | "
				   "grep dport") == 0,
			   1000));
	lab_policy(lab, "gateway {\n inside in0\n}\n"
			"service dns {\n intercept udp port 53\n}\n");
	command_check(lab, "apply --existing reset", 0, NULL);
	lab_run(lab, LAB_GATEWAY, &out, "conntrack -L -p udp");
	UNIT_CHECK(!strstr(str_text(&out), "dport=53 ") &&
			   strstr(str_text(&out), "dport=54 "),
		   "%s", str_text(&out));
	close(fd);
	str_fini(&out);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"kept", kept},
	{"nothing_is_tracked", nothing_is_tracked},
	{"settles_once", settles_once},
	{"flushed_and_back", flushed_and_back},
	{"reset_when_known", reset_when_known},
	{"both_ends_are_reset", both_ends_are_reset},
	{"others_are_spared", others_are_spared},
	{"proxied_go_on", proxied_go_on},
	{"udp_is_forgotten", udp_is_forgotten},
};

LAB_MAIN("existing", tests)
