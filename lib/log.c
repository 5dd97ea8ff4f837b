/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The one exception to "no mutable file-scope variables". */
static struct {
	const char *program;
	enum log_level level;
	bool journal;
} state = {.program = "interpose", .level = LOG_LEVEL_NOTICE};

void
log_init(const char *program, enum log_level level)
{
	state.program = program;
	state.level = level;
	state.journal = getenv("JOURNAL_STREAM") && !isatty(STDERR_FILENO);
}

enum log_level
log_level(void)
{
	return state.level;
}

/* One write a line, so that lines of several processes do not mix. */
static void
write_line(enum log_level level, const char *fmt, va_list ap)
{
	/* syslog(3) priorities by level */
	static const char *const priorities[] = {"<3>", "<4>", "<5>", "<6>",
						 "<7>"};
	char line[2048];
	int n, m;

	if (level > state.level)
		return;
	n = snprintf(line, sizeof(line),
		     "%s%s: ", state.journal ? priorities[level] : "",
		     state.program);
	m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	if (m < 0)
		return;
	n += m;
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	/* nobody is left to tell when standard error is gone */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}

#define DEFINE_LOG(name, level)                                                \
	void log_##name(const char *fmt, ...)                                  \
	{                                                                      \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, fmt);                                             \
		write_line(level, fmt, ap);                                    \
		va_end(ap);                                                    \
	}

DEFINE_LOG(error, LOG_LEVEL_ERROR)
DEFINE_LOG(warn, LOG_LEVEL_WARN)
DEFINE_LOG(notice, LOG_LEVEL_NOTICE)
DEFINE_LOG(info, LOG_LEVEL_INFO)
DEFINE_LOG(debug, LOG_LEVEL_DEBUG)
