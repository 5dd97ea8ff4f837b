/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_handover.c - the state of one proxyd, read by another. */
#include "proxyd/handover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit.h"

#define HEAD "proxyd-handover 1\n"
#define CREW HEAD "crew 1 0 0 2 2 1 5 5 8 9\n"

/* One of everything, and the largest numbers. */
static void
fill(struct handover *h)
{
	const struct handover_crew old = {
		.generation = 7,
		.state = HANDOVER_DRAINING,
		.followed = true,
		.n_workers = 4,
		.n_slots = 4,
		.n_listeners = 2,
		.shut_ms = 123456789012,
		.kill_ms = 123456849012,
		.policy_fd = 11,
		.tally_fd = 12,
	};
	const struct handover_crew now = {
		.generation = UINT32_MAX,
		.n_workers = 1,
		.n_slots = 1,
		.shut_ms = UINT64_MAX,
		.kill_ms = UINT64_MAX,
		.policy_fd = 13,
		.tally_fd = 14,
	};
	const struct handover_child tracker = {
		.generation = UINT32_MAX,
		.is_tracker = true,
		.pid = 1234,
		.talk_fd = 9,
	};
	const struct handover_child worker = {
		.generation = 7,
		.pid = 1235,
		.talk_fd = 10,
		.index = 3,
		.place = 61,
		.pair_fds = {15, 16},
	};
	const struct handover_slot slot = {7, 0, 3};

	handover_init(h);
	h->shm_fd = 5;
	h->limits_fd = 4;
	CU_ASSERT_EQUAL(handover_add_socket(h, 6), 0);
	CU_ASSERT_EQUAL(handover_add_socket(h, 7), 0);
	CU_ASSERT_EQUAL(handover_add_crew(h, &old), 0);
	CU_ASSERT_EQUAL(handover_add_crew(h, &now), 0);
	CU_ASSERT_EQUAL(handover_add_child(h, &tracker), 0);
	CU_ASSERT_EQUAL(handover_add_child(h, &worker), 0);
	CU_ASSERT_EQUAL(handover_add_slot(h, &slot), 0);
}

static void
test_write(void)
{
	struct str text = {0};
	struct handover h;

	fill(&h);
	handover_write(&h, &text);
	unit_golden("proxyd/handover.txt", str_text(&text));
	str_fini(&text);
	handover_fini(&h);
	handover_write(&h, &text);
	UNIT_STRINGS(str_text(&text), HEAD "end\n");
	str_fini(&text);
}

/* What is read and written again is the same. */
static void
test_round_trip(void)
{
	struct str text = {0}, again = {0};
	struct handover h, copy;
	unsigned int line = 0;

	fill(&h);
	handover_write(&h, &text);
	CU_ASSERT_EQUAL_FATAL(handover_read(&copy, text.data, text.len, &line),
			      0);
	CU_ASSERT_EQUAL(copy.n_children, 2);
	CU_ASSERT(copy.children[0].is_tracker && !copy.children[1].is_tracker);
	handover_write(&copy, &again);
	UNIT_STRINGS(str_text(&again), str_text(&text));
	str_fini(&text);
	str_fini(&again);
	handover_fini(&h);
	handover_fini(&copy);
}

/* In which line is it wrong? 0: in none. */
static unsigned int
wrong_line(const char *text, size_t len)
{
	unsigned int line = 0;
	struct handover h;
	int r;

	r = handover_read(&h, text, len, &line);
	CU_ASSERT(r == 0 || r == -EBADMSG);
	if (r < 0)
		CU_ASSERT(!h.n_sockets && !h.sockets && h.shm_fd == -1);
	handover_fini(&h);
	return r ? line : 0;
}

