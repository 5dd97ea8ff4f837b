/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

uint64_t
clock_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

const char *
clock_stamp(char buf[CLOCK_STAMP_LEN])
{
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	/* each remainder only tells the compiler what gmtime_r promises */
	snprintf(buf, CLOCK_STAMP_LEN, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (unsigned int)(tm.tm_year + 1900) % 10000,
		 (unsigned int)(tm.tm_mon + 1) % 100,
		 (unsigned int)tm.tm_mday % 100, (unsigned int)tm.tm_hour % 100,
		 (unsigned int)tm.tm_min % 100, (unsigned int)tm.tm_sec % 100,
		 (unsigned int)(ts.tv_nsec / 1000000) % 1000);
	return buf;
}

const char *
clock_duration(uint64_t ms, char buf[CLOCK_DURATION_LEN])
{
	/*        unit  ms     */
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
		{"h", 3600000},
		{"m", 60000},
		{"s", 1000},
		{"ms", 1},
	};
	size_t i = 0;

	if (!ms) {
		snprintf(buf, CLOCK_DURATION_LEN, "0");
		return buf;
	}
	while (ms % units[i].ms)
		i++;
	snprintf(buf, CLOCK_DURATION_LEN, "%" PRIu64 "%s", ms / units[i].ms,
		 units[i].unit);
	return buf;
}
