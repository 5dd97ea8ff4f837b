/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "tests/unit.h"

static void
stamps_of_web_servers(void)
{
	char buf[CLOCK_WEB_STAMP_LEN];

	UNIT_STRINGS(clock_web_stamp("2026-11-23T01:27:05.123Z", buf),
		     "23/Nov/2026:01:27:05 +0000");
	UNIT_STRINGS(clock_web_stamp("1999-01-01T23:59:59.999Z", buf),
		     "01/Jan/1999:23:59:59 +0000");
	UNIT_STRINGS(clock_web_stamp("2024-12-31T00:00:00.000Z", buf),
		     "31/Dec/2024:00:00:00 +0000");
}

static void
durations_use_the_largest_whole_unit(void)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} rows[] = {
		{0, "0"},	 {1, "1ms"},	   {999, "999ms"},
		{1000, "1s"},	 {1500, "1500ms"}, {60000, "1m"},
		{90000, "90s"},	 {3600000, "1h"},  {5400000, "90m"},
		{7200000, "2h"},
	};
	char buf[CLOCK_DURATION_LEN];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		UNIT_STRINGS(clock_duration(rows[i].ms, buf), rows[i].text);
}

static void
durations_are_read(void)
{
	static const struct {
		const char *text;
		int error;
		uint64_t ms;
	} rows[] = {
		{"500ms", 0, 500},
		{"5s", 0, 5000},
		{"2m", 0, 120000},
		{"1h", 0, 3600000},
		{"0", 0, 0},
		{"0s", 0, 0},
		{"99999999999999999999h", 0, UINT64_MAX},
		{"5", -ERANGE, 7},
		{"5d", -ERANGE, 7},
		{"5 s", -ERANGE, 7},
		{"", -EINVAL, 7},
		{"s", -EINVAL, 7},
		{"-5s", -EINVAL, 7},
	};
	uint64_t ms;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ms = 7; /* stays on failure */
		CU_ASSERT_EQUAL(clock_parse_duration(rows[i].text, &ms),
				rows[i].error);
		CU_ASSERT_EQUAL(ms, rows[i].ms);
	}
}

static void
stamps_have_their_shape(void)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	char buf[CLOCK_STAMP_LEN], second[CLOCK_STAMP_LEN];
	time_t before = time(NULL), t;
	bool same = false;
	struct tm tm;
	size_t i;

	clock_stamp(buf);
	for (t = before; t <= time(NULL); t++) {
		strftime(second, sizeof(second), "%FT%T.", gmtime_r(&t, &tm));
		same |= !strncmp(buf, second, strlen(second));
	}
	UNIT_CHECK(same, "%s is not now: %s", buf, second);
	CU_ASSERT_EQUAL(strlen(buf), strlen(shape));
	for (i = 0; shape[i]; i++)
		CU_ASSERT(shape[i] == 'd' ? strchr("0123456789", buf[i]) != NULL
					  : buf[i] == shape[i]);
}

static void
dates_of_http(void)
{
	char buf[CLOCK_HTTP_DATE_LEN], want[CLOCK_HTTP_DATE_LEN];
	time_t before = time(NULL), t;
	struct tm tm;
	bool same = false;

	clock_http_date(buf);
	for (t = before; t <= time(NULL); t++) {
		strftime(want, sizeof(want), "%a, %d %b %Y %H:%M:%S GMT",
			 gmtime_r(&t, &tm));
		same |= !strcmp(buf, want);
	}
	UNIT_CHECK(same, "%s is not now: %s", buf, want);
}

static void
now_does_not_go_back(void)
{
	uint64_t before = clock_now_ms();

	CU_ASSERT(clock_now_ms() >= before);
	CU_ASSERT(before > 0);
}

static const struct unit_test tests[] = {
	{"stamps_of_web_servers", stamps_of_web_servers},
	{"durations_use_the_largest_whole_unit",
	 durations_use_the_largest_whole_unit},
	{"durations_are_read", durations_are_read},
	{"stamps_have_their_shape", stamps_have_their_shape},
	{"dates_of_http", dates_of_http},
	{"now_does_not_go_back", now_does_not_go_back},
};

UNIT_MAIN("clock", tests)
