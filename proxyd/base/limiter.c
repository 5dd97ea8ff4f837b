/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limiter.c - counts what limiter.h holds back. */
#include "proxyd/base/limiter.h"

bool
limiter_pass(struct limiter *l, uint64_t now_ms, uint64_t *ret_held)
{
	if (now_ms < l->until_ms) {
		l->held++;
		return false;
	}
	*ret_held = l->held;
	l->held = 0;
	l->until_ms = now_ms + LIMITER_MS;
	return true;
}
