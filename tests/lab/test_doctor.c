/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_doctor.c - each condition that can be made here is made, found with
 * the command that mends it, and gone when that was typed. A healthy box has
 * nothing to be told of.
 *
 * The box has an /etc of its own, with nothing in it.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "tests/lab/lab.h"

/* What is true of the lab's usual box. */
#define POLICY LAB_DIR "/policy.conf"
#define DOCTOR "netsetup doctor -f " POLICY

static const char usual[] = "gateway {\n\tinside in0\n\tuser %s\n}\n"
			    "service web {\n\tintercept tcp port 80\n}\n";

/* A condition, and what is to be found of it. */
struct sick {
	const char *name;
	const char *make; /* run in the gateway */
	const char *says; /* part of the finding */
	const char *mend; /* the whole of it */
	/* run after that; NULL: mend was typed, or stands in the policy */
	const char *undo;
};

/* An /etc with what programs cannot do without. */
static void
own_etc(struct lab *lab)
{
	lab_must(lab, LAB_GATEWAY,
		 "mkdir " LAB_DIR "/etc " LAB_DIR "/bin && cd /etc && "
		 "cp -a passwd group protocols alternatives " LAB_DIR "/etc && "
		 "echo '#!/bin/sh' >" LAB_DIR "/bin/systemctl && "
		 "chmod 755 " LAB_DIR "/bin/systemctl && "
		 "mount --bind " LAB_DIR "/etc /etc");
}

static void
give_back_etc(struct lab *lab)
{
	lab_must(lab, LAB_GATEWAY, "umount /etc");
}

/* The line of a finding, and the one below it; false if there is none. */
static bool
look_for(const char *text, const char *name, struct str *line, struct str *mend)
{
	const char *end, *next;
	char tag[64];

	snprintf(tag, sizeof(tag), " [%s]\n    ", name);
	end = strstr(text, tag);
	if (!end)
		return false;
	next = end + strlen(tag);
	str_add_bytes(mend, next, strcspn(next, "\n"));
	for (next = end; next > text && next[-1] != '\n'; next--)
		continue;
	str_add_bytes(line, next, (size_t)(end - next));
	return true;
}

/* What doctor says; 0 exactly if it says nothing. */
static void
examine(struct lab *lab, const char *command, struct str *out)
{
	int r = lab_run(lab, LAB_GATEWAY, out, "%s", command);

	UNIT_CHECK(r == (out->len ? 2 : 0), "%s: %d: %s", command, r,
		   str_text(out));
}

static void
healthy(struct lab *lab)
{
	struct str out = {0};

	examine(lab, DOCTOR, &out);
	UNIT_STRINGS(str_text(&out), "");
	str_fini(&out);
}

/* The policy with a statement more: is the finding gone? */
static void
try_statement(struct lab *lab, const struct sick *s, const char *mend)
{
	struct str out = {0}, line = {0}, other = {0}, policy = {0};
	const char *rest;

	lab_read_file(POLICY, &policy);
	rest = strchr(str_text(&policy), '{') + 1;
	str_addf(&out, "%.*s\n%.*s\n%s", (int)(rest - str_text(&policy)),
		 str_text(&policy), (int)(strlen(mend) - strlen("gateway { }")),
		 mend + strlen("gateway { "), rest);
	lab_write_file(LAB_DIR "/mended.conf", str_text(&out));
	str_clear(&out);
	examine(lab, "netsetup doctor -f " LAB_DIR "/mended.conf", &out);
	UNIT_CHECK(!look_for(str_text(&out), s->name, &line, &other),
		   "%s: not mended by %s: %s", s->name, mend, str_text(&out));
	str_fini(&policy);
	str_fini(&other);
	str_fini(&line);
	str_fini(&out);
}

static void
type_mend(struct lab *lab, const struct sick *s, const char *mend)
{
	struct str out = {0}, line = {0}, other = {0};
	int r;

	r = lab_run(lab, LAB_GATEWAY, &out, "PATH=" LAB_DIR "/bin:$PATH; %s",
		    mend);
	UNIT_CHECK(r == 0, "%s: %d: %s", mend, r, str_text(&out));
	str_clear(&out);
	examine(lab, DOCTOR, &out);
	UNIT_CHECK(!look_for(str_text(&out), s->name, &line, &other),
		   "%s: not mended by %s: %s", s->name, mend, str_text(&out));
	str_fini(&other);
	str_fini(&line);
	str_fini(&out);
}

