/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_report.c - proxyd's answers, and what proxyctl makes of them. */
#include <stdlib.h>
#include <string.h>

#include "proxyd/ctl/report.h"
#include "proxyd/ctl/show.h"

#include "tests/unit.h"

static struct policy *
load(void)
{
	static const char text[] =
		"gateway { inside eth1 }\n"
		"service web { intercept tcp port 80 via tproxy }\n"
		"service proxy { listen tcp 3128; use app }\n"
		"pool app { node 10.0.0.1:80 }\n";
	struct diags diags;
	struct policy *p;

	diags_init(&diags);
	p = policy_load_text("test.conf", text, sizeof(text) - 1, &diags);
	diags_fini(&diags);
	if (!p)
		abort();
	return p;
}

static struct endpoint
endpoint(const char *text)
{
	struct endpoint e = {0};

	CU_ASSERT_EQUAL_FATAL(endpoint_parse(text, &e), 0);
	return e;
}

/* Golden files do not change with each version. */
static void
golden(const char *name, const char *kind, const struct str *text)
{
	const char *at = strstr(str_text(text), INTERPOSE_VERSION);
	struct str path = {0}, same = {0};

	str_addf(&path, "proxyd/ctl-%s.%s", name, kind);
	if (at) {
		str_add_bytes(&same, text->data, (size_t)(at - text->data));
		str_addf(&same, "VERSION%s", at + strlen(INTERPOSE_VERSION));
	} else {
		str_add(&same, str_text(text));
	}
	unit_golden(str_text(&path), str_text(&same));
	str_fini(&path);
	str_fini(&same);
}

/* The text of it is as it was. */
static void
check(enum wire_command command, const char *name, const struct str *doc)
{
	struct str out = {0}, note = {0};

	CU_ASSERT_EQUAL(show_answer(command, doc, &out, &note), SHOW_DONE);
	UNIT_STRINGS(str_text(&note), "");
	golden(name, "txt", &out);
	str_fini(&out);
	str_fini(&note);
}

static void
test_status(void)
{
	static const struct report_worker workers[] = {
		{0, 4713, "serving", 12, 34567},
		{1, 4714, "silent", 0, 9},
		{2, 0, "waiting", 0, 0},
		{0, 4611, "draining", 1, 100},
	};
	struct report_status s = {
		.state = "serving",
		.pid = 4711,
		.up_ms = 11530000,
		.policy = "/etc/interpose/policy.conf",
		.digest = 0x123456789abcdefULL,
		.since = "2026-11-23T01:27:05.123Z",
		.alive = true,
		.spoofs = true,
		.return_path = FAMILY_IPV4,
		.level = LOG_LEVEL_NOTICE,
		.flows = 13,
		.accepted = 34676,
		.workers = workers,
		.n_workers = 4,
	};
	struct str doc = {0};

	report_status(&s, &doc);
	golden("status", "json", &doc);
	check(WIRE_STATUS, "status", &doc);
	str_clear(&doc);
	s.return_path = 0;
	s.alive = false;
	s.n_workers = 0;
	report_status(&s, &doc);
	check(WIRE_STATUS, "status-bad", &doc);
	str_fini(&doc);
}

static void
fill(const struct policy *p, struct endpoint at[3],
     struct report_service list[3])
{
	at[0] = endpoint("0.0.0.0:18023");
	at[1] = endpoint("[::]:18023");
	at[2] = endpoint("192.0.2.1:3128");
	memset(list, 0, 3 * sizeof(*list));
	list[0].name = "web";
	list[0].service = &p->services[0];
	list[0].rules = "seen";
	list[0].sockets = at;
	list[0].n_sockets = 2;
	list[0].sum.accepted = 1234567;
	list[0].sum.flows = 4242;
	list[0].sum.lost = 2;
	list[0].sum.bytes_in = 1023;
	list[0].sum.bytes_out = 9876543210;
	list[0].sum.ended[REASON_CLIENT_CLOSED] = 1230000;
	list[0].sum.ended[REASON_REFUSED] = 323;
	list[1].name = "proxy";
	list[1].service = &p->services[1];
	list[1].rules = "none";
	list[1].sockets = at + 2;
	list[1].n_sockets = 1;
	list[2].name = "old";
	list[2].rules = "none";
	list[2].sum.accepted = list[2].sum.flows = 1;
}

static void
test_services(void)
{
	struct policy *p = load();
	struct report_service list[3];
	struct endpoint at[3];
	struct str doc = {0};

	fill(p, at, list);
	/* the hash of a name may change with the hash */
	CU_ASSERT(list[0].service->capture_port > 0);
	report_services(list, 3, &doc);
	golden("services", "json", &doc);
	check(WIRE_SERVICES, "services", &doc);
	str_fini(&doc);
	policy_free(p);
}

