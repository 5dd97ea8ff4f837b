/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/clock.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t
clock_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
clock_boot_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void
clock_sleep_until_boot(uint64_t ms)
{
	const struct timespec ts = {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};

	clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &ts, NULL);
}

/* `n` in `digits` digits, and what follows them; returns where that ends. */
static char *
put_digits(char *at, int n, int digits, char then)
{
	int i;

	for (i = digits - 1; i >= 0; i--) {
		at[i] = (char)('0' + n % 10);
		n /= 10;
	}
	at[digits] = then;
	return at + digits + 1;
}

/* By hand, because there is one in the record of every flow. */
const char *
clock_stamp(char buf[CLOCK_STAMP_LEN])
{
	struct timespec ts;
	char *at = buf;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	at = put_digits(at, tm.tm_year + 1900, 4, '-');
	at = put_digits(at, tm.tm_mon + 1, 2, '-');
	at = put_digits(at, tm.tm_mday, 2, 'T');
	at = put_digits(at, tm.tm_hour, 2, ':');
	at = put_digits(at, tm.tm_min, 2, ':');
	at = put_digits(at, tm.tm_sec, 2, '.');
	at = put_digits(at, (int)(ts.tv_nsec / 1000000), 3, 'Z');
	*at = '\0';
	return buf;
}

const char *
clock_web_stamp(const char stamp[CLOCK_STAMP_LEN],
		char buf[CLOCK_WEB_STAMP_LEN])
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int month = (stamp[5] - '0') * 10 + stamp[6] - '0';

	assert(month >= 1 && month <= 12);
	snprintf(buf, CLOCK_WEB_STAMP_LEN, "%.2s/%.3s/%.4s:%.8s +0000",
		 stamp + 8, months + (size_t)3 * (size_t)(month - 1), stamp,
		 stamp + 11);
	return buf;
}

/* clang-format off */
static const struct {
	const char *name;
	uint64_t ms;
} units[] = {
	/* unit  ms */
	{ "h",   3600000 },
	{ "m",   60000 },
	{ "s",   1000 },
	{ "ms",  1 },
};
/* clang-format on */

enum { N_UNITS = sizeof(units) / sizeof(units[0]) };

const char *
clock_http_date(char buf[CLOCK_HTTP_DATE_LEN])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = time(NULL);
	struct tm tm = {0};
	size_t n;

	gmtime_r(&now, &tm);
	n = strftime(buf, CLOCK_HTTP_DATE_LEN, "DDD, %d MMM %Y %H:%M:%S GMT",
		     &tm);
	assert(n == CLOCK_HTTP_DATE_LEN - 1);
	memcpy(buf, days + 3 * tm.tm_wday, 3);
	memcpy(buf + 8, months + 3 * tm.tm_mon, 3);
	return buf;
}

const char *
clock_duration(uint64_t ms, char buf[CLOCK_DURATION_LEN])
{
	size_t i = 0;

	if (!ms) {
		snprintf(buf, CLOCK_DURATION_LEN, "0");
		return buf;
	}
	while (ms % units[i].ms)
		i++;
	snprintf(buf, CLOCK_DURATION_LEN, "%" PRIu64 "%s", ms / units[i].ms,
		 units[i].name);
	return buf;
}

int
clock_parse_duration(const char *text, uint64_t *ret_ms)
{
	uint64_t n = 0, scale = 0;
	const char *p = text;
	size_t i;

	for (; isdigit((unsigned char)*p); p++)
		n = n > UINT64_MAX / 32 ? UINT64_MAX
					: n * 10 + (uint64_t)(*p - '0');
	if (p == text)
		return -EINVAL;
	for (i = 0; i < N_UNITS; i++) {
		if (!strcmp(p, units[i].name))
			scale = units[i].ms;
	}
	if (!scale && (*p || n))
		return -ERANGE;
	*ret_ms = scale && n > UINT64_MAX / scale ? UINT64_MAX : n * scale;
	return 0;
}
