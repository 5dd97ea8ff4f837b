/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_explain.c - what `netsetup explain` says, and what then really happens
 * to a connection of the same kind.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab.h"

enum { TUPLE_LEN = 128 };

static const char plain[] = "gateway {\n"
			    "	inside in0\n"
			    "	except port 81\n"
			    "	user %s\n"
			    "}\n"
			    "service web {\n"
			    "	intercept tcp port 80-89\n"
			    "}\n";

static const char as_gateway[] = "gateway {\n"
				 "	inside in0\n"
				 "	user %s\n"
				 "	on-failure closed\n"
				 "}\n"
				 "pool original {\n"
				 "	node original\n"
				 "	source gateway\n"
				 "}\n"
				 "service web {\n"
				 "	intercept tcp port 80\n"
				 "}\n";

/* What explain prints; it must succeed. The caller frees it. */
static struct str
explain(struct lab *lab, const char *arguments)
{
	struct str out = {0};
	int r = lab_run(lab, LAB_GATEWAY, &out, "netsetup explain %s",
			arguments);

	UNIT_CHECK(r == 0, "explain %s: %d: %s", arguments, r, str_text(&out));
	return out;
}

/* explain must say `text`. */
static void
says(struct lab *lab, const char *arguments, const char *text)
{
	struct str out = explain(lab, arguments);

	UNIT_CHECK(strstr(str_text(&out), text) != NULL,
		   "explain %s does not say '%s':\n%s", arguments, text,
		   str_text(&out));
	str_fini(&out);
}

/* "CLIENT SERVER:port" of the lab's client and one of its hosts. */
static const char *
tuple(struct lab *lab, int family, enum lab_host host, unsigned int port,
      char buf[TUPLE_LEN])
{
	char client[ENDPOINT_TEXT_LEN], server[ENDPOINT_TEXT_LEN];

	lab_at(lab, family, LAB_HOST_CLIENT, 0, client);
	lab_at(lab, family, host, port, server);
	snprintf(buf, TUPLE_LEN, "'%s' '%s'", client, server);
	return buf;
}

/* Whose address does the server see? */
static void
seen(struct lab *lab, int family, unsigned int port, const char *ret_seen)
{
	struct lab_flow flow;
	int listener = lab_serve(lab, family, port);
	struct endpoint peer;
	char text[ADDR_TEXT_LEN];

	lab_flow_open(lab, family, listener, NULL, port, &flow);
	UNIT_CHECK(lab_flow_works(&flow), "port %u", port);
	endpoint_parse(flow.seen, &peer);
	UNIT_STRINGS(addr_format(&peer.addr, text), ret_seen);
	lab_flow_close(&flow);
	close(listener);
}

/* Captured, and from the client's address: both say so. */
static void
proxied(void)
{
	pid_t proxyd;
	struct lab *lab = lab_begin(NULL, plain, &proxyd);
	char args[TUPLE_LEN];

	says(lab, tuple(lab, AF_INET, LAB_HOST_SERVER, 80, args),
	     "captured by service web, proxied to " LAB_SERVER4
	     ":80 from " LAB_CLIENT4 " (any port)\n"
	     "if proxyd is down: routed by out0, unproxied\n");
	says(lab, args, "now: alive");
	says(lab, args, "somebody listens on " LAB_GATEWAY4 ":");
	says(lab, args, "by out0, from " LAB_SERVER4 ":80 to " LAB_CLIENT4);
	says(lab, args, "to this box (table 9061)");
	seen(lab, AF_INET, 80, LAB_CLIENT4);
	says(lab, tuple(lab, AF_INET6, LAB_HOST_SERVER, 80, args),
	     "captured by service web, proxied to [" LAB_SERVER6
	     "]:80 from " LAB_CLIENT6 " (any port)\n");
	seen(lab, AF_INET6, 80, LAB_CLIENT6);
	UNIT_CHECK(LAB_WAIT(lab_log_count("proxyd", "service=web") == 2, 3000),
		   "records");
	lab_end(lab, proxyd);
}

