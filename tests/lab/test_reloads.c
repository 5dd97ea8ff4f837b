/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_reloads.c - very many reloads: under load, and faster than they drain;
 * and very many replacements.
 */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <unistd.h>

#include "tests/lab/crowd.h"
#include "tests/lab/lab_udp.h"

enum { RELOADS = 100, MANY = 72, PATIENCE_MS = 15000 };

static const char web_only[] = "gateway { inside in0; user %s; workers 2\n"
			       "\talive-timeout 1s; drain-timeout 20s }\n"
			       "service web {\n"
			       "	intercept tcp port 80\n"
			       "}\n";

static void
reload(void *owner, size_t i)
{
	(void)i;
	crowd_reload(*(pid_t *)owner);
}

static void
hundred(void)
{
	struct lab *lab;
	pid_t pid;

	lab = lab_begin(NULL, web_only, &pid);
	lab_nginx(lab);
	crowd_trial(lab, pid, RELOADS, reload, &pid);
	lab_end(lab, pid);
}

/* More workers drain than there is room for: the oldest are cut. */
static void
too_often(void)
{
	struct lab_flow flows[MANY];
	struct lab *lab;
	size_t i, alive = 0;
	pid_t pid;
	int l;

	lab = lab_begin(NULL, web_only, &pid);
	l = lab_serve(lab, AF_INET, 80);
	for (i = 0; i < MANY; i++) {
		lab_flow_open(lab, AF_INET, l, NULL, 80, &flows[i]);
		crowd_reload(pid);
	}
	CU_ASSERT(lab_logged("proxyd", "reloaded too often for all to drain"));
	/* a crew may have the flow of the one before it, too, and that none */
	CU_ASSERT(lab_ended(flows[0].client, 5000));
	for (i = 0; i < MANY; i++) {
		if (i >= 20)
			alive += lab_flow_works(&flows[i]);
		lab_flow_close(&flows[i]);
	}
	CU_ASSERT_EQUAL(alive, MANY - 20);
	CU_ASSERT(LAB_WAIT(crowd_is_one(pid), 5000));
	close(l);
	lab_end(lab, pid);
}

/* Of some crews that drain one worker is left, of some both. */
static void
uneven(void)
{
	enum { SINGLES = 20, PAIRS = 26, FLOWS = 10 };
	struct lab_flow flows[SINGLES + PAIRS * FLOWS];
	size_t i, n = 0;
	struct lab *lab;
	pid_t pid;
	int l;

	lab = lab_begin(NULL, web_only, &pid);
	l = lab_serve(lab, AF_INET, 80);
	for (i = 0; i < SINGLES + PAIRS; i++) {
		do {
			lab_flow_open(lab, AF_INET, l, NULL, 80, &flows[n++]);
		} while (i >= SINGLES && (n - SINGLES) % FLOWS);
		crowd_reload(pid);
	}
	CU_ASSERT(lab_logged("proxyd", "reloaded too often for all to drain"));
	CU_ASSERT(lab_flow_works(&flows[n - 1]));
	while (n)
		lab_flow_close(&flows[--n]);
	close(l);
	lab_end(lab, pid);
}

/* --- replacements --------------------------------------------------------- */

static const char loaded[] = "gateway {\n"
			     "	inside in0\n"
			     "	alive-timeout 1s\n"
			     "	drain-timeout 20s\n"
			     "	workers 2\n"
			     "	user %s\n"
			     "}\n"
			     "service web {\n"
			     "	intercept tcp port 80\n"
			     "}\n"
			     "service dns {\n"
			     "	intercept udp port 53\n"
			     "}\n";

/* Somebody who asks by datagrams each time. */
struct asker {
	pid_t proxyd;
	int client; /* owns */
	int server; /* owns */
};

static void
replace_and_ask(void *owner, size_t i)
{
	struct asker *a = owner;

	size_t before = lab_log_count("proxyd", "replaced");

	kill(a->proxyd, SIGUSR2);
	UNIT_CHECK(LAB_WAIT(lab_log_count("proxyd", "replaced") > before,
			    PATIENCE_MS) &&
			   lab_alive(a->proxyd),
		   "the %zuth time", i);
	UNIT_CHECK(lab_udp_asks(a->client, a->server, "who", NULL),
		   "datagrams, the %zuth time", i);
}

/* The same process all the time, see crowd_trial(). */
static void
replaced(void)
{
	struct lab *lab;
	struct asker a;

	lab = lab_begin(NULL, loaded, &a.proxyd);
	lab_nginx(lab);
	a.server = lab_udp_serve(lab, AF_INET, LAB_HOST_SERVER);
	a.client = lab_udp_client(lab, AF_INET, LAB_UDP_CLIENT_PORT,
				  LAB_HOST_SERVER);
	crowd_trial(lab, a.proxyd, RELOADS, replace_and_ask, &a);
	CU_ASSERT_EQUAL(lab_direct(lab), 0);
	close(a.client);
	close(a.server);
	lab_stop_proxyd(lab, a.proxyd);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"hundred", hundred},
	{"too_often", too_often},
	{"uneven", uneven},
	{"replaced", replaced},
};

LAB_MAIN("reloads", tests)
