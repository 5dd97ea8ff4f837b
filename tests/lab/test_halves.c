/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_halves.c - capture and source spoofing, each alone and both; what the
 * server sees as its client for every kind of `source`.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab.h"

static const struct lab_options plain = {0};
static const struct lab_options masquerades = {.masquerade = true};

/* The policy of `source`, with capture or with a port to listen on. */
static struct lab *
begin(const struct lab_options *options, const char *service, const char *node,
      const char *source, pid_t *ret_pid)
{
	struct lab *lab = lab_up(options);
	bool captures = strstr(service, "intercept");

	lab_policy(lab,
		   "gateway {\n"
		   "	inside in0\n"
		   "	outside out0\n"
		   "	user %s\n"
		   "}\n"
		   "pool here {\n"
		   "	node %s\n"
		   "	source %s\n"
		   "}\n"
		   "service web {\n"
		   "	%s\n"
		   "	use here\n"
		   "}\n",
		   lab_user(), node, source, service);
	lab_apply(lab);
	*ret_pid = lab_proxyd_up(lab);
	if (captures && !LAB_WAIT(lab_armed(lab), 3000))
		lab_die("the rules do not see proxyd");
	lab_watch_direct(lab);
	return lab;
}

/* Address and port of both texts: are the addresses the same, the ports? */
static void
check_seen(const char *seen, const char *want, bool same_port)
{
	struct endpoint s, w;

	CU_ASSERT_EQUAL_FATAL(endpoint_parse(seen, &s), 0);
	CU_ASSERT_EQUAL_FATAL(endpoint_parse(want, &w), 0);
	UNIT_CHECK(addr_equal(&s.addr, &w.addr), "server saw %s, not %s", seen,
		   want);
	if (same_port)
		UNIT_CHECK(s.port == w.port, "server saw %s, not %s", seen,
			   want);
}

/* Capture: one flow, whose server must see `want` (NULL: the client). */
static void
captured(struct lab *lab, int family, const char *want, bool same_port)
{
	int l = lab_serve(lab, family, 80);
	struct lab_flow f;

	lab_flow_open(lab, family, l, NULL, 80, &f);
	check_seen(f.seen, want ? want : f.source, same_port);
	CU_ASSERT(lab_flow_works(&f));
	lab_flow_close(&f);
	close(l);
}

/* Whom the server sees without `source client`, or when all is hidden. */
static const char *
outside(const struct lab *lab, int family, char buf[ENDPOINT_TEXT_LEN])
{
	return lab_at(lab, family, LAB_HOST_OUTSIDE, 0, buf);
}

static void
capture_gateway(void)
{
	const struct lab_options *options[] = {&plain, &masquerades};
	char buf[ENDPOINT_TEXT_LEN];
	struct lab *lab;
	pid_t pid;
	int i, k;

	for (i = 0; i < 2; i++) {
		lab = begin(options[i], "intercept tcp port 80", "original",
			    "gateway", &pid);
		for (k = 0; k < 2; k++)
			captured(lab, lab_families[k],
				 outside(lab, lab_families[k], buf), false);
		lab_end(lab, pid);
	}
}

static void
capture_spoofing(const char *source, bool same_port)
{
	const struct lab_options *options[] = {&plain, &masquerades};
	char buf[ENDPOINT_TEXT_LEN];
	struct lab *lab;
	bool hidden;
	pid_t pid;
	int i, k;

	for (i = 0; i < 2; i++) {
		hidden = options[i]->masquerade;
		lab = begin(options[i], "intercept tcp port 80", "original",
			    source, &pid);
		for (k = 0; k < 2; k++)
			captured(lab, lab_families[k],
				 hidden ? outside(lab, lab_families[k], buf)
					: NULL,
				 same_port && !hidden);
		lab_end(lab, pid);
	}
}

static void
capture_client(void)
{
	capture_spoofing("client", false);
}

static void
capture_client_port(void)
{
	capture_spoofing("client-port", true);
}

