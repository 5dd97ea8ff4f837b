/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_health.c - what doctor says of policies: before they are applied, when
 * nobody is alive, when the box is not one for them.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/sick.h"

/* Doctor finds `name`, saying that. */
static void
expect(struct lab *lab, const char *command, const char *name, const char *says)
{
	struct str out = {0}, line = {0}, mend = {0};

	sick_examine(lab, command, &out);
	UNIT_CHECK(sick_look_for(str_text(&out), name, &line, &mend) &&
			   strstr(str_text(&line), says),
		   "%s: %s", name, str_text(&out));
	str_fini(&mend);
	str_fini(&line);
	str_fini(&out);
}

/* Before it is applied, without a policy, and when the file has changed. */
static void
of_policies(void)
{
	struct lab *lab = lab_up(NULL);
	struct str out = {0};

	sick_own_etc(lab);
	sick_examine(lab, "netsetup doctor", &out);
	UNIT_STRINGS(str_text(&out), "");
	lab_policy(lab, sick_usual, lab_user());
	expect(lab, SICK_DOCTOR, "not-applied", SICK_POLICY " is not applied");
	expect(lab, SICK_DOCTOR, "forwarding", "in0 does not forward IPv4");
	lab_apply(lab);
	expect(lab, "netsetup doctor", "not-alive",
	       "no proxyd keeps service 'web' alive: its connections are "
	       "passed by");
	/* of whatever protocol */
	lab_policy(lab, "gateway {\n\tinside in0\n}\n"
			"service dns {\n\tintercept udp port 53\n}\n");
	lab_apply(lab);
	expect(lab, "netsetup doctor", "not-alive",
	       "no proxyd keeps service 'dns' alive");
	lab_policy(lab,
		   "gateway {\n\tinside in0, in7\n\tmax-flows 200000\n}\n"
		   "service web {\n\tintercept tcp port 81 from 10.9.0.0/16"
		   "\n}\n");
	expect(lab, "netsetup doctor", "edited",
	       SICK_POLICY " is not what was");
	expect(lab, SICK_DOCTOR, "no-interface", "there is no interface in7");
	expect(lab, SICK_DOCTOR, "no-route", "no route to 10.9.0.0");
	expect(lab, SICK_DOCTOR, "conntrack-room", "max-flows is 200000");
	lab_must(lab, LAB_GATEWAY, "ip -4 addr flush dev in0");
	expect(lab, SICK_DOCTOR, "no-ipv4-address", "in0 has no IPv4 address");
	str_clear(&out);
	CU_ASSERT_EQUAL(lab_run(lab, LAB_GATEWAY, &out, SICK_DOCTOR " --json"),
			2);
	CU_ASSERT(strstr(str_text(&out),
			 "\"name\": \"no-interface\",\n"
			 "      \"severity\": \"warning\",\n") != NULL);
	CU_ASSERT(strstr(str_text(&out), "\"errors\": 2,") != NULL);
	CU_ASSERT_EQUAL(lab_run(lab, LAB_GATEWAY, NULL,
				"setpriv --bounding-set=-net_admin "
				"--inh-caps=-net_admin " SICK_DOCTOR),
			77);
	str_fini(&out);
	sick_give_back_etc(lab);
	lab_down(lab);
}

