# SPDX-License-Identifier: GPL-2.0-or-later
#
# proxies.sh - the ways through the box, sourced after server.sh. Each is
# made ready by start_WAY, which sets `pids`, the processes of the proxy.
#
#	routing		no proxy
#	proxyd		and what netsetup installs for it, by redirection
#	proxyd_tproxy	the same, by tproxy
#	haproxy, nginx	with the rules that their users publish
#	haproxy_rules	with those of netsetup; no heartbeat keeps the alive
#	nginx_rules	sets, they are filled for an hour; neither marks its
#			sockets, so that rules do it, by address
#
# All see both cores, write no access log, connect as the client, and run as
# whoever runs this. HAProxy has no datagrams.

# shellcheck disable=SC2034,SC2086,SC2154	# $dir and others are net.sh's

# listeners under foreign rules
own_web=50080 own_bulk=50081 own_echo=50082 own_http=50083

proxy_log=$dir/proxy.log

# policy HOW-TCP HOW-UDP
policy() {
	cat <<END
gateway {
	inside in0
	user root
	workers ${workers:-auto}
	max-flows 9500
	log access none
	# what is slow here is not dead
	alive-timeout 60s
}
service web {
	intercept tcp port $web via $1
	timeout connect 2s
}
service bulk {
	intercept tcp port $bulk via $1
}
service http {
	intercept tcp port $http via $1
	mode http
}
service echo {
	intercept udp port $echo via $2
}
END
}

# the port that captured flows of a service are sent to
capture_port() {
	on box nft list table inet interpose |
		sed -n "s/^.*set alive_$1_\([0-9]*\) .*/\1/p"
}

# of a process, and of all that it started
family_of() {
	local child
	echo "$1"
	for child in $(pgrep -P "$1"); do
		family_of "$child"
	done
}

# run COMMAND...: in the box, in the background
run() {
	behind box "$@" >>$proxy_log 2>&1
}

alive() {
	on box nft list set inet interpose \
		"alive_$1_$(capture_port "$1")" | grep -q 'ipv4.*expires'
}

serves() {
	[ "$(on client curl -s -m 1 http://$server/)" = $client ]
}

# started WAY: once the server sees the client through it
started() {
	wait_for "$1 serves" serves
	pids=$(family_of "$behind_pid")
}

# --- rules ----------------------------------------------------------------

rules_of_netsetup() {
	policy "$@" >$dir/policy.conf
	on box netsetup apply -f $dir/policy.conf 2>$dir/apply.log ||
		die "$(cat $dir/apply.log)"
}

rules_for_others() {
	local service
	rules_of_netsetup redirect redirect
	for service in "$@"; do
		on box nft add element inet interpose \
			"alive_${service}_$(capture_port "$service")" \
			'{ ipv4 timeout 1h }'
	done
	on box nft -f - <<END
table ip marks {
	chain spoofed {
		type filter hook output priority -301
		ip saddr 10.1.0.0/16 ip saddr != $box_inside \
			meta mark set 0x2000
	}
}
END
}

# where replies go that are marked 1
return_path() {
	on box ip rule add fwmark 1 lookup 100
	on box ip route add local default dev lo table 100
}

# tproxy.rst of the kernel, and HAProxy's own guide
rules_of_haproxy() {
	return_path
	on box nft -f - <<END
table ip published {
	chain divert {
		type filter hook prerouting priority -150
		meta l4proto tcp socket transparent 1 meta mark set 1 accept
		iifname in0 tcp dport $web tproxy to :$own_web \
			meta mark set 1 accept
		iifname in0 tcp dport $bulk tproxy to :$own_bulk \
			meta mark set 1 accept
	}
}
END
}

# nginx cannot listen to tproxy; its guide to transparency marks by the server
rules_of_nginx() {
	return_path
	on box nft -f - <<END
table ip published {
	chain capture {
		type nat hook prerouting priority -100
		iifname in0 tcp dport $web redirect to :$own_web
		iifname in0 tcp dport $bulk redirect to :$own_bulk
		iifname in0 udp dport $echo redirect to :$own_echo
	}
	chain replies {
		type filter hook prerouting priority -150
		iifname out0 ip saddr $server tcp sport { $web, $bulk } \
			meta mark set 1
		iifname out0 ip saddr $server udp sport $echo meta mark set 1
	}
}
END
}

