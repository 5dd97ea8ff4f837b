/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor.h - what on this box would break what the policy wants, and what
 * mends it.
 *
 * Each row of doctor_tbl.h is one kind of finding, with a check of its own:
 * a pure function over facts that were read before. It changes nothing.
 */
#ifndef NETSETUP_DOCTOR_DOCTOR_H
#define NETSETUP_DOCTOR_DOCTOR_H

#include "lib/json.h"
#include "netsetup/doctor/doctor_check.h"

/* Look at everything. Lives in `arena`. */
struct findings doctor(const struct doctor_facts *facts, struct arena *arena);

/*
 * "error: ... [NAME]" and, indented, what mends it. Nothing for no findings.
 */
void doctor_text(const struct findings *f, struct str *out);

/* Members `findings` and `summary` of an object that is open. */
void doctor_json(const struct findings *f, struct json *j);

/* The name in the n-th row, and how severe it is; NULL after the last. */
const char *doctor_name(size_t n);
enum doctor_severity doctor_severity(size_t n);

/* "error", "warning", "note" */
const char *doctor_severity_name(enum doctor_severity severity);

#endif
