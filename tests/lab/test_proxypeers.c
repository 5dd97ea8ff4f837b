/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_proxypeers.c - the PROXY protocol that goes out, with `send-proxy`, as
 * the test reads it; and both ways with HAProxy and nginx.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/announced.h"

/* --- out ------------------------------------------------------------------ */

/* Before the client has said anything; and what follows is not counted. */
static void
check_told(struct lab *lab, int family, bool captured,
	   enum proxyproto_version version)
{
	char to[ENDPOINT_TEXT_LEN], name[ENDPOINT_TEXT_LEN], line[128];
	int l, fd, server;

	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":25");
	lab_at(lab, family, captured ? LAB_HOST_OTHER : LAB_HOST_GATEWAY, 80,
	       to);
	fd = lab_connect(lab, LAB_CLIENT, NULL, to, 2000);
	server = lab_accept(l, 2000, NULL);
	CU_ASSERT_FATAL(fd >= 0 && server >= 0);
	announced_expect(server, version, lab_name(fd, name), to);
	lab_send(server, "banner");
	CU_ASSERT(lab_expect(fd, "banner", 2000));
	announced_talk(fd, server);
	snprintf(line, sizeof(line), "client=%s ", name);
	announced_recorded(line, "bytes_in", "7");
	announced_recorded(line, "bytes_out", "14");
	close(l);
}

static void
out(const char *how, bool captured)
{
	struct lab *lab;
	int version;
	pid_t pid;

	for (version = PROXYPROTO_V1; version <= PROXYPROTO_V2; version++) {
		lab = lab_up(NULL);
		lab_policy(lab,
			   "gateway { inside in0; user %s }\n"
			   "pool app { node " LAB_SERVER4
			   ":25; send-proxy v%d }\n"
			   "service mail { %s; use app }\n",
			   lab_user(), version, how);
		lab_apply(lab);
		pid = lab_proxyd_up(lab);
		CU_ASSERT(!captured || LAB_WAIT(lab_armed(lab), 3000));
		check_told(lab, AF_INET, captured, version);
		check_told(lab, AF_INET6, captured, version);
		announced_end(lab, pid);
	}
}

static void
redirect_out(void)
{
	out("intercept tcp port 80 via redirect", true);
}

static void
tproxy_out(void)
{
	out("intercept tcp port 80 via tproxy", true);
}

static void
listen_out(void)
{
	out("listen tcp 80", false);
}

/*
 * What one header says, the next one says. Then some megabytes behind it, in
 * one go with it, which are the same bytes at the other end.
 */
static void
through(void)
{
	enum { BULK = 8 << 20 };
	char *bulk = malloc(BULK), *got = malloc(BULK);
	char line[64];
	struct lab *lab;
	ssize_t r = 1;
	size_t n, i;
	pid_t pid;
	int l, fd[2];

	CU_ASSERT_FATAL(bulk && got);
	for (i = 0; i < BULK; i++)
		bulk[i] = (char)(i % 251);
	lab = announced_begin(
		"",
		"use app; }\n"
		"pool told { node " LAB_SERVER4 ":81; send-proxy v2 }\n"
		"service next { listen tcp 8081; accept-proxy; use told",
		&pid);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":81");
	fd[0] = announced_connect(lab, LAB_GATEWAY4 ":8081", PROXYPROTO_V1,
				  announced_clients[0], "[fd02::9]:443");
	if (fork() == 0) {
		for (i = 0; i < BULK && r > 0; i += (size_t)r)
			r = send(fd[0], bulk + i, BULK - i, MSG_NOSIGNAL);
		_exit(0);
	}
	fd[1] = lab_accept(l, 2000, NULL);
	CU_ASSERT_FATAL(fd[1] >= 0);
	announced_expect(fd[1], PROXYPROTO_V2, announced_clients[0],
			 "[fd02::9]:443");
	for (n = 0; n < BULK && r > 0; n += r > 0 ? (size_t)r : 0)
		r = lab_recv(fd[1], got + n, BULK - n, 5000);
	CU_ASSERT(n == BULK && !memcmp(bulk, got, BULK));
	close(fd[0]);
	CU_ASSERT(lab_ended(fd[1], 2000));
	close(fd[1]);
	snprintf(line, sizeof(line), "bytes_in=%d bytes_out=0 ", BULK);
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", line), 2000));
	free(bulk);
	free(got);
	close(l);
	announced_end(lab, pid);
}