# --- proxies --------------------------------------------------------------

# run_haproxy WEB-PORT BULK-PORT HTTP-PORT [OPTION-OF-BIND]
run_haproxy() {
	cat >$dir/haproxy.cfg <<END
global
	nbthread 2
	maxconn 9600
	maxpipes 200
defaults
	mode tcp
	option splice-auto
	timeout connect 10s
	timeout client 1h
	timeout server 1h
	source 0.0.0.0 usesrc clientip
listen web
	bind :$1 shards by-thread backlog 8192 ${4:-}
	server s $server:$web
listen bulk
	bind :$2 shards by-thread backlog 8192 ${4:-}
	server s $server:$bulk
listen http
	mode http
	bind :$3 shards by-thread backlog 8192 ${4:-}
	option forwardfor
	http-reuse safe
	server s $server:$http
END
	run haproxy -db -f $dir/haproxy.cfg
}

# run_nginx WEB-PORT BULK-PORT ECHO-PORT HTTP-PORT; its cache of connections to
# the server ignores whose address they have
run_nginx() {
	cat >$dir/stream.conf <<END
load_module modules/ngx_stream_module.so;
user root;
daemon off;
pid $dir/stream.pid;
error_log stderr error;
worker_processes 2;
worker_rlimit_nofile 20000;
events {
	worker_connections 19900;
}
http {
	access_log off;
	client_body_temp_path $dir;
	proxy_temp_path $dir;
	fastcgi_temp_path $dir;
	scgi_temp_path $dir;
	uwsgi_temp_path $dir;
	keepalive_timeout 600s;
	keepalive_requests 100000000;
	upstream s {
		server $server:$http;
		keepalive 64;
		keepalive_requests 100000000;
	}
	server {
		listen $4 reuseport backlog=8192;
		location / {
			proxy_pass http://s;
			proxy_bind \$remote_addr transparent;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host \$http_host;
			proxy_set_header X-Forwarded-For \
				\$proxy_add_x_forwarded_for;
		}
	}
}
stream {
	access_log off;
	proxy_bind \$remote_addr transparent;
	proxy_timeout 1h;
	server {
		listen $1 reuseport backlog=8192;
		proxy_pass $server:$web;
	}
	server {
		listen $2 reuseport backlog=8192;
		proxy_buffer_size 64k;
		proxy_pass $server:$bulk;
	}
	server {
		listen $3 udp reuseport;
		proxy_pass $server:$echo;
	}
}
END
	run nginx -p /usr/share/nginx -c $dir/stream.conf -e stderr
}

start_routing() {
	pids=
	wait_for 'routing' serves
}

# run_proxyd HOW-TCP
run_proxyd() {
	local service
	rules_of_netsetup "$1" tproxy
	run proxyd -f $dir/policy.conf
	for service in web bulk http echo; do
		wait_for "$service alive" alive $service
	done
	started proxyd
}

start_proxyd() {
	run_proxyd redirect
}

start_proxyd_tproxy() {
	run_proxyd tproxy
}

start_haproxy() {
	run_haproxy $own_web $own_bulk $own_http transparent
	rules_of_haproxy
	started haproxy
}

start_nginx() {
	run_nginx $own_web $own_bulk $own_echo $own_http
	rules_of_nginx
	started nginx
}

start_haproxy_rules() {
	rules_for_others web bulk http
	run_haproxy "$(capture_port web)" "$(capture_port bulk)" \
		"$(capture_port http)"
	started haproxy_rules
}

start_nginx_rules() {
	rules_for_others web bulk echo http
	run_nginx "$(capture_port web)" "$(capture_port bulk)" \
		"$(capture_port echo)" "$(capture_port http)"
	started nginx_rules
}

# does the way have a proxy for it, or none at all?
has_http() {
	case $way in
	haproxy | nginx | proxyd_tproxy) false ;;
	esac
}

has_datagrams() {
	case $way in
	haproxy* | proxyd_tproxy) false ;;
	esac
}
