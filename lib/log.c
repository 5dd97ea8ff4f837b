/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

/* The one exception to "no mutable file-scope variables". */
static struct {
	const char *program;
	enum log_level level;
	bool journal;
	bool never_wait;
	bool syslog;
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

void
log_set_level(enum log_level level)
{
	state.level = level;
}

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",   [LOG_LEVEL_WARN] = "warning",
	[LOG_LEVEL_NOTICE] = "notice", [LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

const char *
log_level_name(enum log_level level)
{
	return level_names[level];
}

int
log_level_parse(const char *word)
{
	int i;

	for (i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++)
		if (!strcmp(word, level_names[i]))
			return i;
	return -EINVAL;
}

void
log_never_wait(void)
{
	state.never_wait = true;
}

void
log_to_syslog(void)
{
	openlog(state.program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	state.syslog = true;
}

/* A pipe that is ready has room for a line; a socket need not have. */
static ssize_t
put_now(const char *line, size_t len)
{
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	ssize_t n;

	n = send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0 || errno != ENOTSOCK)
		return n;
	if (poll(&fd, 1, 0) != 1 || !(fd.revents & POLLOUT))
		return -1;
	return write(STDERR_FILENO, line, len);
}

/* One write a line, so that lines of several processes do not mix. */
static void
write_line(enum log_level level, const char *fmt, va_list ap)
{
	/* syslog(3) priorities by level */
	static const char *const priorities[] = {"<3>", "<4>", "<5>", "<6>",
						 "<7>"};
	char line[2048];
	ssize_t done;
	int n, m, start;

	if (level > state.level)
		return;
	n = snprintf(line, sizeof(line),
		     "%s%s: ", state.journal ? priorities[level] : "",
		     state.program);
	start = n;
	m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	if (m < 0)
		return;
	n += m;
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	if (state.syslog) /* which puts program and priority there itself */
		syslog(LOG_ERR + (int)level, "%s", line + start);
	line[n++] = '\n';
	if (state.never_wait)
		done = put_now(line, (size_t)n);
	else
		done = write(STDERR_FILENO, line, (size_t)n);
	/* nobody is left to tell when standard error is gone */
	(void)done;
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

static void
write_text(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(level, fmt, ap);
	va_end(ap);
}

void
log_lines(enum log_level level, const char *text)
{
	size_t len;

	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		write_text(level, "%.*s", (int)len, text);
	}
}