/* The box's own source is the one that routing chooses. */
static void
gateway_source(void)
{
	pid_t proxyd;
	struct lab *lab = lab_begin(NULL, as_gateway, &proxyd);
	char args[TUPLE_LEN];

	says(lab, tuple(lab, AF_INET, LAB_HOST_SERVER, 80, args),
	     "proxied to " LAB_SERVER4 ":80 from " LAB_OUTSIDE4 " (any port)\n"
	     "if proxyd is down: refused with a reset\n");
	seen(lab, AF_INET, 80, LAB_OUTSIDE4);
	says(lab, tuple(lab, AF_INET6, LAB_HOST_SERVER, 80, args),
	     "proxied to [" LAB_SERVER6 "]:80 from " LAB_OUTSIDE6
	     " (any port)\n");
	seen(lab, AF_INET6, 80, LAB_OUTSIDE6);
	lab_end(lab, proxyd);
}

/* Excepted, of another port, to the box itself, from outside. */
static void
not_captured(void)
{
	pid_t proxyd;
	struct lab *lab = lab_begin(NULL, plain, &proxyd);
	char args[TUPLE_LEN];

	says(lab, tuple(lab, AF_INET, LAB_HOST_SERVER, 81, args),
	     "not captured: excepted by policy.conf:3; routed by out0, "
	     "unproxied\n");
	says(lab, LAB_CLIENT4 " 224.0.0.1:80", "(not unicast)");
	says(lab, LAB_CLIENT6 " '[ff02::1]:80'", "(not unicast)");
	seen(lab, AF_INET, 81, LAB_CLIENT4);
	says(lab, tuple(lab, AF_INET6, LAB_HOST_SERVER, 8080, args),
	     "policy.conf:7 web: port 8080 is not 80-89\n");
	seen(lab, AF_INET6, 8080, LAB_CLIENT6);
	says(lab, tuple(lab, AF_INET, LAB_HOST_GATEWAY, 80, args),
	     LAB_GATEWAY4 " is this box's own, and no `to` names it\n");
	says(lab, args, "delivered to this box itself\n");
	says(lab, LAB_SERVER4 " " LAB_CLIENT4 ":80",
	     "policy.conf:7 web: interface out0 is not in0\n");
	says(lab, LAB_OUTSIDE4 " " LAB_SERVER4 ":80",
	     LAB_OUTSIDE4 " is this box's own, and what the box itself sends "
			  "is never captured;\nit goes by out0\n");
	UNIT_CHECK(lab_direct(lab) > 0, "routed");
	lab_stop_proxyd(lab, proxyd);
	UNIT_CHECK(lab_log_count("proxyd", "service=web") == 0, "records");
	lab_down(lab);
}

/* A pair that bypasses the proxy is said to, and does; others do not. */
static void
bypassed(void)
{
	pid_t proxyd;
	struct lab *lab = lab_begin(NULL, plain, &proxyd);
	char args[TUPLE_LEN];

	lab_must(lab, LAB_GATEWAY,
		 "netsetup bypass add " LAB_CLIENT4 " " LAB_SERVER4 " 50s");
	says(lab, tuple(lab, AF_INET, LAB_HOST_SERVER, 80, args),
	     "not captured: these two bypass the proxy for ");
	seen(lab, AF_INET, 80, LAB_CLIENT4);
	UNIT_CHECK(lab_direct(lab) > 0, "routed");
	says(lab, tuple(lab, AF_INET, LAB_HOST_OTHER, 80, args),
	     "captured by service web");
	lab_stop_proxyd(lab, proxyd);
	lab_down(lab);
}