/* --- other programs ------------------------------------------------------- */

/*
 * On the client, ports 9001 and 9002 lead to proxyd with version 1 and 2. On
 * the server, 9101 takes a header and answers "CLIENT PORT DESTINATION PORT"
 * as it says.
 */
static const char haproxy_conf[] =
	"defaults\n"
	"	mode tcp\n"
	"	timeout connect 5s\n"
	"	timeout client 5s\n"
	"	timeout server 5s\n"
	"listen one\n"
	"	bind :::9001 v4v6\n"
	"	server proxyd " LAB_GATEWAY4 ":8080 send-proxy\n"
	"listen two\n"
	"	bind :::9002 v4v6\n"
	"	server proxyd " LAB_GATEWAY4 ":8080 send-proxy-v2 "
	"proxy-v2-options crc32c,unique-id\n"
	"frontend who\n"
	"	mode http\n"
	"	bind :::9101 v4v6 accept-proxy\n"
	"	http-request return status 200 content-type text/plain "
	"lf-string \"%[src] %[src_port] %[dst] %[dst_port]\"\n";

static const char nginx_conf[] =
	"daemon off;\n"
	"worker_processes 1;\n"
	"%s"
	"pid " LAB_DIR "/nginx-%d.pid;\n"
	"load_module modules/ngx_stream_module.so;\n"
	"events { worker_connections 256; }\n"
	"stream {\n"
	"	server {\n"
	"		listen 9001;\n"
	"		listen [::]:9001;\n"
	"		proxy_pass " LAB_GATEWAY4 ":8080;\n"
	"		proxy_protocol on;\n"
	"	}\n"
	"	server {\n"
	"		listen 9101 proxy_protocol;\n"
	"		listen [::]:9101 proxy_protocol;\n"
	"		return \"$proxy_protocol_addr $proxy_protocol_port "
	"$proxy_protocol_server_addr $proxy_protocol_server_port\";\n"
	"	}\n"
	"}\n";

static void
start(struct lab *lab, const char *program, enum lab_where where)
{
	struct str conf = {0};

	if (!strcmp(program, "haproxy")) {
		lab_write_file(LAB_DIR "/haproxy.cfg", haproxy_conf);
		lab_spawn(lab, where, "haproxy",
			  "haproxy -db -f " LAB_DIR "/haproxy.cfg");
		return;
	}
	str_addf(&conf, nginx_conf, geteuid() == 0 ? "user root root;\n" : "",
		 (int)where);
	lab_write_file(LAB_DIR "/stream.conf", str_text(&conf));
	lab_spawn(lab, where, "stream",
		  "nginx -c " LAB_DIR "/stream.conf -e stderr");
	str_fini(&conf);
}

static bool
listens(struct lab *lab, enum lab_where where, const char *port)
{
	char filter[64];

	snprintf(filter, sizeof(filter), "state listening sport = :%s", port);
	return lab_sockets(lab, where, filter) > 0;
}

/* "10.1.0.2:1000" is "10.1.0.2 1000"; IPv6 without brackets. */
static const char *
in_words(const char *endpoint, char buf[ENDPOINT_TEXT_LEN])
{
	char addr[ADDR_TEXT_LEN];
	struct endpoint e;

	CU_ASSERT_EQUAL_FATAL(endpoint_parse(endpoint, &e), 0);
	snprintf(buf, ENDPOINT_TEXT_LEN, "%s %u", addr_format(&e.addr, addr),
		 e.port);
	return buf;
}

