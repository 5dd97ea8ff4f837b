/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_modes.c - ways of capturing TCP: by redirect and by tproxy, with each
 * kind of source, with and without conntrack of the leg to the server, for
 * both families; real nginx, real proxyd. What tproxy has to itself: no
 * address is needed, many inside interfaces, SYN cookies.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab.h"

enum { PORT = 80, CLIENT_PORT = 45679 };

static const struct lab_options masquerades = {.masquerade = true};

/* Lab, rules and a proxyd that is alive; `more` stands in gateway. */
static struct lab *
begin(const struct lab_options *options, const char *more, const char *via,
      const char *source, pid_t *ret_pid)
{
	struct str policy = {0};
	struct lab *lab;

	str_addf(&policy,
		 "gateway {\n"
		 "	inside in*\n"
		 "	outside out0\n"
		 "	user %s\n"
		 "%s"
		 "}\n"
		 "pool original {\n"
		 "	node original\n"
		 "	source %s\n"
		 "}\n"
		 "service web {\n"
		 "	intercept tcp port 80 via %s\n"
		 "	except to " LAB_OTHER4 ", " LAB_OTHER6 "\n"
		 "}\n",
		 lab_user(), more, source, via);
	lab = lab_begin(options, str_text(&policy), ret_pid);
	str_fini(&policy);
	return lab;
}

/* Whom does the server see when this client, with its port, asks `host`? */
static struct endpoint
seen_by(struct lab *lab, int family, enum lab_host host, const char *from)
{
	struct endpoint seen = {0};
	struct str body = {0};
	char to[ENDPOINT_TEXT_LEN];
	int r;

	lab_at(lab, family, host, PORT, to);
	r = lab_get(lab, LAB_CLIENT, from, to, "/", &body);
	if (body.len && body.data[body.len - 1] == '\n')
		body.data[body.len - 1] = '\0';
	if (r == 200)
		endpoint_parse(str_text(&body), &seen);
	UNIT_CHECK(r == 200, "%s from %s: %d", to, from, r);
	str_fini(&body);
	return seen;
}

/* --- the matrix ----------------------------------------------------------- */

struct mode {
	const char *via;
	const char *dst_via;
	const char *source;
	const char *tracking;
	bool masquerade;
};

static void
check_record(const struct mode *m, const char *client)
{
	struct str record = {0};
	char text[256];

	CU_ASSERT(LAB_WAIT(lab_record(client, &record), 3000));
	lab_value(str_text(&record), "dst_via", text);
	UNIT_CHECK(!strcmp(text, m->dst_via), "%s: %s", m->via,
		   str_text(&record));
	str_fini(&record);
}

static void
check_family(struct lab *lab, int family, const struct mode *m)
{
	char from[ENDPOINT_TEXT_LEN], text[ENDPOINT_TEXT_LEN];
	struct endpoint client, want, seen;
	bool ports;

	lab_at(lab, family, LAB_HOST_CLIENT, CLIENT_PORT, from);
	endpoint_parse(from, &client);
	want = client;
	if (!strcmp(m->source, "gateway") || m->masquerade) {
		lab_at(lab, family, LAB_HOST_OUTSIDE, CLIENT_PORT, text);
		endpoint_parse(text, &want);
	}
	ports = !strcmp(m->source, "client-port") && !m->masquerade;
	seen = seen_by(lab, family, LAB_HOST_SERVER, from);
	UNIT_CHECK(addr_equal(&seen.addr, &want.addr) &&
			   (!ports || seen.port == want.port),
		   "via %s, source %s, tracking %s, %s: seen as %s", m->via,
		   m->source, m->tracking, inet_family_name(family),
		   endpoint_format(&seen, text));
	check_record(m, from);
}

static void
check_mode(const struct mode *m)
{
	struct str more = {0};
	struct lab *lab;
	pid_t pid;
	int i;

	str_addf(&more, "	upstream-tracking %s\n", m->tracking);
	lab = begin(m->masquerade ? &masquerades : NULL, str_text(&more),
		    m->via, m->source, &pid);
	lab_nginx(lab);
	for (i = 0; i < 2; i++)
		check_family(lab, lab_families[i], m);
	lab_end(lab, pid);
	str_fini(&more);
}

