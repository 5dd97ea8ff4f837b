/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_twins.c - two flows from one client port to two servers at once. The
 * kernel gives the second one another port when it redirects; who was asked,
 * and by whom, must come out all the same.
 */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab.h"

static const struct lab_options plain = {0};
static const struct lab_options masquerades = {.masquerade = true};

static const char keeps_port[] = "gateway {\n"
				 "	inside in0\n"
				 "	user %s\n"
				 "}\n"
				 "pool original {\n"
				 "	node original\n"
				 "	source client-port\n"
				 "}\n"
				 "service web {\n"
				 "	intercept tcp port 80\n"
				 "}\n";

struct twin {
	int listener;
	int client;
	int server;
	char seen[ENDPOINT_TEXT_LEN];
};

static void
open_twin(struct lab *lab, int family, enum lab_host host, const char *from,
	  struct twin *ret_twin)
{
	char to[ENDPOINT_TEXT_LEN];

	lab_at(lab, family, host, 80, to);
	ret_twin->listener = lab_listen(lab, LAB_SERVER, to);
	ret_twin->client = lab_connect(lab, LAB_CLIENT, from, to, 2000);
	UNIT_CHECK(ret_twin->client >= 0, "%s from %s: %s", to, from,
		   strerror(-ret_twin->client));
	ret_twin->server = lab_accept(ret_twin->listener, 2000, NULL);
	CU_ASSERT_FATAL(ret_twin->client >= 0 && ret_twin->server >= 0);
	lab_peer(ret_twin->server, ret_twin->seen);
}

static void
talk(struct twin *t, const char *text)
{
	lab_send(t->client, text);
	CU_ASSERT(lab_expect(t->server, text, 1000));
	lab_send(t->server, text);
	CU_ASSERT(lab_expect(t->client, text, 1000));
}

static void
close_twin(struct twin *t)
{
	close(t->client);
	close(t->server);
	close(t->listener);
}

/* Both work; with `port_kept` both servers see the one port. */
static void
twins(struct lab *lab, int family, bool port_kept)
{
	char from[ENDPOINT_TEXT_LEN];
	struct twin a, b;

	lab_at(lab, family, LAB_HOST_CLIENT, 45678, from);
	open_twin(lab, family, LAB_HOST_SERVER, from, &a);
	open_twin(lab, family, LAB_HOST_OTHER, from, &b);
	talk(&a, "the first");
	talk(&b, "the second");
	talk(&a, "the first again");
	if (port_kept) {
		UNIT_STRINGS(a.seen, from);
		UNIT_STRINGS(b.seen, from);
	}
	close_twin(&a);
	close_twin(&b);
}

static void
twins_with(const char *source)
{
	const struct lab_options *options[] = {&plain, &masquerades};
	bool keeps = !strcmp(source, "client-port");
	struct str policy = {0};
	struct lab *lab;
	pid_t pid;
	int i, k;

	str_addf(&policy,
		 "gateway {\n"
		 "	inside in0\n"
		 "	outside out0\n"
		 "	user %s\n"
		 "}\n"
		 "pool original {\n"
		 "	node original\n"
		 "	source %s\n"
		 "}\n"
		 "service web {\n"
		 "	intercept tcp port 80\n"
		 "}\n",
		 lab_user(), source);
	for (i = 0; i < 2; i++) {
		lab = lab_begin(options[i], str_text(&policy), &pid);
		for (k = 0; k < 2; k++)
			twins(lab, lab_families[k],
			      keeps && !options[i]->masquerade);
		lab_end(lab, pid);
	}
	str_fini(&policy);
}

static void
gateway(void)
{
	twins_with("gateway");
}

static void
client(void)
{
	twins_with("client");
}

static void
client_port(void)
{
	twins_with("client-port");
}

/* The record names the true port, which conntrack told. */
static void
record(void)
{
	pid_t pid;
	struct lab *lab = lab_begin(&plain, keeps_port, &pid);
	struct str text = {0};
	char want[ENDPOINT_TEXT_LEN], buf[256];
	int k;

	for (k = 0; k < 2; k++)
		twins(lab, lab_families[k], true);
	CU_ASSERT(LAB_WAIT(lab_log_count("proxyd", " close=") >= 4, 3000));
	for (k = 0; k < 2; k++) {
		lab_at(lab, lab_families[k], LAB_HOST_OTHER, 80, want);
		str_clear(&text);
		CU_ASSERT(lab_record(want, &text));
		lab_at(lab, lab_families[k], LAB_HOST_CLIENT, 45678, want);
		UNIT_STRINGS(lab_value(str_text(&text), "client", buf), want);
		UNIT_STRINGS(lab_value(str_text(&text), "source", buf), want);
		UNIT_STRINGS(lab_value(str_text(&text), "dst_via", buf),
			     "conntrack");
	}
	str_fini(&text);
	lab_end(lab, pid);
}

/*
 * One client port again and again, as fast as it goes: the former socket of
 * the same four numbers may still be ending, and no flow may fail of it.
 */
static void
again_with(struct lab *lab, int family)
{
	int l = lab_serve(lab, family, 80), i;
	char from[ENDPOINT_TEXT_LEN];
	struct lab_flow f;

	lab_at(lab, family, LAB_HOST_CLIENT, 45679, from);
	for (i = 0; i < 30; i++) {
		lab_flow_open(lab, family, l, from, 80, &f);
		CU_ASSERT(lab_flow_works(&f));
		close(f.server);
		f.server = -1;
		CU_ASSERT(lab_ended(f.client, 1000));
		lab_flow_close(&f);
	}
	close(l);
}

static void
again(void)
{
	const struct lab_options *options[] = {&plain, &masquerades};
	struct lab *lab;
	pid_t pid;
	int i, k;

	for (i = 0; i < 2; i++) {
		lab = lab_begin(options[i], keeps_port, &pid);
		for (k = 0; k < 2; k++)
			again_with(lab, lab_families[k]);
		lab_end(lab, pid);
	}
}

static const struct unit_test tests[] = {
	{"gateway", gateway}, {"client", client}, {"client_port", client_port},
	{"record", record},   {"again", again},
};

LAB_MAIN("twins", tests)