/* The same by tproxy: the socket has the server's name. */
static void
tproxied(void)
{
	static const char policy[] = "gateway {\n"
				     "	inside in0\n"
				     "	user %s\n"
				     "}\n"
				     "service web {\n"
				     "	intercept tcp port 80 via tproxy\n"
				     "}\n";
	pid_t proxyd;
	struct lab *lab = lab_begin(NULL, policy, &proxyd);
	char args[TUPLE_LEN];

	tuple(lab, AF_INET, LAB_HOST_SERVER, 80, args);
	says(lab, args, "service_web gives it to a socket of this box, ");
	says(lab, args, "to this box (table 9061)");
	says(lab, args, "somebody listens on " LAB_SERVER4 ":");
	says(lab, args,
	     "captured by service web, proxied to " LAB_SERVER4
	     ":80 from " LAB_CLIENT4 " (any port)\n"
	     "if proxyd is down: routed by out0, unproxied\n");
	seen(lab, AF_INET, 80, LAB_CLIENT4);
	tuple(lab, AF_INET6, LAB_HOST_SERVER, 80, args);
	says(lab, args, "to this box (table 9061)");
	seen(lab, AF_INET6, 80, LAB_CLIENT6);
	lab_end(lab, proxyd);
}

/* Is this connection refused with a reset? */
static bool
refused(struct lab *lab, int family)
{
	char to[ENDPOINT_TEXT_LEN];
	int fd =
		lab_connect(lab, LAB_CLIENT, NULL,
			    lab_at(lab, family, LAB_HOST_SERVER, 80, to), 2000);

	if (fd >= 0)
		close(fd);
	return fd == -ECONNREFUSED;
}

/* Killed: what explain said before is what happens now, and it says so. */
static void
killed(const char *policy, const char *says_down, bool open)
{
	pid_t proxyd;
	struct lab *lab = lab_begin(NULL, policy, &proxyd);
	char args[TUPLE_LEN];
	int i;

	lab_stop(lab, proxyd, SIGKILL, 3000);
	UNIT_CHECK(LAB_WAIT(!lab_armed(lab), 5000), "still armed");
	for (i = 0; i < 2; i++) {
		tuple(lab, lab_families[i], LAB_HOST_SERVER, 80, args);
		says(lab, args, "but not now: proxyd is not alive for it\n");
		says(lab, args, "now: not alive");
		says(lab, args, says_down);
		if (open)
			seen(lab, lab_families[i], 80,
			     i ? LAB_CLIENT6 : LAB_CLIENT4);
		else
			UNIT_CHECK(refused(lab, lab_families[i]), "refused");
	}
	lab_down(lab);
}

static void
killed_open(void)
{
	killed(plain, "if proxyd is down: routed by out0, unproxied\n", true);
}

static void
killed_closed(void)
{
	killed(as_gateway, "if proxyd is down: refused with a reset\n", false);
}

/* What becomes of a datagram to the server: 0 it arrived, or -errno. */
static int
send_datagram(struct lab *lab, unsigned int port)
{
	int from = lab_socket(lab, LAB_CLIENT, AF_INET, SOCK_DGRAM);
	int at = lab_socket(lab, LAB_SERVER, AF_INET, SOCK_DGRAM);
	struct endpoint to = {.port = (uint16_t)port};
	union sockaddr_any sa;
	socklen_t len;
	char buf[16];
	int r = 0;

	addr_parse(LAB_SERVER4, &to.addr);
	len = endpoint_to_sockaddr(&to, &sa);
	if (bind(at, &sa.sa, len) < 0 || connect(from, &sa.sa, len) < 0)
		lab_die("udp: %s", strerror(errno));
	if (send(from, "hello", 5, 0) < 0 || lab_recv(at, buf, 16, 300) <= 0)
		r = (int)lab_recv(from, buf, sizeof(buf), 300);
	close(from);
	close(at);
	return r;
}