static void
matrix(void)
{
	static const char *const vias[][2] = {{"redirect", "nat"},
					      {"tproxy", "socket"}};
	static const char *const sources[] = {"gateway", "client",
					      "client-port"};
	int i, k, n;

	for (i = 0; i < 2; i++) {
		for (k = 0; k < 3; k++) {
			struct mode m = {vias[i][0], vias[i][1], sources[k],
					 "zone", false};

			if (m.via[0] == 'r' && k == 2)
				m.dst_via = "conntrack";
			for (n = 0; n < 2; n++) {
				m.masquerade = n;
				check_mode(&m);
			}
			m.masquerade = false;
			m.tracking = "off";
			check_mode(&m);
		}
	}
}

/* --- what tproxy has to itself ---------------------------------------------
 */

/*
 * Two inside interfaces by a wildcard; one of them has no IPv4 address, for
 * which redirect is refused. What is excepted is routed.
 */
static void
interfaces(void)
{
	struct str out = {0};
	struct endpoint seen;
	struct lab *lab;
	pid_t pid;
	int i;

	lab = begin(NULL, "", "tproxy", "gateway", &pid);
	lab_nginx(lab);
	lab_must(lab, LAB_GATEWAY,
		 "ip link add in1 type veth peer name eth1 netns client &&"
		 "ip link set in1 up && sysctl -qw net.ipv6.conf.in1."
		 "accept_dad=0 && ip route add 10.9.0.0/24 dev in1 &&"
		 "ip -6 route add fd09::/64 dev in1");
	lab_must(lab, LAB_CLIENT,
		 "ip link set eth1 up && ip addr add 10.9.0.2/24 dev eth1 &&"
		 "ip addr add fd09::2/64 dev eth1 nodad &&"
		 "ip rule add from 10.9.0.2 lookup 9 &&"
		 "ip route add default dev eth1 table 9 &&"
		 "ip -6 rule add from fd09::2 lookup 9 &&"
		 "ip -6 route add default dev eth1 table 9");
	/* no neighbour answers for addresses that are routed elsewhere */
	lab_must(lab, LAB_GATEWAY,
		 "sysctl -qw net.ipv4.conf.in1.proxy_arp=1 "
		 "net.ipv6.conf.in1.proxy_ndp=1 && ip -6 neigh add proxy "
		 "fd02::2 dev in1 && ip -6 neigh add proxy fd02::3 dev in1");
	for (i = 0; i < 2; i++) {
		const char *from = i ? "[fd09::2]:45690" : "10.9.0.2:45690";
		struct endpoint client;

		endpoint_parse(from, &client);
		seen = seen_by(lab, lab_families[i], LAB_HOST_SERVER, from);
		UNIT_CHECK(!addr_equal(&seen.addr, &client.addr),
			   "%s is not captured", from);
		seen = seen_by(lab, lab_families[i], LAB_HOST_OTHER, from);
		UNIT_CHECK(endpoint_equal(&seen, &client),
			   "what is excepted is captured");
	}
	lab_stop_proxyd(lab, pid);
	/* and redirect on it is refused, with a way out */
	lab_policy(lab, "gateway {\n inside in1\n}\n"
			"service web {\n intercept tcp port 80\n}\n");
	CU_ASSERT_EQUAL(lab_netsetup(lab, &out, "apply"), 1);
	UNIT_CHECK(strstr(str_text(&out), "capture `via tproxy`") != NULL, "%s",
		   str_text(&out));
	lab_policy(lab,
		   "gateway {\n inside in1\n}\n"
		   "service web {\n intercept tcp port 80 via tproxy\n}\n");
	lab_apply(lab);
	str_fini(&out);
	lab_down(lab);
}

/* How many connections does the gateway track in this family? */
static size_t
entries(struct lab *lab, int family)
{
	struct str out = {0};
	const char *at;
	size_t n = 0;

	lab_run(lab, LAB_GATEWAY, &out, "conntrack -L -p tcp -f %s 2>/dev/null",
		inet_family_name(family));
	for (at = str_text(&out); (at = strchr(at, '\n')); at++)
		n++;
	str_fini(&out);
	return n;
}

/* The server's last FIN comes again and again, to a mere rest of a socket. */
static void
repeat_end(struct lab *lab, struct lab_flow *f)
{
	uint64_t before = lab_counter(lab, LAB_SERVER, "TcpRetransSegs");

	lab_nft(lab, LAB_SERVER,
		"table inet deaf {\n"
		"	chain in {\n"
		"		type filter hook input priority 0;\n"
		"		tcp dport 80 drop\n"
		"	}\n"
		"}\n");
	lab_flow_close(f);
	CU_ASSERT(LAB_WAIT(
		lab_counter(lab, LAB_SERVER, "TcpRetransSegs") > before, 2000));
	lab_sleep(20);
	lab_nft(lab, LAB_SERVER, "delete table inet deaf");
}