/* An address that nobody has, but whose answers come back to the box. */
static void
capture_address(void)
{
	struct lab *lab;
	pid_t pid;

	lab = begin(&plain, "intercept tcp port 80", "original", "10.7.7.7",
		    &pid);
	captured(lab, AF_INET, "10.7.7.7", false);
	lab_end(lab, pid);
	lab = begin(&plain, "intercept tcp port 80", "original", "fd07::7",
		    &pid);
	captured(lab, AF_INET6, "fd07::7", false);
	lab_end(lab, pid);
	/* one of the box's own needs nothing special */
	lab = begin(&plain, "intercept tcp port 80", "original", LAB_OUTSIDE4,
		    &pid);
	captured(lab, AF_INET, LAB_OUTSIDE4, false);
	lab_end(lab, pid);
}

/* The other half: `listen`, and the client knows whom it connects to. */
static void
listen_flow(struct lab *lab, int family, const char *want)
{
	char to[ENDPOINT_TEXT_LEN], source[ENDPOINT_TEXT_LEN];
	int l = lab_serve(lab, family, 80), c, s;
	char seen[ENDPOINT_TEXT_LEN];

	lab_at(lab, family, LAB_HOST_GATEWAY, 8080, to);
	c = lab_connect(lab, LAB_CLIENT, NULL, to, 2000);
	CU_ASSERT_FATAL(c >= 0);
	s = lab_accept(l, 2000, NULL);
	CU_ASSERT_FATAL(s >= 0);
	lab_name(c, source);
	check_seen(lab_peer(s, seen), want ? want : source, false);
	lab_send(c, "to the server");
	CU_ASSERT(lab_expect(s, "to the server", 1000));
	lab_send(s, "to the client");
	CU_ASSERT(lab_expect(c, "to the client", 1000));
	close(c);
	close(s);
	close(l);
}

/* One pool for each family: a gateway's own address may ask either. */
static void
listen_with(const char *source)
{
	const struct lab_options *options[] = {&plain, &masquerades};
	char node[ENDPOINT_TEXT_LEN], buf[ENDPOINT_TEXT_LEN];
	struct lab *lab;
	int i, k, family;
	bool hidden;
	pid_t pid;

	for (i = 0; i < 4; i++) {
		k = i / 2;
		family = lab_families[i % 2];
		lab_at(&(struct lab){0}, family, LAB_HOST_SERVER, 80, node);
		lab = begin(options[k], "listen tcp 8080", node, source, &pid);
		hidden = options[k]->masquerade || !strcmp(source, "gateway");
		listen_flow(lab, family,
			    hidden ? outside(lab, family, buf) : NULL);
		lab_end(lab, pid);
	}
}

static void
listen_gateway(void)
{
	listen_with("gateway");
}

static void
listen_client(void)
{
	listen_with("client");
}

/* Both in one service: the same pool for those who ask and who do not. */
static void
capture_and_listen(void)
{
	pid_t pid;
	struct lab *lab =
		begin(&plain, "intercept tcp port 80\n\tlisten tcp 80",
		      "original", "client", &pid);
	int k;

	for (k = 0; k < 2; k++)
		captured(lab, lab_families[k], NULL, false);
	lab_end(lab, pid);
}

/* Who is told that something is missing is told when it is back. */
static void
all_clear(void)
{
	struct lab *lab;
	pid_t pid;

	lab = begin(&plain, "intercept tcp port 80", "original", "client",
		    &pid);
	CU_ASSERT(!lab_logged("proxyd", "its rules are installed"));
	lab_must(lab, LAB_GATEWAY, "netsetup remove");
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "no rules capture"), 3000));
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "return path of spoofed "
						"connections is gone"),
			   3000));
	lab_apply(lab);
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "its rules are installed"),
			   3000));
	CU_ASSERT(LAB_WAIT(lab_logged("proxyd", "return path is there again: "
						"ipv4 ipv6"),
			   3000));
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"capture_gateway", capture_gateway},
	{"capture_client", capture_client},
	{"capture_client_port", capture_client_port},
	{"capture_address", capture_address},
	{"listen_gateway", listen_gateway},
	{"listen_client", listen_client},
	{"capture_and_listen", capture_and_listen},
	{"all_clear", all_clear},
};

LAB_MAIN("halves", tests)
