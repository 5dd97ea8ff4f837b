/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_http_capture.c - requests that were captured go where the client was
 * going, from where the policy says, whatever Host says.
 *
 * All ways of capture, all sources, both families. Names rotate, and clients
 * lie (CVE-2009-0801): neither takes a request to another server, and neither
 * is refused for it.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/web.h"

static const char policy[] = "gateway {\n"
			     "	inside in0\n"
			     "	outside out0\n"
			     "	user %s\n"
			     "	workers 2\n"
			     "}\n"
			     "pool gateway { node original; source gateway }\n"
			     "pool client { node original; source client }\n"
			     "pool port {\n"
			     "	node original\n"
			     "	source client-port\n"
			     "}\n"
			     "service rg {\n"
			     "	intercept tcp port 80 via redirect\n"
			     "	mode http\n"
			     "	use gateway\n"
			     "}\n"
			     "service rc {\n"
			     "	intercept tcp port 81 via redirect\n"
			     "	mode http\n"
			     "	use client\n"
			     "}\n"
			     "service rp {\n"
			     "	intercept tcp port 82 via redirect\n"
			     "	mode http\n"
			     "	use port\n"
			     "}\n"
			     "service tg {\n"
			     "	intercept tcp port 83 via tproxy\n"
			     "	mode http\n"
			     "	use gateway\n"
			     "}\n"
			     "service tc {\n"
			     "	intercept tcp port 84 via tproxy\n"
			     "	mode http\n"
			     "	use client\n"
			     "}\n"
			     "service tp {\n"
			     "	intercept tcp port 85 via tproxy\n"
			     "	mode http\n"
			     "	use port\n"
			     "}\n";

/* Which port stands for what, in the policy above. */
enum {
	PORTS_FIRST = 80,
	PORTS_LAST = 85,
	TPROXY_FIRST = 83,
	ROUNDS = 6,
};

enum source {
	SOURCE_BOX,
	SOURCE_CLIENT,
	SOURCE_PORT,
};

static enum source
source_of(unsigned int port)
{
	return (enum source)((port - PORTS_FIRST) % 3);
}

/* "ADDR:PORT" without the port, and without brackets. */
static const char *
bare(const char *at, char buf[ADDR_TEXT_LEN])
{
	struct endpoint e;

	if (endpoint_parse(at, &e) < 0)
		lab_die("'%s' is no endpoint", at);
	addr_format(&e.addr, buf);
	return buf;
}

/* A kept connection to one of the servers. */
struct client {
	int fd;
	char to[ENDPOINT_TEXT_LEN];
	char name[ENDPOINT_TEXT_LEN];
};

static void
come(struct lab *lab, int family, enum lab_host host, unsigned int port,
     struct client *ret_client)
{
	lab_at(lab, family, host, port, ret_client->to);
	ret_client->fd = web_open(lab, NULL, ret_client->to);
	lab_name(ret_client->fd, ret_client->name);
}

static unsigned int
port_of(const char *at)
{
	struct endpoint e;

	return endpoint_parse(at, &e) < 0 ? 0 : e.port;
}

/* Asks with this Host, and looks at what the server saw. */
static void
check(struct lab *lab, const struct client *c, const char *host)
{
	char fields[128], us[ADDR_TEXT_LEN], server[ADDR_TEXT_LEN];
	char box[ENDPOINT_TEXT_LEN], want[ADDR_TEXT_LEN];
	unsigned int port = port_of(c->to);
	int family = strchr(c->to, '[') ? AF_INET6 : AF_INET;
	struct web_who who;

	snprintf(fields, sizeof(fields), "Host: %s\r\n", host);
	if (!web_ask_who(c->fd, fields, &who))
		return;
	bare(c->name, us);
	bare(lab_at(lab, family, LAB_HOST_OUTSIDE, 1, box), want);
	UNIT_STRINGS(who.server, bare(c->to, server));
	UNIT_STRINGS(who.host, host);
	UNIT_STRINGS(who.forwarded, us);
	UNIT_STRINGS(who.address, source_of(port) == SOURCE_BOX ? want : us);
	if (source_of(port) == SOURCE_PORT)
		UNIT_CHECK(who.port == port_of(c->name), "port %u, not of %s",
			   who.port, c->name);
}

