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

static const struct unit_test tests[] = {
	{"matrix", matrix},
};

LAB_MAIN("modes", tests)
