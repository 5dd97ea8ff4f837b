/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_intruder.c - another user of the box gets none of proxyd's datagrams:
 * no socket of its own stands beside proxyd's, whatever it asks for.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/lab_udp.h"

enum {
	INTRUDER = 1234,
	TPROXIED = 5301,
	REDIRECTED = 5302,
	LISTENED = 5303,
	EVERYWHERE = 5304,
	CLIENT_PORT = 45000,
};

static const char policy[] =
	"gateway {\n inside in0\n outside out0\n user %s\n workers 2\n}\n"
	"pool original {\n node original\n source client-port\n}\n"
	"pool servers {\n node " LAB_SERVER4 ":53\n"
	" node [" LAB_SERVER6 "]:53\n source client\n}\n"
	"service tproxied {\n intercept udp port 5301 via tproxy\n"
	" use original\n}\n"
	"service redirected {\n intercept udp port 5302 via redirect\n"
	" use original\n}\n"
	"service listened {\n listen udp " LAB_GATEWAY4 ":5303\n"
	" listen udp [" LAB_GATEWAY6 "]:5303\n use servers\n}\n"
	"service everywhere {\n listen udp 5304\n use servers\n}\n";

/* 0 or -errno; a user without privileges may ask for each of these. */
static int
try_to_bind(const struct endpoint *at, bool address, bool port)
{
	int fd = socket(at->addr.family, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
	union sockaddr_any sa;
	socklen_t len = endpoint_to_sockaddr(at, &sa);
	int r;

	if (at->addr.family == AF_INET6)
		r = setsockopt(fd, SOL_IPV6, IPV6_FREEBIND, &on, sizeof(on));
	else
		r = setsockopt(fd, SOL_IP, IP_FREEBIND, &on, sizeof(on));
	if (r == 0 && address)
		r = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (r == 0 && port)
		r = setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (r == 0)
		r = bind(fd, &sa.sa, len);
	r = r < 0 ? -errno : 0;
	close(fd);
	return r;
}

/* The same as the intruder; how many of the ways were not refused. */
static int
count_ways(struct lab *lab, const struct endpoint *at)
{
	int status = 0, n = 0, i;
	pid_t pid = fork();

	if (pid == 0) {
		lab_enter(lab, LAB_GATEWAY);
		if (setresgid(INTRUDER, INTRUDER, INTRUDER) < 0 ||
		    setresuid(INTRUDER, INTRUDER, INTRUDER) < 0)
			_exit(100);
		for (i = 0; i < 4; i++)
			n += try_to_bind(at, i & 1, i & 2) != -EADDRINUSE;
		_exit(n);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		lab_die("intruder: %s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 101;
}

static void
refuse(struct lab *lab, const char *at, const char *when)
{
	struct endpoint e = {0};
	int n;

	if (endpoint_parse(at, &e) < 0)
		lab_die("no endpoint: %s", at);
	n = count_ways(lab, &e);
	UNIT_CHECK(n == 0, "%s: %d ways to %s", when, n, at);
}

/* Where the listeners are, by what the kernel says. */
static void
refuse_listeners(struct lab *lab, const char *when)
{
	char at[256], *line, *next;
	struct str out = {0};
	int n = 0;

	lab_run(lab, LAB_GATEWAY, &out,
		"ss -Huan state unconnected | awk '{print $3}' |"
		" sed 's/^\\*:/[::]:/'");
	for (line = out.len ? out.data : NULL; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		snprintf(at, sizeof(at), "%s", line);
		refuse(lab, at, when);
		n++;
	}
	/* four services, two families, two workers */
	UNIT_CHECK(n >= 16, "%d listeners", n);
	str_fini(&out);
}

/* A flow by `port`, so that there are legs; gives back its client. */
static int
begin_flow(struct lab *lab, int family, int server, enum lab_host host,
	   unsigned int port)
{
	char from[ENDPOINT_TEXT_LEN], to[ENDPOINT_TEXT_LEN];
	int client;

	lab_at(lab, family, LAB_HOST_CLIENT, CLIENT_PORT + port, from);
	lab_at(lab, family, host, port, to);
	client = lab_udp_socket(lab, LAB_CLIENT, from, to);
	UNIT_CHECK(lab_udp_asks(client, server, to, NULL), "%s", to);
	return client;
}

/* The legs of a flow to `port`: to its client, and to its server. */
static void
check_flow(struct lab *lab, int family, enum lab_host host, unsigned int port)
{
	bool captured = host == LAB_HOST_SERVER;
	char at[ENDPOINT_TEXT_LEN];
	int server, client;

	lab_at(lab, family, LAB_HOST_SERVER, captured ? port : LAB_UDP_PORT,
	       at);
	server = lab_udp_socket(lab, LAB_SERVER, at, NULL);
	client = begin_flow(lab, family, server, host, port);
	/* redirected, it is the gateway's address and the capture port */
	if (port != REDIRECTED)
		refuse(lab, lab_at(lab, family, host, port, at), "client leg");
	if (captured)
		refuse(lab,
		       lab_at(lab, family, LAB_HOST_CLIENT, CLIENT_PORT + port,
			      at),
		       "server leg");
	refuse_listeners(lab, "with a flow");
	close(client);
	close(server);
}

static void
datagrams(void)
{
	struct lab *lab;
	pid_t pid;
	int i;

	if (!strcmp(lab_user(), "root")) {
		printf("needs a second user id; ");
		return;
	}
	lab = lab_begin(NULL, policy, &pid);
	refuse_listeners(lab, "at the beginning");
	for (i = 0; i < 2; i++) {
		check_flow(lab, lab_families[i], LAB_HOST_SERVER, TPROXIED);
		check_flow(lab, lab_families[i], LAB_HOST_SERVER, REDIRECTED);
		check_flow(lab, lab_families[i], LAB_HOST_GATEWAY, LISTENED);
		check_flow(lab, lab_families[i], LAB_HOST_GATEWAY, EVERYWHERE);
	}
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"datagrams", datagrams},
};

LAB_MAIN("intruder", tests)