/* Datagrams while proxyd is down: refused, routed, not captured. */
static void
datagrams(void)
{
	struct lab *lab = lab_up(NULL);
	char args[TUPLE_LEN + 4] = "udp ";

	lab_policy(lab, "gateway {\n	inside in0\n}\n"
			"service dns {\n"
			"	intercept udp port 53\n"
			"	on-failure closed\n"
			"}\n"
			"service ntp {\n"
			"	intercept udp port 123 via redirect\n"
			"}\n");
	lab_apply(lab);
	tuple(lab, AF_INET, LAB_HOST_SERVER, 53, args + 4);
	says(lab, args, "gives it to a socket of this box, policy.conf:4");
	says(lab, args, "if proxyd is down: refused with an ICMP error\n");
	CU_ASSERT_EQUAL(send_datagram(lab, 53), -ECONNREFUSED);
	tuple(lab, AF_INET, LAB_HOST_SERVER, 123, args + 4);
	says(lab, args, "service_ntp redirects it to port ");
	says(lab, args, "if proxyd is down: routed by out0, unproxied\n");
	CU_ASSERT_EQUAL(send_datagram(lab, 123), 0);
	tuple(lab, AF_INET, LAB_HOST_SERVER, 54, args + 4);
	says(lab, args,
	     "not captured: no service intercepts it; routed by "
	     "out0, unproxied\n");
	CU_ASSERT_EQUAL(send_datagram(lab, 54), 0);
	lab_down(lab);
}

/* Does a connection to the server's port 80 come about? */
static bool
works(struct lab *lab, int family)
{
	char to[ENDPOINT_TEXT_LEN];
	int listener = lab_serve(lab, family, 80), client, server;

	client = lab_connect(lab, LAB_CLIENT, NULL,
			     lab_at(lab, family, LAB_HOST_SERVER, 80, to), 500);
	server = lab_accept(listener, 500, NULL);
	if (client >= 0)
		close(client);
	if (server >= 0)
		close(server);
	close(listener);
	return client >= 0 && server >= 0;
}

/* Without the ip rule the answer goes to the client, and nothing works. */
static void
return_path_gone(void)
{
	pid_t proxyd;
	struct lab *lab = lab_begin(NULL, plain, &proxyd);
	char args[TUPLE_LEN];

	tuple(lab, AF_INET, LAB_HOST_SERVER, 80, args);
	UNIT_CHECK(works(lab, AF_INET), "before");
	lab_must(lab, LAB_GATEWAY, "ip rule del pref 9061");
	says(lab, args,
	     "what is installed differs from what was applied (1 ip-rule); "
	     "see `netsetup\nstatus`\n");
	says(lab, args, "but it cannot work: see `the server's answer`\n");
	says(lab, args, "  routing           by in0\n      proxyd waits");
	UNIT_CHECK(!works(lab, AF_INET), "without the ip rule");
	/* the other family is not touched by that */
	tuple(lab, AF_INET6, LAB_HOST_SERVER, 80, args);
	says(lab, args, "to this box (table 9061)");
	lab_apply(lab);
	tuple(lab, AF_INET, LAB_HOST_SERVER, 80, args);
	says(lab, args, "to this box (table 9061)");
	lab_stop_proxyd(lab, proxyd);
	lab_down(lab);
}

/* A strict reverse path filter: the kernel says it, explain passes it on. */
static void
reverse_path(void)
{
	pid_t proxyd;
	struct lab *lab = lab_begin(NULL, plain, &proxyd);
	char args[TUPLE_LEN];

	tuple(lab, AF_INET, LAB_HOST_SERVER, 80, args);
	strcat(args, " -i in0");
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv4/conf/in0/rp_filter", "1");
	lab_sysctl(lab, LAB_GATEWAY, "net/ipv4/conf/all/src_valid_mark", "1");
	says(lab, args, "captured by service web, proxied");
	says(lab, args,
	     "rp_filter 0, src_valid_mark 1 (the greater of all and out0)\n");
	UNIT_CHECK(works(lab, AF_INET), "the way back is the same");
	lab_must(lab, LAB_GATEWAY, "ip route add " LAB_CLIENT4 "/32 dev out0");
	says(lab, args, "the reverse path filter drops it");
	says(lab, args, "way to " LAB_CLIENT4 " is by out0");
	says(lab, args, "dropped on its way to proxyd");
	UNIT_CHECK(!works(lab, AF_INET), "filtered");
	lab_stop_proxyd(lab, proxyd);
	lab_down(lab);
}