/* A node where clients are, and clients that are routed elsewhere. */
static void
of_subnets(void)
{
	struct lab *lab = lab_up(NULL);

	sick_own_etc(lab);
	lab_policy(lab, "gateway {\n\tinside in0\n\tfamily ipv4\n}\n"
			"pool app {\n\tnode 10.1.0.77\n\tsource client\n}\n"
			"service web {\n\tintercept tcp port 80 from "
			"10.2.0.0/24\n\tuse app\n}\n");
	expect(lab, SICK_DOCTOR, "same-subnet",
	       "node 10.1.0.77 is in the subnet of clients on in0");
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv4/conf/all/rp_filter", "1");
	expect(lab, SICK_DOCTOR, "rp-filter",
	       "in0 has strict rp_filter and drops packets from 10.2.0.0/24, "
	       "which the main table routes by out0");
	lab_must(lab, LAB_GATEWAY,
		 "ip -6 route add default via fe80::1 dev out0 proto ra");
	lab_policy(lab, sick_usual, lab_user());
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv6/conf/out0/accept_ra", "1");
	expect(lab, SICK_DOCTOR, "router-advertisements",
	       "would end the default route on out0");
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv6/conf/out0/accept_ra", "2");
	lab_policy(lab, "gateway {\n\tinside in0\n\tupstream-tracking off\n}\n"
			"service web {\n\tintercept tcp port 80\n}\n");
	lab_nft(lab, LAB_GATEWAY,
		"table ip n {\nchain p { type nat hook postrouting priority "
		"srcnat; oifname out0 masquerade; }\n}\n");
	expect(lab, SICK_DOCTOR, "nat-untracked",
	       "chain ip n p translates sources");
	sick_give_back_etc(lab);
	lab_down(lab);
}

/* The port of `web` in the sick_usual policy. */
static unsigned int
capture_port(struct lab *lab)
{
	struct str out = {0};
	unsigned int port = 0;
	const char *at;

	lab_run(lab, LAB_GATEWAY, &out, "nft list sets");
	at = strstr(str_text(&out), "alive_web_");
	if (!at || sscanf(at, "alive_web_%u", &port) != 1)
		lab_die("no alive set");
	str_fini(&out);
	return port;
}

/* Somebody else has the port; a proxyd of another policy has it. */
static void
of_ports(void)
{
	struct lab *lab = lab_up(NULL);
	char at[64];
	int l;

	sick_own_etc(lab);
	lab_policy(lab, "gateway {\n\tinside in0\n\tuser nobody\n}\n"
			"service web {\n\tintercept tcp port 80\n}\n");
	lab_apply(lab);
	snprintf(at, sizeof(at), "0.0.0.0:%u", capture_port(lab));
	l = lab_listen(lab, LAB_GATEWAY, at);
	expect(lab, SICK_DOCTOR, "port-taken",
	       "the capture port of service 'web'");
	lab_policy(lab, "gateway {\n\tinside in0\n\tuser root\n}\n"
			"service web {\n\tintercept tcp port 80\n}\n");
	lab_apply(lab);
	expect(lab, SICK_DOCTOR, "other-policy", "it runs another policy");
	CU_ASSERT(l >= 0);
	sick_give_back_etc(lab);
	lab_down(lab);
}

/* --- tproxy --------------------------------------------------------------- */

/* What is delivered without having been translated must be let in, too. */
static void
of_tproxy(void)
{
	static const struct sick sick = {
		"input-drop",
		"nft -f - <<'END'\ntable inet fw {\nchain in {\n"
		"type filter hook input priority 0; policy drop;\n"
		"ct state established,related accept\niifname lo accept\n"
		"ct status dnat accept\n}\n}\nEND\n",
		"chain inet fw in drops what is delivered to service 'web'",
		"nft insert rule inet fw in meta mark and 0x3000 == 0x1000 "
		"accept",
		"nft delete table inet fw"};
	struct lab *lab = lab_up(NULL);
	struct lab_flow f;
	pid_t proxyd;
	int l;

	sick_own_etc(lab);
	lab_policy(lab,
		   "gateway {\n\tinside in0\n\tuser %s\n}\n"
		   "service web {\n\tintercept tcp port 80 via tproxy\n}\n",
		   lab_user());
	lab_apply(lab);
	proxyd = lab_proxyd_up(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
	sick_healthy(lab);
	sick_check(lab, &sick);
	lab_must(lab, LAB_GATEWAY, "%s%s", sick.make, sick.mend);
	l = lab_serve(lab, AF_INET, 80);
	lab_flow_open(lab, AF_INET, l, NULL, 80, &f);
	CU_ASSERT(lab_flow_works(&f));
	lab_flow_close(&f);
	close(l);
	sick_end(lab, proxyd);
}

static const struct unit_test tests[] = {
	{"of_policies", of_policies},
	{"of_subnets", of_subnets},
	{"of_ports", of_ports},
	{"of_tproxy", of_tproxy},
};

LAB_MAIN("health", tests)
