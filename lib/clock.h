/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock.h - time, in milliseconds, and durations as people write them.
 */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds since boot; never goes back. CLOCK_MONOTONIC. */
uint64_t clock_now_ms(void);

enum { CLOCK_STAMP_LEN = sizeof("2026-11-23T01:27:05.123Z") };

/* The same, but time in which the machine slept counts. CLOCK_BOOTTIME. */
uint64_t clock_boot_ms(void);

/* Sleep until that is `ms`; returns before that only after a signal. */
void clock_sleep_until_boot(uint64_t ms);

/* Wall-clock time as RFC 3339 in UTC with milliseconds. Returns `buf`. */
const char *clock_stamp(char buf[CLOCK_STAMP_LEN]);

enum { CLOCK_WEB_STAMP_LEN = sizeof("23/Nov/2026:01:27:05 +0000") };

/*
 * A stamp of clock_stamp() as the logs of web servers have it. Returns
 * `buf`. Source: mod_log_config, %t.
 */
const char *clock_web_stamp(const char stamp[CLOCK_STAMP_LEN],
			    char buf[CLOCK_WEB_STAMP_LEN]);

enum { CLOCK_HTTP_DATE_LEN = sizeof("Sun, 06 Nov 1994 08:49:37 GMT") };

/*
 * Wall-clock time as HTTP has it, whatever the locale. Returns `buf`.
 * Source: RFC 9110, section 5.6.7.
 */
const char *clock_http_date(char buf[CLOCK_HTTP_DATE_LEN]);

enum { CLOCK_DURATION_LEN = 24 };

/*
 * A duration in the policy's notation, in the largest unit that keeps it
 * whole: "500ms" "5s" "2m" "1h" "0". Returns `buf`.
 */
const char *clock_duration(uint64_t ms, char buf[CLOCK_DURATION_LEN]);

/*
 * Read such a duration; 0 needs no unit, and one too large for *ret_ms becomes
 * UINT64_MAX. 0; -EINVAL: no number; -ERANGE: no unit, or an unknown one.
 */
int clock_parse_duration(const char *text, uint64_t *ret_ms);

#endif