/* From another program's port on the client to the server: whose is it? */
static void
check_in(const char *program, const char *const *ports, size_t n)
{
	char to[ENDPOINT_TEXT_LEN], name[ENDPOINT_TEXT_LEN];
	struct lab *lab;
	int l, fd, server;
	size_t i;
	pid_t pid;

	lab = announced_begin("", "use app", &pid);
	start(lab, program, LAB_CLIENT);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	for (i = 0; i < 2 * n; i++) {
		CU_ASSERT(
			LAB_WAIT(listens(lab, LAB_CLIENT, ports[i / 2]), 5000));
		snprintf(to, sizeof(to), "%s:%s",
			 i & 1 ? "[" LAB_CLIENT6 "]" : LAB_CLIENT4,
			 ports[i / 2]);
		fd = lab_connect(lab, LAB_CLIENT, NULL, to, 2000);
		CU_ASSERT_FATAL(fd >= 0);
		lab_name(fd, name);
		server = lab_accept(l, 2000, NULL);
		announced_talk(fd, server);
		announced_recorded(name, "client", name);
		announced_recorded(name, "destination", to);
		announced_recorded(name, "bytes_in", "7");
	}
	close(l);
	announced_end(lab, pid);
}

static void
haproxy_in(void)
{
	static const char *const ports[] = {"9001", "9002"};

	check_in("haproxy", ports, 2);
}

static void
nginx_in(void)
{
	static const char *const ports[] = {"9001"};

	check_in("nginx", ports, 1);
}

/* What another program on the server takes proxyd's header to say. */
static void
check_out(const char *program, int version)
{
	char to[ENDPOINT_TEXT_LEN], name[ENDPOINT_TEXT_LEN];
	char want[2 * ENDPOINT_TEXT_LEN + 1], a[ENDPOINT_TEXT_LEN];
	char b[ENDPOINT_TEXT_LEN], policy[512];
	struct lab *lab;
	int i, fd;
	pid_t pid;

	snprintf(policy, sizeof(policy),
		 "gateway { inside in0; user %%s }\n"
		 "pool app { node " LAB_SERVER4 ":9101; send-proxy v%d }\n"
		 "service web { intercept tcp port 80; use app }\n",
		 version);
	lab = lab_begin(NULL, policy, &pid);
	start(lab, program, LAB_SERVER);
	CU_ASSERT(LAB_WAIT(listens(lab, LAB_SERVER, "9101"), 5000));
	for (i = 0; i < 2; i++) {
		lab_at(lab, lab_families[i], LAB_HOST_OTHER, 80, to);
		fd = lab_connect(lab, LAB_CLIENT, NULL, to, 2000);
		CU_ASSERT_FATAL(fd >= 0);
		lab_name(fd, name);
		snprintf(want, sizeof(want), "%s %s", in_words(name, a),
			 in_words(to, b));
		if (!strcmp(program, "haproxy"))
			lab_send(fd, "GET / HTTP/1.0\r\n\r\n");
		UNIT_CHECK(lab_expect(fd, want, 2000), "not '%s'", want);
		close(fd);
	}
	lab_end(lab, pid);
}

static void
haproxy_out(void)
{
	check_out("haproxy", 1);
	check_out("haproxy", 2);
}

static void
nginx_out(void)
{
	check_out("nginx", 1);
	check_out("nginx", 2);
}

static const struct unit_test tests[] = {
	{"redirect_out", redirect_out}, {"tproxy_out", tproxy_out},
	{"listen_out", listen_out},	{"through", through},
	{"haproxy_in", haproxy_in},	{"nginx_in", nginx_in},
	{"haproxy_out", haproxy_out},	{"nginx_out", nginx_out},
};

LAB_MAIN("proxypeers", tests)
