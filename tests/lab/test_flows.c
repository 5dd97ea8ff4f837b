/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_flows.c - the list of flows: all are there, once, as they are; and
 * nobody waits for it, neither flows nor who asks.
 */
#include <CUnit/CUnit.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/alone.h"
#include "tests/lab/ctl.h"
#include "tests/lab/lab_udp.h"

enum { MANY = 3000 };

static void
check_flow(struct lab *lab, const struct lab_flow *f)
{
	char client[ENDPOINT_TEXT_LEN], source[ENDPOINT_TEXT_LEN];
	json_t *doc = ctl_ask(lab, "flows"), *j = ctl_member(doc, "flows", 0);

	CU_ASSERT_EQUAL(ctl_count(doc, "flows"), 1);
	UNIT_STRINGS(ctl_text(j, "service"), "web");
	UNIT_STRINGS(ctl_text(j, "mode"), "tcp");
	UNIT_STRINGS(ctl_text(j, "client"), lab_name(f->client, client));
	UNIT_STRINGS(ctl_text(j, "source"), lab_peer(f->server, source));
	UNIT_STRINGS(ctl_text(j, "local"), LAB_GATEWAY4 ":80");
	UNIT_STRINGS(ctl_text(j, "dst_via"), "local");
	UNIT_STRINGS(ctl_text(j, "pool"), "app");
	UNIT_STRINGS(ctl_text(j, "node"), LAB_SERVER4 ":80");
	UNIT_STRINGS(ctl_text(j, "step"), "relay");
	CU_ASSERT_EQUAL(ctl_number(j, "bytes_in"), 5);
	CU_ASSERT(ctl_number(j, "ms_total") >= 0);
	CU_ASSERT(ctl_number(j, "worker") == 0 || ctl_number(j, "worker") == 1);
	CU_ASSERT(strlen(ctl_text(j, "id")) > 8);
	json_decref(doc);
}

