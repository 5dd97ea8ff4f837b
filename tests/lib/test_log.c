/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"

/* Run `f` with standard error in a pipe; returns what it wrote. */
static const char *
capture(void (*f)(void), char buf[8192])
{
	int fds[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	f();
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = read(fds[0], buf, 8191);
	close(fds[0]);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void
say_all(void)
{
	log_error("e%d", 1);
	log_warn("w");
	log_notice("n");
	log_info("i");
	log_debug("d");
}

static void
say_at_notice(void)
{
	log_init("prog", LOG_LEVEL_NOTICE);
	say_all();
}

static void
say_at_debug(void)
{
	log_init("prog", LOG_LEVEL_DEBUG);
	say_all();
}

static void
say_to_journal(void)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	say_at_notice();
	unsetenv("JOURNAL_STREAM");
}

static void
say_much(void)
{
	char text[4096];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_init("prog", LOG_LEVEL_NOTICE);
	log_error("%s", text);
}

static void
levels_are_kept(void)
{
	char buf[8192];

	UNIT_STRINGS(capture(say_at_notice, buf),
		     "prog: e1\nprog: w\nprog: n\n");
	UNIT_STRINGS(capture(say_at_debug, buf),
		     "prog: e1\nprog: w\nprog: n\nprog: i\nprog: d\n");
}

static void
the_journal_gets_priorities(void)
{
	char buf[8192];

	UNIT_STRINGS(capture(say_to_journal, buf),
		     "<3>prog: e1\n<4>prog: w\n<5>prog: n\n");
}

static void
long_lines_are_cut_but_end(void)
{
	char buf[8192];
	size_t len = strlen(capture(say_much, buf));

	CU_ASSERT(len > 2000 && len < 2100);
	CU_ASSERT_EQUAL(buf[len - 1], '\n');
	CU_ASSERT_PTR_EQUAL(strchr(buf, '\n'), buf + len - 1);
}

/* Fills standard error, a pipe, and then still speaks. */
static void
say_into_full(void)
{
	char block[4096] = "";
	int flags = fcntl(STDERR_FILENO, F_GETFL);

	log_never_wait();
	log_error("first");
	fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
	while (write(STDERR_FILENO, block, sizeof(block)) > 0)
		continue;
	fcntl(STDERR_FILENO, F_SETFL, flags);
	/* one that waits will never return */
	alarm(10);
	log_error("second");
	alarm(0);
}

static void
a_full_pipe_is_not_waited_for(void)
{
	char buf[8192];

	log_init("prog", LOG_LEVEL_NOTICE);
	UNIT_STRINGS(capture(say_into_full, buf), "prog: first\n");
}

static const struct unit_test tests[] = {
	{"levels_are_kept", levels_are_kept},
	{"the_journal_gets_priorities", the_journal_gets_priorities},
	{"long_lines_are_cut_but_end", long_lines_are_cut_but_end},
	{"a_full_pipe_is_not_waited_for", a_full_pipe_is_not_waited_for},
};

UNIT_MAIN("log", tests)
