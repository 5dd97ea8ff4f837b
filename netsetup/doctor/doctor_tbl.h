/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor_tbl.h - everything that doctor can find, most severe first. The
 * check of a row is check_IDENT(), in doctor_*.c; it fills in what stands in
 * braces. The last column is what mends it: a command to type, or, where it
 * has braces of its own, a statement for the policy. netsetup(8) lists these
 * names; tests/complaints refers to them.
 */
/* clang-format off */

/* IDENT, "name", SEVERITY, "what is wrong", "what mends it" */
#define DOCTOR_TABLE(DOCTOR) \
DOCTOR(return_path, "return-path", ERROR, \
	"the return path is incomplete ({what} is missing): answers of servers to proxied connections are lost", \
	"netsetup apply{f}") \
DOCTOR(src_valid_mark, "src-valid-mark", ERROR, \
	"src_valid_mark is set on {iface} and the ip rule that makes up for it is missing: answers are dropped as martians", \
	"netsetup apply{f}") \
DOCTOR(rp_filter, "rp-filter", ERROR, \
	"{iface} has strict rp_filter and drops packets from {what}, which the main table routes by {other}", \
	"sysctl -w net.ipv4.conf.{key}.rp_filter=2") \
DOCTOR(no_route, "no-route", ERROR, \
	"there is no route to {what}, which the policy names: nothing gets there", \
	"ip route add {what} via ROUTER") \
DOCTOR(early_rule, "early-rule", ERROR, \
	"ip rule {priority} comes before ours and takes every packet to table {table}: answers do not get to proxyd", \
	"gateway {{ priority {free} }}") \
DOCTOR(table_used, "table-used", ERROR, \
	"routing table {table} has a route of somebody else, to {what}: answers go there", \
	"gateway {{ table {free} }}") \
DOCTOR(input_drop, "input-drop", ERROR, \
	"chain {chain} drops what is {how} to service '{service}'", \
	"{mend}") \
DOCTOR(client_zone, "client-zone", ERROR, \
	"chain {chain} puts clients' connections into conntrack zone {zone}: where they were going cannot be asked", \
	"nft delete rule {chain} handle {handle}") \
DOCTOR(untracked, "untracked", ERROR, \
	"chain {chain} keeps connections from being tracked: what is not tracked is not redirected", \
	"nft delete rule {chain} handle {handle}") \
DOCTOR(no_ipv4_address, "no-ipv4-address", ERROR, \
	"{iface} has no IPv4 address: what is redirected there is dropped", \
	"ip addr add ADDRESS/LENGTH dev {iface}") \
DOCTOR(interface_down, "interface-down", ERROR, \
	"interface {iface} is down: no client arrives there", \
	"ip link set dev {iface} up") \
DOCTOR(router_advertisements, "router-advertisements", ERROR, \
	"forwarding of IPv6 would end the default route on {iface}, which comes from router advertisements", \
	"sysctl -w net.ipv6.conf.{key}.accept_ra=2") \
DOCTOR(port_taken, "port-taken", ERROR, \
	"another program listens on port {port}, the capture port of service '{service}'", \
	"gateway {{ capture-ports {free} }}") \
DOCTOR(other_policy, "other-policy", ERROR, \
	"proxyd listens on port {port} but does not keep service '{service}' alive: it runs another policy", \
	"proxyctl reload") \
DOCTOR(conntrack_full, "conntrack-full", ERROR, \
	"the conntrack table is nearly full: {count} of {max}; when it is, connections are dropped", \
	"sysctl -w net.netfilter.nf_conntrack_max={more}") \
\
DOCTOR(not_alive, "not-alive", WARNING, \
	"no proxyd keeps service '{service}' alive: its connections are {fate}", \
	"systemctl start interpose") \
DOCTOR(drift, "drift", WARNING, \
	"somebody changed what was applied; see `netsetup status`", \
	"netsetup apply{f}") \
DOCTOR(no_interface, "no-interface", WARNING, \
	"there is no interface {iface}: nothing is captured there until it comes", \
	"ip -brief link") \
DOCTOR(forwarding, "forwarding", WARNING, \
	"{iface} does not forward {family}: what is not captured does not get through", \
	"{mend}") \
DOCTOR(forward_filter, "forward-filter", WARNING, \
	"chain {chain} would drop what service '{service}' captures on {iface}, but captured connections do not pass it", \
	"gateway {{ except port {port} }}") \
DOCTOR(mark_bits, "mark-bits", WARNING, \
	"{who} uses bits {bits} of {what} marks, which are ours under mask {mask}", \
	"gateway {{ mark {free} }}") \
DOCTOR(whole_mark, "whole-mark", WARNING, \
	"chain {chain} overwrites the whole mark of {what}s, and our bits {mask} with it", \
	"nft -a list chain {chain}") \
DOCTOR(priority_used, "priority-used", WARNING, \
	"ip rule {priority} is somebody else's, where ours are", \
	"gateway {{ priority {free} }}") \
DOCTOR(zone_used, "zone-used", WARNING, \
	"chain {chain} uses conntrack zone {zone}, which is one of ours", \
	"gateway {{ zone {free} }}") \
DOCTOR(same_subnet, "same-subnet", WARNING, \
	"{what} is in the subnet of clients on {iface}: its answers go to them directly, past proxyd", \
	"pool {pool} {{ {nodes}source gateway }}") \