static void
test_wrong(void)
{
	static const struct {
		const char *text;
		unsigned int line; /* that is wrong; 0: none */
	} cases[] = {
		{HEAD "end\n", 0},
		{HEAD "socket 2147483647\nend\n", 0},
		{HEAD "crew 1 0 1 1 1 1 18446744073709551615 5 8 9\nend\n", 0},
		{"", 1},
		{"proxyd-handover 1", 1},
		{"proxyd-handover 2\nend\n", 1},
		{"proxyd-handover 10\nend\n", 1},
		{" " HEAD "end\n", 1},
		{HEAD, 2},
		{HEAD "end", 2},
		{HEAD "end\nend\n", 2},
		{HEAD "end\nx", 2},
		{HEAD "socket 3\n", 3},
		{HEAD "\nend\n", 2},
		{HEAD "socket\nend\n", 2},
		{HEAD "socket \nend\n", 2},
		{HEAD "socket  3\nend\n", 2},
		{HEAD "socket 3 \nend\n", 2},
		{HEAD "socket 3 4\nend\n", 2},
		{HEAD "socket -3\nend\n", 2},
		{HEAD "socket 3x\nend\n", 2},
		{HEAD "socket 0x3\nend\n", 2},
		{HEAD "socket 2147483648\nend\n", 2},
		{HEAD "socket 4294967299\nend\n", 2},
		{HEAD "crew 1 0 1 1 1 1 18446744073709551616 5 8 9\nend\n", 2},
		{HEAD "sockets 3\nend\n", 2},
		{HEAD "sock 3\nend\n", 2},
		{HEAD "SOCKET 3\nend\n", 2},
		{HEAD "shm 3\nshm 4\nend\n", 3},
		{HEAD "limits 3\nlimits 4\nend\n", 3},
		{CREW "crew 2 2 1 1 1 0 5 5 8 9\nend\n", 0},
		{CREW "crew 1 1 1 1 1 0 5 5 8 9\nend\n", 3},
		{CREW "crew 2 1 2 1 1 0 5 5 8 9\nend\n", 3},
		{CREW "crew 2 3 1 1 1 0 5 5 8 9\nend\n", 3},
		{CREW "crew 2 1 1 0 1 0 5 5 8 9\nend\n", 3},
		{CREW "crew 2 1 1 1 0 0 5 5 8 9\nend\n", 3},
		{CREW "crew 2 1 1 4097 1 0 5 5 8 9\nend\n", 3},
		{CREW "tracker 1 99 3\nend\n", 0},
		{CREW "tracker 1 0 0\nend\n", 0},
		{CREW "tracker 1 1 3\nend\n", 3},
		{CREW "tracker 2 99 3\nend\n", 3},
		{HEAD "tracker 1 99 3\nend\n", 2},
		{CREW "worker 1 99 3 1 0 4 5\nend\n", 0},
		{CREW "worker 1 99 3 1 0 4\nend\n", 3},
		{CREW "worker 1 99 3 2 0 4 5\nend\n", 3},
		{CREW "worker 2 99 3 0 0 4 5\nend\n", 3},
		{CREW "worker 1 1 3 0 0 4 5\nend\n", 3},
		{CREW "slot 1 1 1\nend\n", 0},
		{CREW "slot 1 2 1\nend\n", 3},
		{CREW "slot 1 1 2\nend\n", 3},
		{CREW "slot 2 1 1\nend\n", 3},
		{HEAD "nonsense 1\nend\n", 2},
	};
	unsigned int line;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		line = wrong_line(cases[i].text, strlen(cases[i].text));
		UNIT_CHECK(line == cases[i].line, "line %u, not %u of:\n%s",
			   line, cases[i].line, cases[i].text);
	}
	/* NUL is a byte like any other that does not belong there */
	CU_ASSERT_EQUAL(wrong_line(HEAD "end\0\n", sizeof(HEAD) + 4), 2);
}

/*
 * Cut anywhere it is an error, and not a byte behind the cut is read: the
 * text ends at a page that nobody may touch.
 */
static void
test_cut(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), i;
	struct str text = {0};
	struct handover h;
	char *at;

	fill(&h);
	handover_write(&h, &text);
	handover_fini(&h);
	at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CU_ASSERT_FATAL(at != MAP_FAILED && text.len < page);
	CU_ASSERT_EQUAL(mprotect(at + page, page, PROT_NONE), 0);
	for (i = 0; i < text.len; i++) {
		memcpy(at + page - i, text.data, i);
		UNIT_CHECK(wrong_line(at + page - i, i) > 0, "cut at %zu", i);
	}
	CU_ASSERT_EQUAL(wrong_line(text.data, text.len), 0);
	munmap(at, 2 * page);
	str_fini(&text);
}

/* More than can be there is no reason to take all memory. */
static void
test_many(void)
{
	struct str text = {0};
	size_t i;

	str_add(&text, HEAD);
	for (i = 0; i < HANDOVER_LIST_MAX; i++)
		str_add(&text, "socket 3\n");
	str_add(&text, "end\n");
	CU_ASSERT_EQUAL(wrong_line(text.data, text.len), 0);
	text.len -= strlen("end\n");
	str_add(&text, "socket 3\nend\n");
	CU_ASSERT_EQUAL(wrong_line(text.data, text.len), HANDOVER_LIST_MAX + 2);
	str_fini(&text);
}

static const struct unit_test tests[] = {
	{"write", test_write}, {"round_trip", test_round_trip},
	{"wrong", test_wrong}, {"cut", test_cut},
	{"many", test_many},
};

UNIT_MAIN("handover", tests)
