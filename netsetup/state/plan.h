/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan.h - differences as people and programs read them.
 */
#ifndef NETSETUP_STATE_PLAN_H
#define NETSETUP_STATE_PLAN_H

#include "lib/json.h"
#include "netsetup/state/diff.h"

/* "rule capture: tcp dport 80 ...": the object of a change, in one line. */
void plan_describe(const struct kchange *c, struct str *out);

/* Where in the policy a change comes from; line 0: nowhere. */
struct place plan_place(const struct kchange *c);

/*
 * One line a change, `+ - ~`, with the place that asks for it, and a summary.
 */
void plan_text(const struct kdiff *d, struct str *out);

/*
 * The members "changes" and "summary" of the object that is open in `j`.
 * Source: netsetup(8).
 */
void plan_json(const struct kdiff *d, struct json *j);

#endif
