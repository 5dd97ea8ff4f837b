/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fdcheck.h - is a descriptor left over at the end?
 *
 * For builds with a sanitizer: what ASan is for memory, this is for
 * descriptors. Other builds have the same calls, which do nothing.
 */
#ifndef PROXYD_BASE_FDCHECK_H
#define PROXYD_BASE_FDCHECK_H

#include <stdint.h>

enum { FDCHECK_MAX = 1024 };

struct fdcheck {
	uint8_t open[FDCHECK_MAX]; /* at the start of the program */
};

/* Remember which descriptors the program was started with. */
void fdcheck_init(struct fdcheck *c);

/*
 * How many are open that were not? Names each where the sanitizers report:
 * "SUMMARY: FdCheck: proxyd: descriptor 7 (socket:[4711]) left open".
 */
unsigned int fdcheck_count(const struct fdcheck *c);

#endif
