/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_record.c - records as text, against golden files. */
#include <string.h>

#include "lib/str.h"

#include "proxyd/ctl/record.h"

#include "tests/unit.h"

static struct endpoint
endpoint(const char *text)
{
	struct endpoint e;

	memset(&e, 0, sizeof(e));
	CU_ASSERT_EQUAL_FATAL(endpoint_parse(text, &e), 0);
	return e;
}

static struct record
relayed(void)
{
	struct record r = {
		.time = "2026-11-23T01:27:05.123Z",
		.id = "0badcafe-1f",
		.service = "web",
		.mode = MODE_TCP,
		.client = endpoint("10.1.0.2:45678"),
		.local = endpoint("10.1.0.1:18023"),
		.destination = endpoint("10.2.0.2:80"),
		.via = RECORD_VIA_NAT,
		.source = endpoint("10.1.0.2:33333"),
		.pool = "original",
		.node = endpoint("10.2.0.2:80"),
		.bytes_in = 72,
		.bytes_out = 123456789012,
		.ms_connect = 0,
		.ms_total = 1234,
		.close = REASON_CLIENT_CLOSED,
	};

	return r;
}

/* Nothing is known but that it was refused. */
static struct record
refused(void)
{
	struct record r = {
		.time = "2026-11-23T01:27:05.123Z",
		.id = "0badcafe-20",
		.service = "web",
		.mode = MODE_TCP,
		.client = endpoint("[fd01::2]:45678"),
		.local = endpoint("[fd01::1]:18023"),
		.pool = "app",
		.ms_connect = RECORD_NO_TIME,
		.close = REASON_NO_DESTINATION,
	};

	return r;
}

/* Values that must not be taken for several, or for the end of the line. */
static struct record
awkward(void)
{
	struct record r = relayed();

	r.via = RECORD_VIA_CONNTRACK;
	r.note = "a \"quoted\" note=with \\ and\nnewline \x7f";
	return r;
}

static void
all(enum log_format format, struct str *out)
{
	struct record r;

	r = relayed();
	record_format(&r, format, out);
	r = refused();
	record_format(&r, format, out);
	r = awkward();
	record_format(&r, format, out);
	r.via = RECORD_VIA_LOCAL;
	r.note = "";
	record_format(&r, format, out);
	r.note = "two words";
	record_format(&r, format, out);
}

static void
test_text(void)
{
	struct str out = {0};

	all(LOG_FORMAT_TEXT, &out);
	unit_golden("proxyd/records.txt", str_text(&out));
	str_fini(&out);
}

static void
test_json(void)
{
	struct str out = {0};

	all(LOG_FORMAT_JSON, &out);
	unit_golden("proxyd/records.json", str_text(&out));
	str_fini(&out);
}

/* One that has not ended: no time, no reason, no newline. */
static void
test_live(void)
{
	struct str out = {0};
	struct record r;

	r = relayed();
	record_format_live(&r, "relay", 3, &out);
	str_add(&out, ",\n");
	r = refused();
	record_format_live(&r, "origin", 0, &out);
	str_add_char(&out, '\n');
	unit_golden("proxyd/records-live.json", str_text(&out));
	str_fini(&out);
}

static void
test_via(void)
{
	UNIT_STRINGS(record_via_name(RECORD_VIA_NONE), "-");
	UNIT_STRINGS(record_via_name(RECORD_VIA_NAT), "nat");
	UNIT_STRINGS(record_via_name(RECORD_VIA_CONNTRACK), "conntrack");
	UNIT_STRINGS(record_via_name(RECORD_VIA_LOCAL), "local");
}

static const struct unit_test tests[] = {
	{"text", test_text},
	{"json", test_json},
	{"live", test_live},
	{"via", test_via},
};

UNIT_MAIN("record", tests)
