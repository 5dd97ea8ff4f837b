/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_datagram.c - datagrams through proxyd, by tproxy, by redirect and to
 * a port of its own: who gets them, from which address, and how many.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab_udp.h"

/* --- who is seen, and where answers come from ----------------------------- */

static void
check_seen(struct lab *lab, int family, const char *source,
	   const struct endpoint *seen)
{
	char text[ENDPOINT_TEXT_LEN], want[ENDPOINT_TEXT_LEN];
	bool gateway = !strcmp(source, "gateway");
	struct endpoint e = *seen;

	if (strcmp(source, "client-port") != 0)
		e.port = 0;
	lab_at(lab, family, gateway ? LAB_HOST_OUTSIDE : LAB_HOST_CLIENT,
	       e.port ? LAB_UDP_CLIENT_PORT : 0, want);
	UNIT_STRINGS(endpoint_format(&e, text), want);
}

static void
check_flow(struct lab *lab, int family, const char *source)
{
	int server = lab_udp_serve(lab, family, LAB_HOST_SERVER), i;
	int client = lab_udp_client(lab, family, LAB_UDP_CLIENT_PORT,
				    LAB_HOST_SERVER);
	struct endpoint seen = {0};

	for (i = 0; i < 3; i++) {
		CU_ASSERT(lab_udp_asks(client, server, "question", &seen));
		check_seen(lab, family, source, &seen);
	}
	/* nobody asked again, but the flow is still there */
	lab_udp_send(server, &seen, "one more");
	CU_ASSERT(lab_udp_receives(client, "one more", NULL));
	close(client);
	close(server);
}

static void
flows(void)
{
	static const char *const sources[] = {"gateway", "client",
					      "client-port"};
	struct lab *lab;
	pid_t pid;
	int i;

	for (i = 0; i < 2 * 3; i++) {
		lab = lab_udp_begin(NULL, lab_vias[i % 2], sources[i / 2], "",
				    &pid);
		check_flow(lab, AF_INET, sources[i / 2]);
		check_flow(lab, AF_INET6, sources[i / 2]);
		lab_end(lab, pid);
	}
}

/* --- late answers --------------------------------------------------------- */

/* What conntrack remembers of udp by itself lasts one second from now on. */
static void
forget_soon(struct lab *lab)
{
	lab_sysctl(lab, LAB_GATEWAY, "net/netfilter/nf_conntrack_udp_timeout",
		   "1");
	lab_sysctl(lab, LAB_GATEWAY,
		   "net/netfilter/nf_conntrack_udp_timeout_stream", "1");
}

/*
 * An answer that comes after conntrack would have forgotten, in other lives
 * 35 seconds, still leaves from the address that was asked.
 */
static void
late_answer(void)
{
	struct endpoint seen[2] = {0};
	int client[2], server[2], i, k;
	struct lab *lab;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		lab = lab_udp_begin(NULL, lab_vias[i], "client", "", &pid);
		forget_soon(lab);
		for (k = 0; k < 2; k++) {
			server[k] = lab_udp_serve(lab, lab_families[k],
						  LAB_HOST_SERVER);
			client[k] = lab_udp_client(lab, lab_families[k], 0,
						   LAB_HOST_SERVER);
			lab_send(client[k], "question");
			CU_ASSERT(lab_udp_receives(server[k], "question",
						   &seen[k]));
		}
		lab_sleep(2200);
		for (k = 0; k < 2; k++) {
			lab_udp_send(server[k], &seen[k], "late");
			UNIT_CHECK(lab_udp_receives(client[k], "late", NULL),
				   "via %s", lab_vias[i]);
			close(client[k]);
			close(server[k]);
		}
		lab_end(lab, pid);
	}
}

/* --- a port of its own ---------------------------------------------------- */

static const char listening[] = "gateway {\n inside in0\n user %s\n}\n"
				"pool servers {\n"
				" node " LAB_SERVER4 ":53\n"
				" node [" LAB_SERVER6 "]:53\n"
				" source client\n}\n"
				"service dns {\n listen udp 5353\n"
				" use servers\n}\n";

/*
 * A client that means the box itself, and one whose datagrams another rule
 * redirects; answers come from where each asked.
 */
static void
listen_service(void)
{
	struct str record = {0};
	struct lab *lab = lab_up(NULL);
	char text[ENDPOINT_TEXT_LEN], to[ENDPOINT_TEXT_LEN];
	int server, client, other, i;
	pid_t pid;

	lab_policy(lab, listening, lab_user());
	lab_apply(lab);
	lab_nft(lab, LAB_GATEWAY,
		"table inet mine {\n chain pre {\n"
		"  type nat hook prerouting priority -100;\n"
		"  udp dport 99 redirect to :5353\n }\n}\n");
	pid = lab_proxyd_up(lab);
	for (i = 0; i < 2; i++) {
		server = lab_udp_serve(lab, lab_families[i], LAB_HOST_SERVER);
		lab_at(lab, lab_families[i], LAB_HOST_CLIENT, 0, text);
		lab_at(lab, lab_families[i], LAB_HOST_GATEWAY, 5353, to);
		client = lab_udp_socket(lab, LAB_CLIENT, text, to);
		lab_at(lab, lab_families[i], LAB_HOST_OTHER, 99, to);
		other = lab_udp_socket(lab, LAB_CLIENT, text, to);
		CU_ASSERT(lab_udp_asks(client, server, "local", NULL));
		CU_ASSERT(lab_udp_asks(other, server, "redirected", NULL));
		CU_ASSERT(lab_udp_asks(client, server, "local again", NULL));
		close(client);
		close(other);
		close(server);
	}
	lab_stop_proxyd(lab, pid);
	CU_ASSERT(lab_record("dst_via=local", &record));
	CU_ASSERT(strstr(str_text(&record), "mode=udp") != NULL);
	str_clear(&record);
	CU_ASSERT(lab_record("destination=" LAB_OTHER4 ":99 dst_via=conntrack",
			     &record));
	str_fini(&record);
	lab_down(lab);
}

