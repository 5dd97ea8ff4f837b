/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_wire.c - requests: what is written is read, and nothing else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proxyd/ctl/wire.h"

#include "tests/unit.h"

static int
parse(const char *line, struct wire_request *q, struct str *why)
{
	str_clear(why);
	return wire_parse(line, strlen(line), q, why);
}

/* Every command, as it is written. */
static void
test_round_trip(void)
{
	static const char *const lines[] = {
		"status",
		"flows",
		"flows service=web",
		"flows service=web pool=app client=10.1.0.0/16",
		"flows client=fd01::2",
		"services",
		"stats",
		"reload",
		"reopen",
		"log-level error",
		"log-level warning",
		"log-level notice",
		"log-level info",
		"log-level debug",
	};
	struct str out = {0}, why = {0};
	struct wire_request q;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		memset(&q, 0xff, sizeof(q));
		UNIT_CHECK(parse(lines[i], &q, &why) == 0, "%s: %s", lines[i],
			   str_text(&why));
		str_clear(&out);
		wire_format(&q, &out);
		CU_ASSERT(out.len > 0 && out.data[out.len - 1] == '\n');
		out.data[out.len - 1] = '\0';
		UNIT_STRINGS(str_text(&out), lines[i]);
	}
	str_fini(&out);
	str_fini(&why);
}

static void
test_refused(void)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{"", "proxyd does not know ''"},
		{"Status", "proxyd does not know 'Status'"},
		{"status ", "status takes no ''"},
		{" status", "proxyd does not know ''"},
		{"status now", "status takes no 'now'"},
		{"log-level", "a level is error, warning, notice, info or"
			      " debug"},
		{"log-level loud", "a level is error, warning, notice, info or"
				   " debug"},
		{"log-level info x", "log-level takes no 'x'"},
		{"flows web", "flows cannot be asked for by 'web'"},
		{"flows colour=red", "flows cannot be asked for by 'colour'"},
		{"flows service=", "'' is not the name of a service"},
		{"flows pool=A", "'A' is not the name of a pool"},
		{"flows client=10.1", "'10.1' is not an address or a network"},
		{"flows pool=a pool=b", "pool is given twice"},
		{"flows client=::1 client=::1", "client is given twice"},
		{"status\t", "a request is a line of printable characters"},
		{"stat\xff", "a request is a line of printable characters"},
	};
	struct wire_request q, before;
	struct str why = {0};
	size_t i;

	memset(&q, 0x55, sizeof(q));
	before = q;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		UNIT_CHECK(parse(rows[i].line, &q, &why) == -EINVAL,
			   "'%s' was taken", rows[i].line);
		UNIT_STRINGS(str_text(&why), rows[i].why);
		CU_ASSERT(memcmp(&q, &before, sizeof(q)) == 0);
	}
	str_fini(&why);
}

/* The longest, one more, and a NUL inside. */
static void
test_bounds(void)
{
	char line[WIRE_REQUEST_MAX + 1];
	struct str why = {0};
	struct wire_request q;

	memset(line, 'x', sizeof(line));
	CU_ASSERT(wire_parse(line, WIRE_REQUEST_MAX - 1, &q, &why) == -EINVAL);
	CU_ASSERT(strstr(str_text(&why), "does not know") != NULL);
	str_clear(&why);
	CU_ASSERT(wire_parse(line, WIRE_REQUEST_MAX, &q, &why) == -EINVAL);
	UNIT_STRINGS(str_text(&why), "a request has at most 512 bytes");
	str_clear(&why);
	CU_ASSERT(wire_parse("status\0x", 8, &q, &why) == -EINVAL);
	str_fini(&why);
}

/* Nothing is read behind the line's end. */
static void
test_guard_page(void)
{
	static const char text[] = "flows service=web pool=a client=10.0.0.0/8";
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n;
	struct str why = {0};
	struct wire_request q;
	char *p;

	p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_FATAL(p != MAP_FAILED);
	CU_ASSERT_EQUAL(mprotect(p + page, page, PROT_NONE), 0);
	for (n = 0; n < sizeof(text); n++) {
		memcpy(p + page - n, text, n);
		wire_parse(p + page - n, n, &q, &why);
	}
	munmap(p, 2 * page);
	str_fini(&why);
}

/* Who may what: reading changes nothing. */
static void
test_changes(void)
{
	CU_ASSERT(!wire_changes(WIRE_STATUS) && !wire_changes(WIRE_FLOWS) &&
		  !wire_changes(WIRE_SERVICES) && !wire_changes(WIRE_STATS));
	CU_ASSERT(wire_changes(WIRE_RELOAD) && wire_changes(WIRE_REOPEN) &&
		  wire_changes(WIRE_LOG_LEVEL));
	CU_ASSERT_PTR_NULL(wire_word(WIRE_COMMANDS));
}

static const struct unit_test tests[] = {
	{"round_trip", test_round_trip}, {"refused", test_refused},
	{"bounds", test_bounds},	 {"guard_page", test_guard_page},
	{"changes", test_changes},
};

UNIT_MAIN("wire", tests)