/* Two servers in turn, each asked in the other's name, and in any other. */
static void
check_service(struct lab *lab, int family, unsigned int port)
{
	struct client one, two;
	int i;

	come(lab, family, LAB_HOST_SERVER, port, &one);
	come(lab, family, LAB_HOST_OTHER, port, &two);
	for (i = 0; i < ROUNDS; i++) {
		check(lab, &one, i % 2 ? two.to : one.to);
		check(lab, &two, i % 2 ? one.to : "www.example");
	}
	close(one.fd);
	close(two.fd);
}

/* The record of one of these requests. */
static void
check_record(struct lab *lab, int family, unsigned int port)
{
	char at[ENDPOINT_TEXT_LEN], buf[256];
	struct str record = {0};

	lab_at(lab, family, LAB_HOST_SERVER, port, at);
	snprintf(buf, sizeof(buf), " destination=%s ", at);
	CU_ASSERT(LAB_WAIT(lab_record(buf, &record), 1000));
	UNIT_STRINGS(lab_value(str_text(&record), "node", buf), at);
	UNIT_STRINGS(lab_value(str_text(&record), "status", buf), "200");
	UNIT_STRINGS(lab_value(str_text(&record), "close", buf), "done");
	if (port >= TPROXY_FIRST)
		UNIT_STRINGS(lab_value(str_text(&record), "dst_via", buf),
			     "socket");
	str_fini(&record);
}

static void
everywhere(void)
{
	unsigned int port;
	struct lab *lab;
	pid_t pid;
	int i;

	lab = lab_begin(NULL, policy, &pid);
	web_nginx(lab);
	for (port = PORTS_FIRST; port <= PORTS_LAST; port++)
		for (i = 0; i < 2; i++) {
			check_service(lab, lab_families[i], port);
			check_record(lab, lab_families[i], port);
		}
	CU_ASSERT_EQUAL(lab_log_count("proxyd", " status=409"), 0);
	lab_end(lab, pid);
}

/* The server that the client asked is not there; the one it names is. */
static void
named_elsewhere(void)
{
	struct str body = {0}, record = {0};
	struct lab *lab;
	char buf[256];
	pid_t pid;
	int fd;

	lab = web_begin("\ttimeout connect 500ms\n", "\tsource client\n", "",
			&pid);
	lab_nft(lab, LAB_SERVER,
		"table ip shut {\n"
		"	chain in {\n"
		"		type filter hook input priority 0\n"
		"		ip daddr " LAB_OTHER4 " tcp dport 80 drop\n"
		"	}\n"
		"}\n");
	fd = web_open(lab, NULL, LAB_OTHER4 ":80");
	CU_ASSERT_EQUAL(web_ask(fd, "/who", "Host: " LAB_SERVER4 "\r\n", &body),
			504);
	CU_ASSERT(LAB_WAIT(
		lab_record("destination=" LAB_OTHER4 ":80 ", &record), 1000));
	UNIT_STRINGS(lab_value(str_text(&record), "close", buf),
		     "connect-timeout");
	CU_ASSERT(!strstr(str_text(&body), LAB_SERVER4));
	/* a target that names a host is not another destination either */
	lab_send(fd, "GET http://" LAB_SERVER4 "/who HTTP/1.1\r\n"
		     "Host: " LAB_SERVER4 "\r\n\r\n");
	CU_ASSERT_EQUAL(web_answer(fd, &body, NULL), 504);
	close(fd);
	str_fini(&body);
	str_fini(&record);
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"everywhere", everywhere},
	{"named_elsewhere", named_elsewhere},
};

LAB_MAIN("http_capture", tests)
