/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_http_whose.c - the promise: a request of one client never travels on
 * a connection that the server takes for another client's.
 *
 * Many clients with kept connections ask in any order, some at once; some
 * come anew in between, so that links are left idle for others to take; the
 * policy is reloaded meanwhile. Each request says whose it is, and the server
 * says who it believes has asked. That the test can fail is shown with
 * nginx in the place of proxyd, whose `keepalive` does not look at the address
 * that `proxy_bind ... transparent` has bound a connection to, and by
 * tests/mutants/http-whose.
 */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/crowd.h"
#include "tests/lab/web.h"

enum {
	ADDRESSES = 20,
	CLIENTS =
		2 * ADDRESSES, /* of each address two, or of each family one */
	ROUNDS = 40,
	AT_ONCE = 12, /* requests under way */
	SEED = 20260930,
};

struct client {
	int fd; /* owns, or -1 */
	int family;
	char address[ADDR_TEXT_LEN];
	char to[ENDPOINT_TEXT_LEN];
};

struct crowd {
	struct lab *lab;
	struct client clients[CLIENTS];
	unsigned int seed;
	size_t asked;
	size_t mixed; /* went by a connection of another's */
	size_t failed;
	unsigned int serials[ROUNDS * AT_ONCE + 1]; /* of the server's */
	size_t n_serials;
};

static void
crowd_come(struct crowd *c, struct lab *lab, bool both, const char *to)
{
	struct client *one;
	size_t i;

	memset(c, 0, sizeof(*c));
	c->lab = lab;
	c->seed = SEED;
	web_crowd(lab, ADDRESSES);
	for (i = 0; i < CLIENTS; i++) {
		one = &c->clients[i];
		one->fd = -1;
		one->family = both ? lab_families[i % 2] : AF_INET;
		web_address(one->family, i / 2, one->address);
		if (to)
			snprintf(one->to, sizeof(one->to), "%s", to);
		else
			lab_at(lab, one->family, LAB_HOST_SERVER, 80, one->to);
	}
}

static void
crowd_go(struct crowd *c)
{
	size_t i;

	for (i = 0; i < CLIENTS; i++)
		if (c->clients[i].fd >= 0)
			close(c->clients[i].fd);
}

static size_t
any(struct crowd *c, size_t n)
{
	return (size_t)rand_r(&c->seed) % n;
}

static void
ask(struct crowd *c, struct client *one)
{
	char fields[128];

	if (one->fd < 0)
		one->fd = web_open(c->lab, one->address, one->to);
	snprintf(fields, sizeof(fields), "X-Who: %s\r\n", one->address);
	c->failed += !web_get(one->fd, "/who", fields);
	c->asked++;
}

static void
note_serial(struct crowd *c, unsigned int serial)
{
	size_t i;

	for (i = 0; i < c->n_serials; i++)
		if (c->serials[i] == serial)
			return;
	c->serials[c->n_serials++] = serial;
}

static void
hear(struct crowd *c, struct client *one)
{
	struct str body = {0};
	bool last = false;
	struct web_who who;

	if (web_answer(one->fd, &body, &last) != 200 ||
	    !web_who(str_text(&body), &who)) {
		c->failed++;
	} else {
		note_serial(c, who.serial);
		c->mixed += strcmp(who.address, one->address) ||
			    strcmp(who.forwarded, one->address) ||
			    strcmp(who.marker, one->address);
	}
	/* some would rather come anew; the link stays behind */
	if (last || any(c, 4) == 0) {
		close(one->fd);
		one->fd = -1;
	}
	str_fini(&body);
}

/* Some ask, each one once, and then all of them are answered. */
static void
crowd_round(struct crowd *c)
{
	size_t at = any(c, CLIENTS), step = 1 + 2 * any(c, 4), i;

	/* a step that has no divisor in common with CLIENTS: each once */
	if (step == 5)
		step = 9;
	for (i = 0; i < AT_ONCE; i++)
		ask(c, &c->clients[(at + i * step) % CLIENTS]);
	for (i = 0; i < AT_ONCE; i++)
		hear(c, &c->clients[(at + i * step) % CLIENTS]);
}

/* --- proxyd --------------------------------------------------------------- */

