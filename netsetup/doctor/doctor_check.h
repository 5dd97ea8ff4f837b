/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor_check.h - what the checks of doctor share: their facts, the way to
 * say what they found, and a few questions that several ask.
 */
#ifndef NETSETUP_DOCTOR_DOCTOR_CHECK_H
#define NETSETUP_DOCTOR_DOCTOR_CHECK_H

#include "netsetup/doctor/box.h"
#include "netsetup/doctor/doctor_tbl.h"
#include "netsetup/state/desired.h"
#include "netsetup/state/diff.h"

enum doctor_severity {
	DOCTOR_SEVERITY_ERROR,	 /* connections are lost */
	DOCTOR_SEVERITY_WARNING, /* some are, or will be */
	DOCTOR_SEVERITY_NOTE,	 /* good to know */
};

struct doctor;

struct doctor_facts {
	const struct policy *policy; /* NULL: there is none */
	const char *path;	     /* its file */
	bool applied;		     /* it is what was applied last */
	bool edited;		     /* but its file says something else now */
	bool draining; /* `remove --drain` has left a part of it */
	const struct facts *facts;
	const struct kstate *observed;
	const struct kdiff *drift; /* what applying it would change */
	const struct box *box;
};

struct finding {
	const char *name;
	enum doctor_severity severity;
	const char *text;
	const char *mend;
	size_t more; /* that are mended by the same, and not told */
};

struct findings {
	struct finding *list; /* by severity, then in the table's order */
	size_t n;
};

/* A row of the table, see there. */
struct doctor_row {
	const char *name;
	enum doctor_severity severity;
	const char *text;
	const char *mend;
	void (*check)(struct doctor *d);
};

/* The examination under way. */
struct doctor {
	struct arena *arena;
	const struct doctor_facts *facts;
	const struct policy *policy; /* or NULL */
	const struct box *box;
	const struct doctor_row *row; /* whose check is at work */
	struct findings found;
};

/*
 * One finding of the row at work: pairs of a name and a text fill in the
 * braces, and NULL ends them. {f} is filled in already, and so is {key},
 * doctor_key() of {iface}.
 */
void doctor_found(struct doctor *d, ...) __attribute__((sentinel));

/*
 * An interface as part of a sysctl's name: its dots are slashes there, and
 * sysctl(8) turns both round.
 */
const char *doctor_key(struct doctor *d, const char *iface);

/* " -f PATH" where the policy is not the usual one. */
const char *doctor_file_option(struct doctor *d);

/* A number as a text, in the arena. */
const char *doctor_number(struct doctor *d, uint64_t n);

/* Does the policy capture anything, by this way? */
bool doctor_captures(const struct doctor *d, enum via via);

/* Is it one of the policy's inside interfaces? */
bool doctor_inside(const struct doctor *d, const char *iface);

/*
 * Is it one by which servers are reached: `outside`, or, where any may be,
 * one with a default route that is not inside?
 */
bool doctor_outside(const struct doctor *d, const char *iface);

/* Some interface to leave by, or NULL. */
const char *doctor_way_out(const struct doctor *d);

/* Call `see` once for every service that captures. */
void doctor_each_service(struct doctor *d,
			 void (*see)(struct doctor *d,
				     const struct policy_service *s));

/* One function for each row. */
#define DOCTOR_DECLARE(ident, name, severity, text, mend)                      \
	void check_##ident(struct doctor *d);
DOCTOR_TABLE(DOCTOR_DECLARE)
#undef DOCTOR_DECLARE

#endif