/* Make it, find it, mend it; then the box is healthy again. */
static void
check_sick(struct lab *lab, const struct sick *s)
{
	struct str out = {0}, line = {0}, mend = {0};

	lab_must(lab, LAB_GATEWAY, "%s", s->make);
	examine(lab, DOCTOR, &out);
	UNIT_CHECK(look_for(str_text(&out), s->name, &line, &mend),
		   "%s: not found: %s", s->name, str_text(&out));
	UNIT_CHECK(strstr(str_text(&line), s->says) != NULL, "%s says: %s",
		   s->name, str_text(&line));
	UNIT_CHECK(!strncmp(str_text(&mend), s->mend, strlen(s->mend)),
		   "%s is mended by %s", s->name, str_text(&mend));
	if (!strncmp(str_text(&mend), "gateway {", 9))
		try_statement(lab, s, str_text(&mend));
	else if (!s->undo || strncmp(s->undo, "instead ", 8) != 0)
		type_mend(lab, s, str_text(&mend));
	if (s->undo)
		lab_must(lab, LAB_GATEWAY, "%s",
			 s->undo + (strncmp(s->undo, "instead ", 8) ? 0 : 8));
	healthy(lab);
	str_fini(&mend);
	str_fini(&line);
	str_fini(&out);
}

static void
check_all(struct lab *lab, const struct sick *list, size_t n)
{
	size_t i;

	healthy(lab);
	for (i = 0; i < n; i++)
		check_sick(lab, &list[i]);
}

#define CHECK_ALL(lab, list)                                                   \
	check_all(lab, list, sizeof(list) / sizeof((list)[0]))

/* --- the box -------------------------------------------------------------- */

#define CONF "net.ipv4.conf."
#define NF "net.netfilter.nf_conntrack_"

static const struct sick settings[] = {
	{"forwarding", "sysctl -w " CONF "in0.forwarding=0",
	 "in0 does not forward IPv4", "sysctl -w " CONF "in0.forwarding=1",
	 NULL},
	{"forwarding", "sysctl -w net.ipv6.conf.all.forwarding=0",
	 "this box does not forward IPv6", "netsetup apply -f " POLICY, NULL},
	{"tcp-loose", "sysctl -w " NF "tcp_loose=0", "tcp_loose is 0",
	 "sysctl -w " NF "tcp_loose=1", NULL},
	{"conntrack-timeout", "sysctl -w " NF "tcp_timeout_established=600",
	 "after 600 s, but service 'web' keeps them for 3600 s",
	 "sysctl -w " NF "tcp_timeout_established=3600", NULL},
	{"ephemeral-ports",
	 "sysctl -w net.ipv4.ip_local_port_range='1024 60999'",
	 "of service 'web'",
	 "sysctl -w net.ipv4.ip_local_reserved_ports=16000-23999", NULL},
	{"src-valid-mark",
	 "sysctl -w " CONF "out0.src_valid_mark=1; ip rule del pref 9060",
	 "set on out0", "netsetup apply -f " POLICY, NULL},
	{"return-path", "ip rule del pref 9061",
	 "(ip-rule ipv4 9061: fwmark 0x1000/0x3000 lookup 9061 is missing)",
	 "netsetup apply -f " POLICY, NULL},
	{"return-path", "ip -6 route flush table 9061",
	 "(route ipv6 local default dev lo table 9061 is missing)",
	 "netsetup apply -f " POLICY, NULL},
	{"drift", "nft flush chain inet interpose guard_in",
	 "somebody changed what was applied", "netsetup apply -f " POLICY,
	 NULL},
};

