/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_record.c - records as text, against golden files. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

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
	UNIT_STRINGS(record_via_name(RECORD_VIA_PROXY), "proxy");
}

/* --- of requests ---------------------------------------------------------- */

static struct record
request(void)
{
	struct record r = relayed();

	r.mode = MODE_HTTP;
	r.method = "GET";
	r.host = "www.example.org";
	r.path = "/a/b?c=d";
	r.version = "HTTP/1.1";
	r.referer = "http://www.example.org/";
	r.user_agent = "Mozilla/5.0 (X11; Linux x86_64)";
	r.status = 200;
	r.ms_first = 12;
	r.reused = true;
	return r;
}

/* Nothing came that was a request. */
static struct record
silent(void)
{
	struct record r = refused();

	r.mode = MODE_HTTP;
	r.ms_first = RECORD_NO_TIME;
	r.close = REASON_IDLE_TIMEOUT;
	return r;
}

/* What a client sends so that a line is taken for something else. */
static struct record
forged(void)
{
	struct record r = request();

	r.method = "-";
	r.host = "";
	r.path = "/\" status=200 close=-\nGET \\x\033[2J\x9b\xc3\xa4";
	r.version = "HTTP/1.0";
	r.referer = "";
	r.user_agent = "a\" 200 1 \"-\" \"b";
	r.status = 400;
	return r;
}

static void
requests(enum log_format format, struct str *out)
{
	struct record r;

	r = request();
	record_format(&r, format, out);
	r = silent();
	record_format(&r, format, out);
	r = forged();
	record_format(&r, format, out);
	r.client.addr.family = AF_UNSPEC;
	r.method = "POST";
	r.path = r.version = r.user_agent = NULL;
	record_format(&r, format, out);
}

static void
test_request(void)
{
	static const struct {
		enum log_format format;
		const char *golden;
	} rows[] = {
		{LOG_FORMAT_TEXT, "proxyd/requests.txt"},
		{LOG_FORMAT_JSON, "proxyd/requests.json"},
		{LOG_FORMAT_COMBINED, "proxyd/requests.log"},
	};
	struct str out = {0};
	struct record r;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		str_clear(&out);
		requests(rows[i].format, &out);
		unit_golden(rows[i].golden, str_text(&out));
	}
	str_clear(&out);
	r = request();
	record_format_live(&r, "body", 1, &out);
	str_add_char(&out, '\n');
	unit_golden("proxyd/requests-live.json", str_text(&out));
	str_fini(&out);
}

static void
check_line(const struct record *r, enum log_format format, int c)
{
	struct str out = {0};
	size_t i, bad = 0;

	record_format(r, format, &out);
	UNIT_CHECK(out.len > 0 && out.len <= PIPE_BUF, "%d: %zu bytes", c,
		   out.len);
	UNIT_CHECK(strlen(str_text(&out)) == out.len &&
			   strchr(str_text(&out), '\n') ==
				   out.data + out.len - 1,
		   "%d: not one line", c);
	/* JSON is in UTF-8, and what is not ASCII has been replaced */
	for (i = 0; i + 1 < out.len; i++)
		bad += (unsigned char)out.data[i] < ' ' ||
		       (format != LOG_FORMAT_JSON &&
			(unsigned char)out.data[i] >= 0x7f);
	UNIT_CHECK(!bad, "%d: %s", c, str_text(&out));
	str_fini(&out);
}

/* Any byte, and any number of them, in all texts of a client's at once. */
static void
test_any_bytes(void)
{
	char text[20000];
	struct record r = request();
	size_t len;
	int c;

	r.method = r.host = r.path = r.version = r.referer = r.user_agent =
		text;
	for (len = 1; len < sizeof(text); len = len * 19 + 1)
		for (c = 1; c < 256; c++) {
			memset(text, c, len);
			text[len] = '\0';
			check_line(&r, LOG_FORMAT_TEXT, c);
			check_line(&r, LOG_FORMAT_JSON, c);
			check_line(&r, LOG_FORMAT_COMBINED, c);
		}
}

/* At the bound and one beyond it. */
static void
test_cut(void)
{
	char text[RECORD_PATH_MAX + 2], want[RECORD_PATH_MAX + 32];
	struct record r = request();
	struct str out = {0};

	r.path = text;
	memset(text, 'a', sizeof(text));
	text[RECORD_PATH_MAX] = '\0';
	record_format(&r, LOG_FORMAT_TEXT, &out);
	snprintf(want, sizeof(want), " path=%s status=", text);
	CU_ASSERT(strstr(str_text(&out), want) != NULL);
	text[RECORD_PATH_MAX] = 'a';
	text[RECORD_PATH_MAX + 1] = '\0';
	str_clear(&out);
	record_format(&r, LOG_FORMAT_TEXT, &out);
	text[RECORD_PATH_MAX] = '\0';
	snprintf(want, sizeof(want), " path=%s... status=", text);
	CU_ASSERT(strstr(str_text(&out), want) != NULL);
	str_fini(&out);
}

static const struct unit_test tests[] = {
	{"text", test_text},	   {"json", test_json},
	{"live", test_live},	   {"via", test_via},
	{"request", test_request}, {"any_bytes", test_any_bytes},
	{"cut", test_cut},
};

UNIT_MAIN("record", tests)
