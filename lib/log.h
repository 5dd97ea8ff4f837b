/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - lines for the administrator on standard error.
 *
 * The one module with file-scope state: the program's name and the level.
 * With systemd's journal as standard error ($JOURNAL_STREAM) each line
 * begins with its priority, "<4>", as sd-daemon(3) has it.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE, /* shown unless the level is lowered */
	LOG_LEVEL_INFO,	  /* with -v */
	LOG_LEVEL_DEBUG,  /* with -v -v */
};

/* `program` must outlive all logging; lines begin with "program: ". */
void log_init(const char *program, enum log_level level);
enum log_level log_level(void);
void log_set_level(enum log_level level);

#define LOG_LEVEL_NAMES "error, warning, notice, info or debug"

/* The word of a level, and the level of a word or -EINVAL. */
const char *log_level_name(enum log_level level);
int log_level_parse(const char *word);

/*
 * From now on a line that standard error does not take at once is lost: for
 * programs that have something more important to do than to be read.
 */
void log_never_wait(void);

/*
 * From now on lines go to syslog(3) too, as those of a daemon: for a process
 * whose standard error nobody reads.
 */
void log_to_syslog(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line for each line of `text`. */
void log_lines(enum log_level level, const char *text);

#endif
