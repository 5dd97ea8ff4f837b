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

static const struct unit_test tests[] = {
	{"flows", flows},
};

LAB_MAIN("datagram", tests)
