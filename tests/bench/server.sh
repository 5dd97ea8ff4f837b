# SPDX-License-Identifier: GPL-2.0-or-later
#
# server.sh - what the clients of a measurement ask, sourced after net.sh.
#
# nginx tells each client its address, iperf3 takes bytes, and datagrams are
# sent back. None of them writes a log. And clients that are idle.

# shellcheck disable=SC2034,SC2086,SC2154	# $dir and others are net.sh's

# the same web server twice: for proxies that pass bytes, and that speak HTTP
web=80 http=8000 bulk=5201 echo=7

listens() {
	on server ss -Hltn "sport = :$1" | grep -q .
}

serve() {
	cat >$dir/server.conf <<END
user root;
daemon off;
pid $dir/server.pid;
error_log stderr crit;
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
	client_header_timeout 600s;
	root $dir;
	server {
		listen $web reuseport backlog=8192;
		listen $http reuseport backlog=8192;
		location / {
			return 200 \$remote_addr;
		}
		location = /100k {
		}
	}
}
END
	head -c 100000 /dev/urandom >$dir/100k
	behind server nginx -p /usr/share/nginx -c $dir/server.conf -e stderr
	behind server iperf3 -s >/dev/null
	behind server tool_datagrams answer $echo
	wait_for 'the web server' listens $web
	wait_for 'iperf3' listens $bulk
}

# --- idle connections -----------------------------------------------------

# no connection is left in the box
quiet() {
	[ "$(on box ss -Htn state established | wc -l)" -lt 200 ]
}

# hold N PORT: keep so many connections idle, until let_go
hold() {
	rm -f $dir/hold
	mkfifo $dir/hold
	behind client sh -c "exec tool_hold $1 $server:$2 \
		$first_client/$n_clients <$dir/hold >$dir/held"
	exec 7>$dir/hold
	wait_for "$1 idle connections" grep "held $1" $dir/held
}

let_go() {
	exec 7>&-
	wait_for 'the end of idle connections' quiet
}