/* A box where all is well: applied, and proxyd is alive. */
static struct lab *
begin(pid_t *ret_proxyd)
{
	struct lab *lab = lab_up(NULL);

	own_etc(lab);
	lab_policy(lab, usual, lab_user());
	lab_apply(lab);
	*ret_proxyd = lab_proxyd_up(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
	return lab;
}

static void
end(struct lab *lab, pid_t proxyd)
{
	lab_stop_proxyd(lab, proxyd);
	give_back_etc(lab);
	lab_down(lab);
}

static void
of_settings(void)
{
	pid_t proxyd;
	struct lab *lab = begin(&proxyd);

	CHECK_ALL(lab, settings);
	end(lab, proxyd);
}

static const struct sick network[] = {
	{"interface-down", "ip link set in0 down", "interface in0 is down",
	 "ip link set dev in0 up",
	 "ip addr replace " LAB_GATEWAY6 "/64 dev in0"},
	{"mtu",
	 "ip route add default via " LAB_SERVER4 "; "
	 "ip link set dev in0 mtu 9000",
	 "in0 has MTU 9000 and out0 1500", "ip link set dev in0 mtu 1500",
	 "ip route del default"},
	{"shared-subnet", "ip addr add 10.1.0.9/25 dev out0",
	 "in0 and out0 are both in 10.1.0.0/24",
	 "pool original { node original; source gateway }",
	 "instead ip addr del 10.1.0.9/25 dev out0"},
	{"send-redirects", "ip route add default via " LAB_CLIENT4,
	 "clients on in0 are told by ICMP redirects",
	 "sysctl -w " CONF "all.send_redirects=0 " CONF "in0.send_redirects=0",
	 "ip route del default"},
	{"rp-filter",
	 "ip link add wan2 type veth peer name wan2x; "
	 "ip addr add 10.8.0.1/24 dev wan2; "
	 "ip link set wan2x up; ip link set wan2 up; "
	 "ip route add default via " LAB_SERVER4 "; "
	 "ip route add default via 10.8.0.2 table 88; "
	 "ip rule add from 10.8.0.1 lookup 88 pref 20000; "
	 "sysctl -w " CONF "wan2.rp_filter=1",
	 "wan2 has strict rp_filter and drops packets from servers beyond, "
	 "which the main table routes by out0",
	 "sysctl -w " CONF "wan2.rp_filter=2",
	 "ip route del default; ip rule del pref 20000; ip link del wan2"},
	{"early-rule",
	 "ip route add default via " LAB_SERVER4 " table 52; "
	 "ip rule add lookup 52 pref 5270",
	 "ip rule 5270 comes before ours and takes every packet to table 52",
	 "gateway { priority 5", "ip rule del pref 5270"},
	{"priority-used", "ip rule add to 192.0.2.0/24 lookup main pref 9062",
	 "ip rule 9062 is somebody else's", "gateway { priority 906",
	 "ip rule del to 192.0.2.0/24 pref 9062"},
	{"table-used",
	 "ip route add 192.0.2.0/24 via " LAB_SERVER4 " table 9061",
	 "routing table 9061 has a route of somebody else, to 192.0.2.0/24",
	 "gateway { table 9062 }", "ip route del 192.0.2.0/24 table 9061"},
	{"mark-bits", "ip rule add fwmark 0x2000/0x2000 lookup 77 pref 30000",
	 "ip rule 30000 uses bits 0x2000 of packet marks",
	 "gateway { mark 0x10000000 0x20000000 mask 0x30000000 }",
	 "ip rule del pref 30000"},
};

static void
of_networks(void)
{
	pid_t proxyd;
	struct lab *lab = begin(&proxyd);

	CHECK_ALL(lab, network);
	end(lab, proxyd);
}

/* --- other tables --------------------------------------------------------- */

#define NFT(text) "nft -f - <<'END'\n" text "END\n"
#define UNDO(table) "nft delete table " table

static const struct sick rules[] = {
	{"input-drop",
	 NFT("table inet fw {\nchain in {\n"
	     "type filter hook input priority 0; policy drop;\n"
	     "ct state established,related accept\niifname lo accept\n"
	     "tcp dport 22 accept\n}\n}\n"),
	 "chain inet fw in drops what is redirected to service 'web'",
	 "nft insert rule inet fw in ct status dnat accept", UNDO("inet fw")},
	{"input-drop",
	 NFT("table ip6 fw {\nchain in {\n"
	     "type filter hook input priority 0;\n"
	     "iifname != in0 accept\njump rest\n}\nchain rest {\n"
	     "tcp dport != 22 reject\n}\n}\n"),
	 "chain ip6 fw in drops",
	 "nft insert rule ip6 fw in ct status dnat accept", UNDO("ip6 fw")},
	{"input-drop",
	 "iptables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT",
	 "chain ip filter INPUT drops",
	 "iptables -I INPUT -m conntrack --ctstate DNAT -j ACCEPT",
	 "nft flush table ip filter; nft delete table ip filter"},
	{"input-unsure",
	 NFT("table inet fw {\nset ok { type inet_service; "
	     "elements = { 22 }\n}\nchain in {\n"
	     "type filter hook input priority 0; policy drop;\n"
	     "tcp dport @ok accept\n}\n}\n"),
	 "chain inet fw in may drop",
	 "nft insert rule inet fw in ct status dnat accept", UNDO("inet fw")},
	{"forward-filter",
	 NFT("table inet fw {\nchain past {\n"
	     "type filter hook forward priority 0; policy drop;\n"
	     "ct state established accept\ntcp dport 443 accept\n}\n}\n"),
	 "chain inet fw past would drop what service 'web' captures on in0",
	 "gateway { except port 80 }", UNDO("inet fw")},
	{"client-zone",
	 NFT("table ip x {\nchain pre {\n"
	     "type filter hook prerouting priority raw;\n"
	     "iifname in0 ct zone set 5\n}\n}\n"),
	 "chain ip x pre puts clients' connections into conntrack zone 5",
	 "nft delete rule ip x pre handle ", UNDO("ip x")},
	{"untracked",
	 NFT("table inet x {\nchain pre {\n"
	     "type filter hook prerouting priority raw;\n"
	     "tcp dport { 80, 443 } notrack\n}\n}\n"),
	 "chain inet x pre keeps connections from being tracked",
	 "nft delete rule inet x pre handle ", UNDO("inet x")},
	{"zone-used",
	 NFT("table inet x {\nchain out {\n"
	     "type filter hook output priority raw;\n"
	     "oifname wan7 ct zone set 9062\n}\n}\n"),
	 "chain inet x out uses conntrack zone 9062", "gateway { zone 906",
	 UNDO("inet x")},
	{"mark-bits",
	 NFT("table inet x {\nchain pre {\n"
	     "type filter hook prerouting priority mangle;\n"
	     "meta mark set meta mark | 0x1001\n}\n}\n"),
	 "chain inet x pre uses bits 0x1000 of packet marks",
	 "gateway { mark 0x10000000 0x20000000 mask 0x30000000 }",
	 UNDO("inet x")},
	{"mark-bits",
	 "iptables -t mangle -A OUTPUT -j MARK --set-mark 7/0xf00f",
	 "chain ip mangle OUTPUT uses bits 0x3000 of packet marks",
	 "gateway { mark 0x10000000 0x20000000 mask 0x30000000 }",
	 "nft delete table ip mangle"},
	{"whole-mark",
	 NFT("table inet x {\nchain post {\n"
	     "type filter hook postrouting priority 0;\n"
	     "ct mark set meta mark\n}\n}\n"),
	 "chain inet x post overwrites the whole mark of connections",
	 "nft -a list chain inet x post", "instead " UNDO("inet x")},
	{"firewalld",
	 NFT("table inet firewalld {\nchain filter_INPUT {\n"
	     "type filter hook input priority 10;\n"
	     "ct state established,related accept\nct status dnat accept\n"
	     "iifname lo accept\nreject with icmpx admin-prohibited\n}\n}\n"),
	 "firewalld is here", "firewall-cmd --list-all-policies",
	 "instead " UNDO("inet firewalld")},
	{"docker",
	 NFT("table ip filter {\nchain DOCKER-USER {\nreturn\n}\n"
	     "chain FORWARD {\ntype filter hook forward priority 0;\n"
	     "policy drop;\njump DOCKER-USER\n}\n}\n"),
	 "docker is here", "iptables -I DOCKER-USER -i in0 -j ACCEPT",
	 "instead " UNDO("ip filter")},
	{"ufw",
	 NFT("table ip filter {\nchain ufw-before-input {\n"
	     "iifname lo accept\n}\n}\n"),
	 "ufw is here", "ufw status verbose", "instead " UNDO("ip filter")},
	{"podman",
	 NFT("table inet netavark {\nchain POSTROUTING {\n"
	     "type nat hook postrouting priority 100;\n}\n}\n"),
	 "podman is here", "nft list table inet netavark",
	 "instead " UNDO("inet netavark")},
};

static void
of_rules(void)
{
	pid_t proxyd;
	struct lab *lab = begin(&proxyd);

	CHECK_ALL(lab, rules);
	end(lab, proxyd);
}

/* --- files ---------------------------------------------------------------- */

#define WANTS "/etc/systemd/system/multi-user.target.wants"
#define OURS "/etc/systemd/system/interpose-rules.service"

static const struct sick files[] = {
	{"networkd",
	 "mkdir -p " WANTS "; echo >" WANTS "/systemd-networkd.service",
	 "systemd-networkd deletes ip rules and routes",
	 "mkdir -p /etc/systemd/networkd.conf.d && printf '[Network]\\n"
	 "ManageForeignRoutingPolicyRules=no\\nManageForeignRoutes=no\\n' "
	 ">/etc/systemd/networkd.conf.d/interpose.conf",
	 "rm -r /etc/systemd"},
	{"flush-order",
	 "mkdir -p " WANTS "; echo 'flush ruleset' >/etc/nftables.conf; "
	 "printf '[Unit]\\nAfter=a.service\\n' >" OURS "; "
	 "echo 'ExecStart=/usr/sbin/nft -f /etc/nftables.conf' >" WANTS
	 "/nft.service",
	 "nft.service flushes the whole ruleset when it starts",
	 "mkdir -p " OURS ".d && printf '[Unit]\\nAfter=nft.service\\n' "
	 ">" OURS ".d/nft.service.conf && systemctl daemon-reload",
	 "rm -r /etc/systemd /etc/nftables.conf"},
	{"flush-unit",
	 "mkdir -p " WANTS "; printf 'After=x.service nft.service\\n' >" OURS
	 "; echo 'ExecReload=nft flush ruleset' >" WANTS "/nft.service",
	 "nft.service flushes the whole ruleset, and ours with it",
	 "gateway { on-drift restore }", "rm -r /etc/systemd"},
	{"flush-script",
	 "printf '#!/bin/sh\\nnft flush ruleset\\n' >/etc/rc.local",
	 "/etc/rc.local flushes the whole ruleset",
	 "sed -i 's/flush ruleset/list ruleset/' /etc/rc.local",
	 "rm /etc/rc.local"},
};

static void
of_files(void)
{
	pid_t proxyd;
	struct lab *lab = begin(&proxyd);

	CHECK_ALL(lab, files);
	end(lab, proxyd);
}

/* --- ours ----------------------------------------------------------------- */

/* Doctor finds `name`, saying that. */
static void
expect(struct lab *lab, const char *command, const char *name, const char *says)
{
	struct str out = {0}, line = {0}, mend = {0};

	examine(lab, command, &out);
	UNIT_CHECK(look_for(str_text(&out), name, &line, &mend) &&
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

	own_etc(lab);
	examine(lab, "netsetup doctor", &out);
	UNIT_STRINGS(str_text(&out), "");
	lab_policy(lab, usual, lab_user());
	expect(lab, DOCTOR, "not-applied", POLICY " is not applied");
	expect(lab, DOCTOR, "forwarding", "in0 does not forward IPv4");
	lab_apply(lab);
	expect(lab, "netsetup doctor", "not-alive",
	       "no proxyd keeps service 'web' alive: its connections are "
	       "passed by");
	lab_policy(lab,
		   "gateway {\n\tinside in0, in7\n\tmax-flows 200000\n}\n"
		   "service web {\n\tintercept tcp port 81 from 10.9.0.0/16"
		   "\n}\n");
	expect(lab, "netsetup doctor", "edited", POLICY " is not what was");
	expect(lab, DOCTOR, "no-interface", "there is no interface in7");
	expect(lab, DOCTOR, "no-route", "no route to 10.9.0.0");
	expect(lab, DOCTOR, "conntrack-room", "max-flows is 200000");
	lab_must(lab, LAB_GATEWAY, "ip -4 addr flush dev in0");
	expect(lab, DOCTOR, "no-ipv4-address", "in0 has no IPv4 address");
	str_clear(&out);
	CU_ASSERT_EQUAL(lab_run(lab, LAB_GATEWAY, &out, DOCTOR " --json"), 2);
	CU_ASSERT(strstr(str_text(&out),
			 "\"name\": \"no-interface\",\n"
			 "      \"severity\": \"warning\",\n") != NULL);
	CU_ASSERT(strstr(str_text(&out), "\"errors\": 2,") != NULL);
	CU_ASSERT_EQUAL(lab_run(lab, LAB_GATEWAY, NULL,
				"setpriv --bounding-set=-net_admin "
				"--inh-caps=-net_admin " DOCTOR),
			77);
	str_fini(&out);
	give_back_etc(lab);
	lab_down(lab);
}

/* A node where clients are, and clients that are routed elsewhere. */
static void
of_subnets(void)
{
	struct lab *lab = lab_up(NULL);

	own_etc(lab);
	lab_policy(lab, "gateway {\n\tinside in0\n\tfamily ipv4\n}\n"
			"pool app {\n\tnode 10.1.0.77\n\tsource client\n}\n"
			"service web {\n\tintercept tcp port 80 from "
			"10.2.0.0/24\n\tuse app\n}\n");
	expect(lab, DOCTOR, "same-subnet",
	       "node 10.1.0.77 is in the subnet of clients on in0");
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv4/conf/all/rp_filter", "1");
	expect(lab, DOCTOR, "rp-filter",
	       "in0 has strict rp_filter and drops packets from 10.2.0.0/24, "
	       "which the main table routes by out0");
	lab_must(lab, LAB_GATEWAY,
		 "ip -6 route add default via fe80::1 dev out0 proto ra");
	lab_policy(lab, usual, lab_user());
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv6/conf/out0/accept_ra", "1");
	expect(lab, DOCTOR, "router-advertisements",
	       "would end the default route on out0");
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv6/conf/out0/accept_ra", "2");
	lab_policy(lab, "gateway {\n\tinside in0\n\tupstream-tracking off\n}\n"
			"service web {\n\tintercept tcp port 80\n}\n");
	lab_nft(lab, LAB_GATEWAY,
		"table ip n {\nchain p { type nat hook postrouting priority "
		"srcnat; oifname out0 masquerade; }\n}\n");
	expect(lab, DOCTOR, "nat-untracked", "chain ip n p translates sources");
	give_back_etc(lab);
	lab_down(lab);
}

/* The port of `web` in the usual policy. */
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

	own_etc(lab);
	lab_policy(lab, "gateway {\n\tinside in0\n\tuser nobody\n}\n"
			"service web {\n\tintercept tcp port 80\n}\n");
	lab_apply(lab);
	snprintf(at, sizeof(at), "0.0.0.0:%u", capture_port(lab));
	l = lab_listen(lab, LAB_GATEWAY, at);
	expect(lab, DOCTOR, "port-taken", "the capture port of service 'web'");
	lab_policy(lab, "gateway {\n\tinside in0\n\tuser root\n}\n"
			"service web {\n\tintercept tcp port 80\n}\n");
	lab_apply(lab);
	expect(lab, DOCTOR, "other-policy", "it runs another policy");
	CU_ASSERT(l >= 0);
	give_back_etc(lab);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"of_settings", of_settings}, {"of_networks", of_networks},
	{"of_rules", of_rules},	      {"of_files", of_files},
	{"of_policies", of_policies}, {"of_subnets", of_subnets},
	{"of_ports", of_ports},
};

LAB_MAIN("doctor", tests)