/* --- what is there, and what is not ------------------------------------------
 */

/* A policy that is not installed; and nothing is, afterwards. */
static void
not_installed(void)
{
	struct lab *lab = lab_up(NULL);
	char args[TUPLE_LEN];

	lab_policy(lab, plain, lab_user());
	tuple(lab, AF_INET, LAB_HOST_SERVER, 80, args);
	says(lab, args, "nothing is installed\n");
	says(lab, args,
	     "not captured: no policy is in force; goes nowhere: "
	     "forwarding is off");
	UNIT_CHECK(!works(lab, AF_INET), "forwarding is off");
	strcat(args, " -f " LAB_DIR "/policy.conf");
	says(lab, args,
	     "this is how it would be: " LAB_DIR
	     "/policy.conf is not what is installed ");
	says(lab, args,
	     "captured by service web, proxied to " LAB_SERVER4
	     ":80 from " LAB_CLIENT4 " (any port)\n");
	says(lab, args, "once ip rule 9061 is installed");
	says(lab, args, "if proxyd is down: routed by out0, unproxied\n");
	lab_must(lab, LAB_GATEWAY,
		 "test -z \"$(nft list ruleset)$(ip route show table 9061 "
		 "2>/dev/null)\"");
	lab_apply(lab);
	says(lab, args, "to this box (table 9061)\n      ip rule 9061");
	lab_down(lab);
}

/* What others did to our table is what is walked, not what was applied. */
static void
drift(void)
{
	pid_t proxyd;
	struct lab *lab = lab_begin(NULL, plain, &proxyd);
	char args[TUPLE_LEN];

	tuple(lab, AF_INET, LAB_HOST_SERVER, 80, args);
	lab_must(lab, LAB_GATEWAY,
		 "nft insert rule inet interpose guard_in counter");
	says(lab, args,
	     "rules in our table that others made or changed, and "
	     "that are not looked at\nhere: 1\n");
	lab_must(lab, LAB_GATEWAY,
		 "nft flush chain inet interpose service_web");
	says(lab, args,
	     "not captured: the rules that would are not there; "
	     "routed by out0, unproxied\n");
	seen(lab, AF_INET, 80, LAB_CLIENT4);
	UNIT_CHECK(lab_direct(lab) > 0, "routed");
	lab_must(lab, LAB_GATEWAY, "nft flush ruleset");
	says(lab, args,
	     "what is installed differs from what was applied (1 "
	     "table, ");
	says(lab, args, "not captured: the rules that would are not there;");
	lab_stop(lab, proxyd, SIGKILL, 3000);
	lab_down(lab);
}

/* Base chains of others are named, those of the hooks that it passes. */
static void
others(void)
{
	struct lab *lab = lab_up(NULL);
	char args[TUPLE_LEN];

	lab_policy(lab, plain, lab_user());
	lab_apply(lab);
	lab_nft(lab, LAB_GATEWAY,
		"table ip filter {\n"
		"	chain FORWARD { type filter hook forward priority 0; "
		"policy drop; }\n"
		"	chain INPUT { type filter hook input priority 0; }\n"
		"}\n"
		"table ip6 filter {\n"
		"	chain FORWARD { type filter hook forward priority 5; "
		"}\n"
		"}\n");
	tuple(lab, AF_INET, LAB_HOST_SERVER, 8080, args);
	says(lab, args,
	     "  forward           also sees this packet:\n"
	     "      table ip filter chain FORWARD (priority 0, "
	     "policy drop)\n");
	tuple(lab, AF_INET6, LAB_HOST_SERVER, 8080, args);
	says(lab, args,
	     "      table ip6 filter chain FORWARD (priority 5, "
	     "policy accept)\n");
	tuple(lab, AF_INET, LAB_HOST_GATEWAY, 8080, args);
	says(lab, args,
	     "  input             also sees this packet:\n"
	     "      table ip filter chain INPUT (priority 0, "
	     "policy accept)\n");
	lab_down(lab);
}