static void
check_whose(const char *gateway, const char *service, const char *pool)
{
	struct crowd c;
	struct lab *lab;
	size_t i;
	pid_t pid;

	lab = web_begin(gateway, pool, service, &pid);
	crowd_come(&c, lab, true, NULL);
	for (i = 0; i < ROUNDS; i++) {
		if (i == ROUNDS / 2)
			crowd_reload(pid);
		crowd_round(&c);
	}
	UNIT_CHECK(!c.failed && !c.mixed,
		   "of %zu requests %zu failed, "
		   "%zu went in another's name",
		   c.asked, c.failed, c.mixed);
	/* it is no promise for who shares nothing */
	UNIT_CHECK(c.n_serials < c.asked / 2, "%zu requests on %zu connections",
		   c.asked, c.n_serials);
	crowd_go(&c);
	lab_end(lab, pid);
}

static void
by_redirect(void)
{
	check_whose("\tworkers 1\n", "", "\tsource client\n");
}

static void
by_tproxy(void)
{
	check_whose("\tworkers 2\n", "\tintercept tcp port 80 via tproxy\n",
		    "\tsource client\n\treuse-max 32\n");
}

/* --- nginx ---------------------------------------------------------------- */

static const char nginx_conf[] =
	"daemon off;\n"
	"worker_processes 1;\n"
	"user root root;\n"
	"pid " LAB_DIR "/proxy.pid;\n"
	"events { worker_connections 1024; }\n"
	"http {\n"
	"	access_log off;\n"
	"	client_body_temp_path " LAB_DIR "/proxy-body;\n"
	"	proxy_temp_path " LAB_DIR "/proxy-proxy;\n"
	"	fastcgi_temp_path " LAB_DIR "/proxy-fastcgi;\n"
	"	uwsgi_temp_path " LAB_DIR "/proxy-uwsgi;\n"
	"	scgi_temp_path " LAB_DIR "/proxy-scgi;\n"
	"	upstream app { server " LAB_SERVER4 ":80; keepalive 32; }\n"
	"	server {\n"
	"		listen " LAB_GATEWAY4 ":80;\n"
	"		location / {\n"
	"			proxy_pass http://app;\n"
	"			proxy_http_version 1.1;\n"
	"			proxy_set_header Connection '';\n"
	"			proxy_set_header X-Forwarded-For "
	"$remote_addr;\n"
	"			proxy_bind $remote_addr transparent;\n"
	"		}\n"
	"	}\n"
	"}\n";

/* As its users set it up: what is for a socket of the box is kept here. */
static const char nginx_rules[] =
	"table ip spoof {\n"
	"	chain divert {\n"
	"		type filter hook prerouting priority mangle\n"
	"		iifname out0 meta l4proto tcp socket transparent 1 "
	"meta mark set 1 accept\n"
	"	}\n"
	"}\n";

/* The same crowd, the same questions. */
static void
nginx_mixes(void)
{
	struct crowd c;
	struct lab *lab;
	size_t i;
	pid_t pid;

	lab = lab_up(&(struct lab_options){.forwarding = true});
	web_nginx(lab);
	lab_nft(lab, LAB_GATEWAY, nginx_rules);
	lab_must(lab, LAB_GATEWAY,
		 "ip rule add fwmark 1 lookup 100; "
		 "ip route add local default dev lo table 100");
	lab_write_file(LAB_DIR "/proxy.conf", nginx_conf);
	pid = lab_spawn(lab, LAB_GATEWAY, "proxy",
			"nginx -c " LAB_DIR "/proxy.conf -e stderr");
	CU_ASSERT_FATAL(LAB_WAIT(
		lab_sockets(lab, LAB_GATEWAY, "state listening sport = :80"),
		5000));
	crowd_come(&c, lab, false, LAB_GATEWAY4 ":80");
	for (i = 0; i < ROUNDS; i++)
		crowd_round(&c);
	UNIT_CHECK(!c.failed && c.mixed,
		   "of %zu requests %zu failed, "
		   "%zu went in another's name",
		   c.asked, c.failed, c.mixed);
	crowd_go(&c);
	lab_stop(lab, pid, SIGKILL, 2000);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"by_redirect", by_redirect},
	{"by_tproxy", by_tproxy},
	{"nginx_mixes", nginx_mixes},
};

LAB_MAIN("http_whose", tests)