DOCTOR(own_server, "own-server", WARNING, \
	"service '{service}' connects to {what}, which is this box itself, from addresses of clients: its answers go to them directly, past proxyd", \
	"pool {pool} {{ {nodes}source gateway }}") \
DOCTOR(shared_subnet, "shared-subnet", WARNING, \
	"{iface} and {other} are both in {subnet}: servers answer clients there directly, past proxyd", \
	"pool {pool} {{ {nodes}source gateway }}") \
DOCTOR(send_redirects, "send-redirects", WARNING, \
	"clients on {iface} are told by ICMP redirects to go past this box, because it sends on by the same interface", \
	"sysctl -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.{key}.send_redirects=0") \
DOCTOR(tcp_loose, "tcp-loose", WARNING, \
	"nf_conntrack_tcp_loose is 0: a redirected connection that conntrack forgets, as after `conntrack -F`, never comes back", \
	"sysctl -w net.netfilter.nf_conntrack_tcp_loose=1") \
DOCTOR(conntrack_timeout, "conntrack-timeout", WARNING, \
	"conntrack forgets idle connections after {have} s, but service '{service}' keeps them for {want} s", \
	"sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established={want}") \
DOCTOR(conntrack_room, "conntrack-room", WARNING, \
	"max-flows is {flows} for each of {workers} workers, and each flow takes two entries of conntrack, which has room for {max}", \
	"sysctl -w net.netfilter.nf_conntrack_max={more}") \
DOCTOR(bridge_netfilter, "bridge-netfilter", WARNING, \
	"{setting} is on, and {iface} is a bridge: frames that it only passes on are captured too", \
	"sysctl -w {setting}=0") \
DOCTOR(ephemeral_ports, "ephemeral-ports", WARNING, \
	"the box may take capture port {port} of service '{service}' for a connection of its own", \
	"sysctl -w net.ipv4.ip_local_reserved_ports={reserved}") \
DOCTOR(descriptors, "descriptors", WARNING, \
	"{where} allows proxyd {have} descriptors, and max-flows {flows} needs {want}", \
	"{mend}") \
DOCTOR(networkd, "networkd", WARNING, \
	"systemd-networkd deletes ip rules and routes that are not its own when it starts", \
	"mkdir -p /etc/systemd/networkd.conf.d && printf '[Network]\\nManageForeignRoutingPolicyRules=no\\nManageForeignRoutes=no\\n' >/etc/systemd/networkd.conf.d/interpose.conf") \
DOCTOR(flush_order, "flush-order", WARNING, \
	"{unit} flushes the whole ruleset when it starts, and our rules are not ordered after it", \
	"mkdir -p /etc/systemd/system/interpose-rules.service.d && printf '[Unit]\\nAfter={unit}\\n' >/etc/systemd/system/interpose-rules.service.d/{unit}.conf && systemctl daemon-reload") \
DOCTOR(flush_script, "flush-script", WARNING, \
	"{file} flushes the whole ruleset, and ours with it", \
	"gateway {{ on-drift restore }}") \
DOCTOR(flowtable, "flowtable", WARNING, \
	"flowtable {table} is on {iface}: connections that are in it already pass by all rules", \
	"nft list flowtable {table}") \
DOCTOR(nat_untracked, "nat-untracked", ERROR, \
	"chain {chain} translates sources, but with upstream-tracking off the servers' answers cannot be translated back", \
	"gateway {{ upstream-tracking zone }}") \
\
DOCTOR(edited, "edited", NOTE, \
	"{path} is not what was applied from it", \
	"netsetup plan{f}") \
DOCTOR(draining, "draining", NOTE, \
	"`netsetup remove --drain` is not over: nothing is captured, flows that are proxied go on", \
	"netsetup apply{f}") \
DOCTOR(not_applied, "not-applied", NOTE, \
	"{path} is not applied", \
	"netsetup apply{f}") \
DOCTOR(input_unsure, "input-unsure", NOTE, \
	"chain {chain} may drop what is {how} to service '{service}': that depends on sets or limits", \
	"{mend}") \
DOCTOR(flush_unit, "flush-unit", NOTE, \
	"{unit} flushes the whole ruleset, and ours with it, when it is restarted or reloaded", \
	"gateway {{ on-drift restore }}") \
DOCTOR(mtu, "mtu", NOTE, \
	"{iface} has MTU {have} and {other} {want}: routed connections need ICMP to learn that, proxied ones do not", \
	"ip link set dev {iface} mtu {want}") \
DOCTOR(firewalld, "firewalld", NOTE, \
	"firewalld is here: its policies for forwarding do not see captured connections; its reload leaves our table alone", \
	"firewall-cmd --list-all-policies") \
DOCTOR(ufw, "ufw", NOTE, \
	"ufw is here: its `ufw route` rules do not see captured connections; its reload leaves our table alone", \
	"ufw status verbose") \
DOCTOR(docker, "docker", NOTE, \
	"docker is here: its rules drop what is forwarded past its own networks, and never see what is captured", \
	"iptables -I DOCKER-USER -i {iface} -o {out} -j ACCEPT && iptables -I DOCKER-USER -i {out} -o {iface} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT") \
DOCTOR(podman, "podman", NOTE, \
	"podman is here: published ports are translated where connections are captured; a `to` with the box's address takes them first", \
	"nft list table inet netavark")
/* clang-format on */