static void
flows(void)
{
	struct lab_flow f;
	struct lab *lab;
	pid_t pid;
	int l;

	lab = ctl_begin(2, "", &pid);
	ctl_expect(lab, "flows", 0, "");
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	alone_flow(lab, l, &f);
	lab_send(f.client, "12345");
	CU_ASSERT(lab_expect(f.server, "12345", 2000));
	check_flow(lab, &f);
	ctl_expect(lab, "flows", 0, LAB_SERVER4 ":80");
	/* chosen, or not */
	CU_ASSERT_EQUAL(ctl_count_flows(lab, "flows --service web"), 1);
	ctl_expect(lab, "flows --service webb", 64,
		   "there is no service 'webb'");
	ctl_expect(lab, "flows --pool web", 64, "there is no pool 'web'");
	CU_ASSERT_EQUAL(ctl_count_flows(lab, "flows --pool app"), 1);
	CU_ASSERT_EQUAL(ctl_count_flows(lab, "flows --pool original"), 0);
	CU_ASSERT_EQUAL(ctl_count_flows(lab, "flows --client " LAB_CLIENT4), 1);
	CU_ASSERT_EQUAL(ctl_count_flows(lab, "flows --client 10.1.0.0/16"), 1);
	CU_ASSERT_EQUAL(ctl_count_flows(lab, "flows --client 10.2.0.0/16"), 0);
	CU_ASSERT_EQUAL(ctl_count_flows(lab, "flows --client 0::/0"), 0);
	CU_ASSERT_EQUAL(
		ctl_count_flows(lab, "flows --service web --pool original"), 0);
	CU_ASSERT(lab_flow_works(&f));
	lab_flow_close(&f);
	CU_ASSERT(LAB_WAIT(ctl_count_flows(lab, "flows") == 0, 2000));
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each is there, once. */
static void
check_all(struct lab *lab)
{
	const char **ids = calloc(MANY, sizeof(*ids));
	json_t *doc = ctl_ask(lab, "flows"), *f;
	size_t i;

	CU_ASSERT_EQUAL(ctl_number(doc, "left_out"), 0);
	CU_ASSERT_EQUAL(ctl_count(doc, "silent"), 0);
	CU_ASSERT_EQUAL_FATAL(ctl_count(doc, "flows"), MANY);
	json_array_foreach(json_object_get(doc, "flows"), i, f) ids[i] =
		ctl_text(f, "id");
	qsort(ids, MANY, sizeof(ids[0]), by_text);
	for (i = 1; i < MANY; i++)
		CU_ASSERT(strcmp(ids[i - 1], ids[i]) != 0);
	json_decref(doc);
	free(ids);
}

/*
 * Many flows: all are listed, and while that is done, again and again, the
 * others go on.
 */
static void
many(void)
{
	struct lab_flow *list = calloc(MANY, sizeof(*list));
	struct lab *lab;
	pid_t pid, asking;
	int l, i;

	lab = lab_up(&alone_options);
	lab_policy(lab,
		   "gateway { user %s; workers 2 }\n"
		   "pool app { node " LAB_SERVER4 ":80; source gateway }\n"
		   "service web { listen tcp 80; use app; log access none }\n",
		   lab_user());
	pid = lab_proxyd_up(lab);
	l = lab_listen(lab, LAB_SERVER, LAB_SERVER4 ":80");
	for (i = 0; i < MANY; i++)
		alone_flow(lab, l, &list[i]);
	check_all(lab);
	asking = lab_spawn(lab, LAB_GATEWAY, "asking",
			   "sh -c 'for i in 1 2 3 4 5; do proxyctl flows "
			   ">/dev/null || exit; done'");
	for (i = 0; i < MANY; i += 100)
		CU_ASSERT(lab_flow_works(&list[i]));
	CU_ASSERT_EQUAL(lab_stop(lab, asking, 0, 10000), 0);
	for (i = 0; i < MANY; i++)
		lab_flow_close(&list[i]);
	free(list);
	close(l);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* Datagrams are flows too, captured ones, and their service says so. */
static void
datagrams(void)
{
	struct lab *lab;
	json_t *doc, *f;
	int client, server;
	pid_t pid;

	lab = lab_udp_begin(NULL, "tproxy", "client", "", &pid);
	server = lab_udp_serve(lab, AF_INET, LAB_HOST_SERVER);
	client = lab_udp_client(lab, AF_INET, 0, LAB_HOST_SERVER);
	CU_ASSERT(lab_udp_asks(client, server, "question", NULL));
	doc = ctl_ask(lab, "flows --service dns");
	CU_ASSERT_EQUAL(ctl_count(doc, "flows"), 1);
	f = ctl_member(doc, "flows", 0);
	UNIT_STRINGS(ctl_text(f, "mode"), "udp");
	UNIT_STRINGS(ctl_text(f, "dst_via"), "socket");
	UNIT_STRINGS(ctl_text(f, "destination"), LAB_SERVER4 ":53");
	UNIT_STRINGS(ctl_text(f, "step"), "relay");
	CU_ASSERT(ctl_number(f, "bytes_in") > 0);
	json_decref(doc);
	doc = ctl_ask(lab, "services");
	f = ctl_member(doc, "services", 0);
	UNIT_STRINGS(ctl_text(f, "rules"), "seen");
	UNIT_STRINGS(ctl_text(f, "via"), "tproxy");
	CU_ASSERT_EQUAL(ctl_number(f, "flows"), 1);
	CU_ASSERT(ctl_number(f, "capture_port") > 0);
	json_decref(doc);
	close(client);
	close(server);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

/* A worker that hangs is named, and nobody waits for it. */
static void
silent_worker(void)
{
	struct str out = {0};
	pid_t pid, worker;
	struct lab *lab;
	uint64_t begin_ms;
	char says[64];

	lab = ctl_begin(2, "alive-timeout 30s", &pid);
	worker = alone_child(pid, "worker");
	kill(worker, SIGSTOP);
	begin_ms = clock_now_ms();
	CU_ASSERT_EQUAL(ctl_run(lab, &out, "flows"), 1);
	CU_ASSERT(clock_now_ms() - begin_ms < 3000);
	snprintf(says, sizeof(says), "worker process %d did not answer",
		 (int)worker);
	UNIT_CHECK(strstr(str_text(&out), says) != NULL, "%s", str_text(&out));
	ctl_expect(lab, "status", 0, "silent");
	kill(worker, SIGCONT);
	CU_ASSERT(LAB_WAIT(ctl_run(lab, &out, "flows") == 0, 3000));
	str_fini(&out);
	lab_stop_proxyd(lab, pid);
	lab_down(lab);
}

static const struct unit_test tests[] = {
	{"flows", flows},
	{"many", many},
	{"datagrams", datagrams},
	{"silent_worker", silent_worker},
};

LAB_MAIN("flows", tests)
