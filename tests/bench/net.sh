# SPDX-License-Identifier: GPL-2.0-or-later
#
# net.sh - namespaces of a measurement, sourced: client - box - server.
#
# They are made anew for each thing that is measured, so that nothing that one
# leaves behind (TIME_WAIT, entries of connection tracking) weighs on the next.

# shellcheck disable=SC2034	# used by those that source this

dir=/run/bench
client=10.1.0.2 server=10.2.0.2
box_inside=10.1.0.1
# of the clients that open many connections: how many, and the first
n_clients=32 first_client=10.1.1.1

say() {
	echo "bench: $*" >&2
}

die() {
	say "$*"
	exit 1
}

on() {
	local where=$1
	shift
	ip netns exec "$where" "$@"
}

# behind WHERE COMMAND...: in the background, as process `behind_pid`
behind() {
	# not by on(): another shell would tell of its end
	ip netns exec "$@" &
	behind_pid=$!
	disown
}

# once, at the very beginning: nothing of the machine is seen or written
net_alone() {
	mount --make-rprivate /
	mount -t tmpfs tmpfs /run
	mkdir -p $dir
	ip link set lo up
}

net_make() {
	local name
	for name in client box server; do
		ip netns add $name
		on $name ip link set lo up
		on $name sysctl -qw net.core.somaxconn=8192 \
			net.ipv4.tcp_max_syn_backlog=8192
	done
	ip link add in0 netns box type veth peer name eth0 netns client
	ip link add out0 netns box type veth peer name eth0 netns server
	on box ip addr add $box_inside/16 dev in0
	on box ip addr add 10.2.0.1/24 dev out0
	on box ip link set in0 up
	on box ip link set out0 up
	on box sysctl -qw net.ipv4.ip_forward=1
	on client ip addr add $client/16 dev eth0
	on server ip addr add $server/24 dev eth0
	on client ip link set eth0 up
	on server ip link set eth0 up
	on client ip route add default via $box_inside
	on server ip route add default via 10.2.0.1
	for name in $(seq $n_clients); do
		echo "addr add 10.1.1.$name/16 dev eth0"
	done | on client ip -b -
}

empty() {
	! ip netns pids "$1" | grep -q .
}

# whoever still runs in them is ended; netsetup begins with no past
net_drop() {
	local name
	for name in client box server; do
		ip netns pids $name | xargs -r kill -9 2>/dev/null || :
		wait_for "the end in $name" empty $name
		ip netns del $name
	done
	rm -rf /run/interpose $dir
	mkdir -p $dir
}

# wait_for WHAT COMMAND...: until it succeeds, ten seconds at most
wait_for() {
	local what=$1 _
	shift
	for _ in $(seq 200); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.05
	done
	die "$what: not within ten seconds"
}
