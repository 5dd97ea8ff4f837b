/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limiter.h - a line of the log that would come again and again.
 *
 * A client can make a mistake happen a thousand times a second; the
 * administrator needs to read of it once, and how often.
 */
#ifndef PROXYD_BASE_LIMITER_H
#define PROXYD_BASE_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

enum { LIMITER_MS = 10000 };

/* Zeroed: nothing was said yet. */
struct limiter {
	uint64_t until_ms;
	uint64_t held;
};

/*
 * May it be said now? At most once in LIMITER_MS; then *ret_held is how
 * often it was not since the last time.
 */
bool limiter_pass(struct limiter *l, uint64_t now_ms, uint64_t *ret_held);

#endif