/* --- what is typed
 * ------------------------------------------------------------- */

static void
mistakes(void)
{
	static const struct {
		const char *words;
		int status;
		const char *says;
	} table[] = {
		{"", 64,
		 "something is missing: type `netsetup explain [tcp|udp] "
		 "client[:port] destination:port`"},
		{"10.1.0.2 10.2.0.2", 64,
		 "'10.2.0.2' needs a port: 10.2.0.2:80"},
		{"client.example 10.2.0.2:80", 64,
		 "'client.example' is not an address, and names are not "
		 "looked up"},
		{"10.1.0.2 10.2.0.2:80 -i eth9", 64,
		 "there is no interface 'eth9'"},
		{"192.0.2.9 10.2.0.2:80", 1,
		 "no route leads to 192.0.2.9, so it cannot be told where that "
		 "comes in; name the interface with -i"},
		{"10.1.0.2 10.2.0.2:80 -f /nowhere", 65, "/nowhere"},
	};
	struct lab *lab = lab_up(NULL);
	struct str out = {0};
	size_t i;
	int r;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		str_clear(&out);
		r = lab_run(lab, LAB_GATEWAY, &out, "netsetup explain %s",
			    table[i].words);
		UNIT_CHECK(r == table[i].status, "%s: %d", table[i].words, r);
		UNIT_CHECK(strstr(str_text(&out), table[i].says) != NULL,
			   "%s: %s", table[i].words, str_text(&out));
	}
	str_fini(&out);
	lab_down(lab);
}

static void
not_permitted(void)
{
	struct lab *lab = lab_up(NULL);
	int r = lab_run(lab, LAB_GATEWAY, NULL,
			"setpriv --bounding-set=-net_admin "
			"--inh-caps=-net_admin netsetup explain " LAB_CLIENT4
			" " LAB_SERVER4 ":80");

	UNIT_CHECK(r == 77, "%d", r);
	lab_down(lab);
}

static void
as_json(void)
{
	struct lab *lab = lab_up(NULL);

	lab_policy(lab, plain, lab_user());
	lab_apply(lab);
	lab_must(lab, LAB_GATEWAY,
		 "netsetup explain --json " LAB_CLIENT4 " " LAB_SERVER4
		 ":80 | python3 -c 'import json, sys\n"
		 "e = json.load(sys.stdin)\n"
		 "assert e[\"service\"] == \"web\"\n"
		 "assert e[\"alive\"] is False\n"
		 "assert e[\"now\"] == \"routed\"\n"
		 "assert e[\"without_proxyd\"] == \"routed\"\n"
		 "assert e[\"interface\"] == \"in0\"\n"
		 "assert e[\"server\"] == \"" LAB_SERVER4 ":80\"\n"
		 "assert e[\"source\"] == \"" LAB_CLIENT4 " (any port)\"\n"
		 "assert e[\"steps\"][0][\"leg\"] == \"from the client\"\n'");
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"proxied", proxied},
	{"gateway_source", gateway_source},
	{"not_captured", not_captured},
	{"bypassed", bypassed},
	{"tproxied", tproxied},
	{"datagrams", datagrams},
	{"killed_open", killed_open},
	{"killed_closed", killed_closed},
	{"return_path_gone", return_path_gone},
	{"reverse_path", reverse_path},
	{"not_installed", not_installed},
	{"drift", drift},
	{"others", others},
	{"mistakes", mistakes},
	{"not_permitted", not_permitted},
	{"as_json", as_json},
};

LAB_MAIN("explain", tests)