static void
test_stats(void)
{
	struct report_total total = {
		.accepted = 1300000,
		.flows = 4243,
		.limited = 77,
		.paused = 3,
		.requests = 5000000,
		.not_http = 12,
	};
	struct policy *p = load();
	struct report_service list[3];
	struct str doc = {0}, key = {0};
	struct endpoint at[3];
	size_t i;

	total.ended[REASON_CLIENT_CLOSED] = 1230001;
	total.ended[REASON_REFUSED] = 323;
	total.bad[HTTP_BAD_HOST_MISSING] = 41;
	total.bad[HTTP_BAD_TOO_MANY_FIELDS] = 1;
	fill(p, at, list);
	report_stats(&total, list, 3, &doc);
	/* every reason is there, also those that never were given */
	for (i = REASON_NONE + 1; i < REASON_COUNT; i++) {
		str_clear(&key);
		str_addf(&key, "\"%s\": ", reason_word((enum reason)i));
		CU_ASSERT(strstr(str_text(&doc), str_text(&key)) != NULL);
	}
	for (i = HTTP_BAD_NONE + 1; i < HTTP_BAD_COUNT; i++) {
		str_clear(&key);
		str_addf(&key, "\"%s\": ", http_bad_word((enum http_bad)i));
		CU_ASSERT(strstr(str_text(&doc), str_text(&key)) != NULL);
	}
	str_fini(&key);
	check(WIRE_STATS, "stats", &doc);
	str_fini(&doc);
	policy_free(p);
}

/* --- what is no answer ---------------------------------------------------- */

static void
expect(enum wire_command command, const char *text, enum show_result want,
       const char *want_note)
{
	struct str doc = {0}, out = {0}, note = {0};

	str_add(&doc, text);
	UNIT_CHECK(show_answer(command, &doc, &out, &note) == want, "%s", text);
	UNIT_STRINGS(str_text(&note), want_note);
	str_fini(&doc);
	str_fini(&out);
	str_fini(&note);
}

static void
test_refusals(void)
{
	expect(WIRE_RELOAD, "{\"error\": \"not-permitted\", \"why\": \"no\"}",
	       SHOW_NOT_PERMITTED, "no");
	expect(WIRE_RELOAD, "{\"error\": \"policy\", \"why\": \"a:1\\nb\\n\"}",
	       SHOW_POLICY, "a:1\nb");
	expect(WIRE_STATUS, "{\"error\": \"usage\", \"why\": \"what?\"}",
	       SHOW_USAGE, "what?");
	expect(WIRE_STATUS, "{\"error\": \"of a later version\"}", SHOW_FAILED,
	       "");
	expect(WIRE_RELOAD, "{\"warnings\": \"p:1:1: warning: x\\n\"}",
	       SHOW_DONE, "p:1:1: warning: x");
	expect(WIRE_STATUS, "", SHOW_BROKEN, "proxyd ended before it answered");
	expect(WIRE_STATUS, "{\"flows\": 1", SHOW_BROKEN,
	       "what proxyd said is not understood");
	expect(WIRE_STATUS, "[]", SHOW_BROKEN,
	       "what proxyd said is not understood");
}

/* Members of the wrong kind, or none, do no harm. */
static void
test_strange(void)
{
	static const char *const docs[] = {
		"{}",
		"{\"workers\": 1, \"policy\": [], \"return_path\": {}}",
		"{\"workers\": [1, \"a\", null], \"flows\": [[], 2]}",
		"{\"services\": [{\"sockets\": [1]}], \"ended\": []}",
	};
	struct str doc = {0}, out = {0}, note = {0};
	size_t i;
	int c;

	for (i = 0; i < sizeof(docs) / sizeof(docs[0]); i++) {
		str_clear(&doc);
		str_add(&doc, docs[i]);
		for (c = 0; c < WIRE_COMMANDS; c++)
			CU_ASSERT_EQUAL(show_answer((enum wire_command)c, &doc,
						    &out, &note),
					SHOW_DONE);
	}
	str_fini(&doc);
	str_fini(&out);
	str_fini(&note);
}

static void
test_flows(void)
{
	static const char text[] =
		"{\"flows\":["
		"{\"id\":\"0badcafe-1f\",\"service\":\"web\",\"client\":"
		"\"10.1.0.2:45678\",\"destination\":\"10.2.0.2:80\",\"source\":"
		"\"10.1.0.2:33333\",\"node\":\"10.2.0.2:80\",\"bytes_in\":72,"
		"\"bytes_out\":123456789012,\"ms_total\":200000,\"step\":"
		"\"relay\"},\n"
		"{\"id\":\"0badcafe-20\",\"service\":\"web\",\"client\":"
		"\"[fd01::2]:45678\",\"destination\":null,\"source\":null,"
		"\"node\":null,\"bytes_in\":0,\"bytes_out\":0,\"ms_total\":5,"
		"\"step\":\"origin\"}],\n"
		"\"silent\":[4714],\"left_out\":7}\n";
	struct str doc = {0}, out = {0}, note = {0};

	str_add(&doc, text);
	CU_ASSERT_EQUAL(show_answer(WIRE_FLOWS, &doc, &out, &note), SHOW_PART);
	unit_golden("proxyd/ctl-flows.txt", str_text(&out));
	UNIT_STRINGS(str_text(&note),
		     "worker process 4714 did not answer: its flows are not in"
		     " the list\n7 more flows do not fit: ask for those of a"
		     " --service, --pool or --client");
	/* nothing to show, nothing shown */
	str_clear(&doc);
	str_clear(&out);
	str_clear(&note);
	str_add(&doc, "{\"flows\":[],\"silent\":[],\"left_out\":0}");
	CU_ASSERT_EQUAL(show_answer(WIRE_FLOWS, &doc, &out, &note), SHOW_DONE);
	UNIT_STRINGS(str_text(&out), "");
	str_fini(&doc);
	str_fini(&out);
	str_fini(&note);
}

static const struct unit_test tests[] = {
	{"status", test_status},   {"services", test_services},
	{"stats", test_stats},	   {"refusals", test_refusals},
	{"strange", test_strange}, {"flows", test_flows},
};

UNIT_MAIN("report", tests)
