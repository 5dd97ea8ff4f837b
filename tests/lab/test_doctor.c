/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_doctor.c - each condition that can be made here is made, found with
 * the command that mends it, and gone when that was typed. A healthy box has
 * nothing to be told of.
 */
#include <CUnit/CUnit.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/sick.h"

/* --- the box -------------------------------------------------------------- */

#define CONF "net.ipv4.conf."
#define NF "net.netfilter.nf_conntrack_"

static const struct sick settings[] = {
	{"forwarding", "sysctl -w " CONF "in0.forwarding=0",
	 "in0 does not forward IPv4", "sysctl -w " CONF "in0.forwarding=1",
	 NULL},
	{"forwarding", "sysctl -w net.ipv6.conf.all.forwarding=0",
	 "this box does not forward IPv6", "netsetup apply -f " SICK_POLICY,
	 NULL},
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
	 "set on out0", "netsetup apply -f " SICK_POLICY, NULL},
	{"return-path", "ip rule del pref 9061",
	 "(ip-rule ipv4 9061: fwmark 0x1000/0x3000 lookup 9061 is missing)",
	 "netsetup apply -f " SICK_POLICY, NULL},
	{"return-path", "ip -6 route flush table 9061",
	 "(route ipv6 local default dev lo table 9061 is missing)",
	 "netsetup apply -f " SICK_POLICY, NULL},
	{"return-path", "nft flush chain inet interpose divert",
	 "(rule divert: socket transparent 1 socket wildcard 1 accept is "
	 "missing)",
	 "netsetup apply -f " SICK_POLICY, NULL},
	{"drift", "nft flush chain inet interpose guard_in",
	 "somebody changed what was applied", "netsetup apply -f " SICK_POLICY,
	 NULL},
};

static void
of_settings(void)
{
	pid_t proxyd;
	struct lab *lab = sick_begin(&proxyd);

	SICK_CHECK_ALL(lab, settings);
	sick_end(lab, proxyd);
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
	struct lab *lab = sick_begin(&proxyd);

	SICK_CHECK_ALL(lab, network);
	sick_end(lab, proxyd);
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
	 NFT("table inet fw {\nchain in {\n"
	     "type filter hook input priority 0; policy drop;\n"
	     "ct state established,related accept\niif lo accept\n}\n}\n"),
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
	     "iif out0 accept\niif in0 oif lo accept\n}\n}\n"),
	 "chain inet fw past would drop what service 'web' captures on in0",
	 "gateway { except port 80 }", UNDO("inet fw")},
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
	 "docker is here",
	 "iptables -I DOCKER-USER -i in0 -o out0 -j ACCEPT && ",
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
	struct lab *lab = sick_begin(&proxyd);

	SICK_CHECK_ALL(lab, rules);
	sick_end(lab, proxyd);
}

/*
 * What is not tracked is let in by its mark; and to ask for that mark, as a
 * filter must where tproxy delivers, is no misuse of it.
 */
static void
untracked_answers(void)
{
	pid_t proxyd;
	struct lab *lab = sick_begin(&proxyd);
	const struct sick drop = {
		"input-drop",
		NFT("table inet fw {\nchain in {\n"
		    "type filter hook input priority 0; policy drop;\n"
		    "ct state established,related accept\niifname lo accept\n"
		    "ct status dnat accept\n}\n}\n"),
		"chain inet fw in drops what is answered to service 'web'",
		"nft insert rule inet fw in meta mark and 0x3000 == 0x1000 "
		"accept",
		UNDO("inet fw")};

	lab_stop_proxyd(lab, proxyd);
	lab_policy(lab,
		   "gateway {\n\tinside in0\n\tuser %s\n"
		   "\tupstream-tracking off\n}\n"
		   "service web {\n\tintercept tcp port 80\n}\n",
		   lab_user());
	lab_apply(lab);
	proxyd = lab_proxyd_up(lab);
	sick_check(lab, &drop);
	lab_must(lab, LAB_GATEWAY, "%snft %s", drop.make,
		 drop.mend + strlen("nft "));
	sick_healthy(lab);
	lab_must(lab, LAB_GATEWAY, UNDO("inet fw"));
	sick_end(lab, proxyd);
}

/* What docker drops gets through, there and back, once its mend is typed. */
static void
docker_mend(void)
{
	static const char reach[] = "timeout 1 bash -c '</dev/tcp/10.2.0.2/81'";
	struct str out = {0}, line = {0}, mend = {0};
	pid_t proxyd;
	struct lab *lab = sick_begin(&proxyd);
	int listener = lab_serve(lab, AF_INET, 81);

	lab_must(lab, LAB_GATEWAY,
		 "iptables -P FORWARD DROP; iptables -N DOCKER-USER; "
		 "iptables -A DOCKER-USER -j RETURN; "
		 "iptables -A FORWARD -j DOCKER-USER; iptables -A FORWARD "
		 "-o docker0 -m conntrack --ctstate ESTABLISHED -j ACCEPT");
	CU_ASSERT_NOT_EQUAL(lab_run(lab, LAB_CLIENT, NULL, "%s", reach), 0);
	sick_examine(lab, SICK_DOCTOR, &out);
	UNIT_CHECK(sick_look_for(str_text(&out), "docker", &line, &mend), "%s",
		   str_text(&out));
	lab_must(lab, LAB_GATEWAY, "%s", str_text(&mend));
	CU_ASSERT_EQUAL(lab_run(lab, LAB_CLIENT, NULL, "%s", reach), 0);
	lab_must(lab, LAB_GATEWAY, "nft delete table ip filter");
	close(listener);
	str_fini(&mend);
	str_fini(&line);
	str_fini(&out);
	sick_end(lab, proxyd);
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
	 "gateway { on-drift restore }", "rm /etc/rc.local"},
};

static void
of_files(void)
{
	pid_t proxyd;
	struct lab *lab = sick_begin(&proxyd);

	SICK_CHECK_ALL(lab, files);
	sick_end(lab, proxyd);
}

static const struct unit_test tests[] = {
	{"of_settings", of_settings},
	{"of_networks", of_networks},
	{"of_rules", of_rules},
	{"docker_mend", docker_mend},
	{"untracked_answers", untracked_answers},
	{"of_files", of_files},
};

LAB_MAIN("doctor", tests)