/* `off`: the client's leg is tracked, the server's is not, to its end. */
static void
untracked(void)
{
	static const char *const vias[] = {"redirect", "tproxy"};
	struct str out = {0};
	struct lab_flow f;
	struct lab *lab;
	int i, k, l;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		lab = begin(NULL, "	upstream-tracking off\n", vias[i],
			    "client", &pid);
		/* somebody else's, who would not let half a leg pass */
		lab_nft(lab, LAB_GATEWAY,
			"table inet strict {\n"
			"	chain in {\n"
			"		type filter hook input priority 0;\n"
			"		ct state invalid counter drop\n"
			"	}\n"
			"}\n");
		for (k = 0; k < 2; k++) {
			l = lab_serve(lab, lab_families[k], PORT);
			lab_must(lab, LAB_GATEWAY, "conntrack -F");
			lab_flow_open(lab, lab_families[k], l, NULL, PORT, &f);
			CU_ASSERT(lab_flow_works(&f));
			UNIT_CHECK(entries(lab, lab_families[k]) == 1,
				   "%s: %zu entries", vias[i],
				   entries(lab, lab_families[k]));
			/* the client ends first, and so does its proxy */
			shutdown(f.client, SHUT_WR);
			CU_ASSERT(lab_ended(f.server, 2000));
			repeat_end(lab, &f);
			UNIT_CHECK(entries(lab, lab_families[k]) == 1,
				   "%s: %zu entries at the end", vias[i],
				   entries(lab, lab_families[k]));
			close(l);
		}
		str_clear(&out);
		lab_run(lab, LAB_GATEWAY, &out, "nft list table inet strict");
		UNIT_CHECK(strstr(str_text(&out), "packets 0 ") != NULL,
			   "%s: %s", vias[i], str_text(&out));
		lab_end(lab, pid);
	}
	str_fini(&out);
}

/* The ACK of a SYN cookie has no socket yet, and finds the listener. */
static void
cookies(void)
{
	struct endpoint seen;
	char from[ENDPOINT_TEXT_LEN];
	struct endpoint client;
	struct lab *lab;
	pid_t pid;
	int i;

	lab = begin(NULL, "", "tproxy", "client-port", &pid);
	lab_nginx(lab);
	/* 2: for every connection, without any flood */
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv4/tcp_syncookies", "2");
	for (i = 0; i < 2; i++) {
		lab_at(lab, lab_families[i], LAB_HOST_CLIENT, CLIENT_PORT,
		       from);
		endpoint_parse(from, &client);
		seen = seen_by(lab, lab_families[i], LAB_HOST_SERVER, from);
		CU_ASSERT(endpoint_equal(&seen, &client));
	}
	CU_ASSERT(lab_counter(lab, LAB_GATEWAY, "TcpExtSyncookiesRecv") >= 2);
	lab_end(lab, pid);
}

/* Without rules anybody reaches the listener, and nobody is served. */
static void
knocking(void)
{
	struct str out = {0};
	struct lab *lab;
	unsigned int port;
	char to[ENDPOINT_TEXT_LEN];
	const char *at;
	pid_t pid;

	lab = begin(NULL, "", "tproxy", "client", &pid);
	lab_netsetup(lab, &out, "status");
	at = strstr(str_text(&out), "port ");
	CU_ASSERT_FATAL(at && sscanf(at, "port %u", &port) == 1);
	snprintf(to, sizeof(to), LAB_GATEWAY4 ":%u", port);
	CU_ASSERT_EQUAL(lab_connect(lab, LAB_CLIENT, NULL, to, 2000),
			-ECONNREFUSED);
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	lab_expect_reset(lab_connect(lab, LAB_CLIENT, NULL, to, 2000), 2000);
	CU_ASSERT(lab_closed("direct", 1));
	lab_stop_proxyd(lab, pid);
	str_fini(&out);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"matrix", matrix},	  {"interfaces", interfaces},
	{"untracked", untracked}, {"cookies", cookies},
	{"knocking", knocking},
};

LAB_MAIN("modes", tests)
