/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reason.h - why a flow ended.
 *
 * The rows of reason_tbl.h as values. Who gives a reason, and when, is the
 * business of proxyd/flow/.
 */
#ifndef PROXYD_BASE_REASON_H
#define PROXYD_BASE_REASON_H

#include <stdbool.h>
#include <stdint.h>

enum reason {
	REASON_NONE, /* the flow goes on */
#define REASON(name, word, end, http, meaning) REASON_##name,
#include "proxyd/base/reason_tbl.h"
#undef REASON
	REASON_COUNT,
};

/* The word of the access record; "-" for REASON_NONE. */
const char *reason_word(enum reason reason);

/* One line for people; "" for REASON_NONE. */
const char *reason_meaning(enum reason reason);

/* A number for the list of reasons and its order: of another list, another. */
uint64_t reason_digest(void);

/* Does whoever is still connected get a reset? Else an ordinary close. */
bool reason_resets(enum reason reason);

/* The status of HTTP that says so to a client; 0: there is nothing to say. */
unsigned int reason_status(enum reason reason);

#endif