/* --- records -------------------------------------------------------------- */

static void
record_fields(struct lab *lab, const char *via)
{
	int server = lab_udp_serve(lab, AF_INET, LAB_HOST_SERVER);
	int client = lab_udp_client(lab, AF_INET, LAB_UDP_CLIENT_PORT,
				    LAB_HOST_SERVER);
	static const char *const want[][2] = {
		{"service", "dns"},
		{"mode", "udp"},
		{"client", LAB_CLIENT4 ":45678"},
		{"destination", LAB_SERVER4 ":53"},
		{"source", LAB_CLIENT4 ":45678"},
		{"node", LAB_SERVER4 ":53"},
		{"bytes_in", "10"},
		{"bytes_out", "12"},
		{"close", "idle-timeout"},
	};
	struct str record = {0};
	char buf[256];
	size_t i;

	CU_ASSERT(lab_udp_asks(client, server, "12345", NULL));
	CU_ASSERT(lab_udp_asks(client, server, "67890", NULL));
	CU_ASSERT(lab_closed("idle-timeout", 1));
	CU_ASSERT(lab_record(LAB_CLIENT4, &record));
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		UNIT_STRINGS(lab_value(str_text(&record), want[i][0], buf),
			     want[i][1]);
	UNIT_STRINGS(lab_value(str_text(&record), "dst_via", buf),
		     via == lab_vias[0] ? "socket" : "conntrack");
	str_fini(&record);
	close(client);
	close(server);
}

static void
records(void)
{
	struct lab *lab;
	pid_t pid;
	int i;

	for (i = 0; i < 2; i++) {
		lab = lab_udp_begin(NULL, lab_vias[i], "client-port",
				    " timeout idle 400ms\n", &pid);
		record_fields(lab, lab_vias[i]);
		lab_end(lab, pid);
	}
}

/* --- the client's port ---------------------------------------------------- */

/*
 * One client's port towards two servers: both see it. Where both flows go
 * on to the same node, the second gets another port: else one of them would
 * get the other's answers.
 */
static void
two_servers(void)
{
	struct lab *lab;
	struct endpoint seen[2] = {0};
	int client, other, servers[2];
	pid_t pid;

	lab = lab_udp_begin(NULL, "tproxy", "client-port", "", &pid);
	servers[0] = lab_udp_serve(lab, AF_INET, LAB_HOST_SERVER);
	servers[1] = lab_udp_serve(lab, AF_INET, LAB_HOST_OTHER);
	client = lab_udp_client(lab, AF_INET, LAB_UDP_CLIENT_PORT,
				LAB_HOST_SERVER);
	CU_ASSERT(lab_udp_asks(client, servers[0], "first", &seen[0]));
	close(client);
	other = lab_udp_client(lab, AF_INET, LAB_UDP_CLIENT_PORT,
			       LAB_HOST_OTHER);
	CU_ASSERT(lab_udp_asks(other, servers[1], "second", &seen[1]));
	CU_ASSERT(endpoint_equal(&seen[0], &seen[1]));
	CU_ASSERT_EQUAL(seen[0].port, LAB_UDP_CLIENT_PORT);
	close(other);
	close(servers[0]);
	close(servers[1]);
	lab_end(lab, pid);
}

static void
port_taken(void)
{
	struct endpoint seen[2] = {0};
	struct str log = {0};
	int client, server, i;
	struct lab *lab;
	pid_t pid;

	lab = lab_begin(NULL,
			"gateway {\n inside in0\n user %s\n}\n"
			"pool one {\n node " LAB_SERVER4 ":53\n"
			" source client-port\n}\n"
			"service dns {\n intercept udp port 53\n use one\n}\n",
			&pid);
	server = lab_udp_serve(lab, AF_INET, LAB_HOST_SERVER);
	for (i = 0; i < 2; i++) {
		client = lab_udp_client(lab, AF_INET, LAB_UDP_CLIENT_PORT,
					i ? LAB_HOST_OTHER : LAB_HOST_SERVER);
		CU_ASSERT(lab_udp_asks(client, server, "question", &seen[i]));
		close(client);
	}
	CU_ASSERT_EQUAL(seen[0].port, LAB_UDP_CLIENT_PORT);
	CU_ASSERT_NOT_EQUAL(seen[1].port, LAB_UDP_CLIENT_PORT);
	close(server);
	lab_stop_proxyd(lab, pid);
	CU_ASSERT(lab_record("note=port-taken", &log));
	str_fini(&log);
	lab_down(lab);
}

/* A server of the other family never sees the client: that is said. */
static void
families(void)
{
	int client;
	struct lab *lab;
	pid_t pid;

	lab = lab_begin(NULL,
			"gateway {\n inside in0\n user %s\n}\n"
			"pool old {\n node " LAB_SERVER4 ":53\n"
			" source client\n}\n"
			"service dns {\n intercept udp port 53\n use old\n}\n",
			&pid);
	client = lab_udp_client(lab, AF_INET6, 0, LAB_HOST_SERVER);
	lab_send(client, "question");
	CU_ASSERT(lab_closed("family", 1));
	CU_ASSERT(lab_logged("proxyd", "refused, family"));
	close(client);
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"flows", flows},
	{"late_answer", late_answer},
	{"listen_service", listen_service},
	{"records", records},
	{"two_servers", two_servers},
	{"port_taken", port_taken},
	{"families", families},
};

LAB_MAIN("datagram", tests)
