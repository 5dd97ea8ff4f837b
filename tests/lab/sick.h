/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sick.h - for tests of `netsetup doctor`: a box, a condition, what is said
 * of it, and what mends it.
 *
 * The box has an /etc of its own, with nothing in it.
 */
#ifndef TESTS_LAB_SICK_H
#define TESTS_LAB_SICK_H

#include "tests/lab/lab.h"

#define SICK_POLICY LAB_DIR "/policy.conf"
#define SICK_DOCTOR "netsetup doctor -f " SICK_POLICY

/* One service by redirect on in0; its %s is lab_user(). */
extern const char sick_usual[];

/* A condition, and what is to be found of it. */
struct sick {
	const char *name;
	const char *make; /* run in the gateway */
	const char *says; /* part of the finding */
	const char *mend; /* how what mends it begins */
	/*
	 * Run after that; NULL: nothing. What begins with "instead " is run
	 * in the place of what mends it.
	 */
	const char *undo;
};

/* Give the lab's programs an /etc; and take it away, before lab_down(). */
void sick_own_etc(struct lab *lab);
void sick_give_back_etc(struct lab *lab);

/* A box where all is well: applied, and proxyd is alive. */
struct lab *sick_begin(pid_t *ret_proxyd);
void sick_end(struct lab *lab, pid_t proxyd);

/* The text of this finding and what mends it; false if there is none. */
bool sick_look_for(const char *text, const char *name, struct str *line,
		   struct str *mend);

/* What doctor says, added to `out`; its status must be 2 if that is anything.
 */
void sick_examine(struct lab *lab, const char *command, struct str *out);

/* It says nothing. */
void sick_healthy(struct lab *lab);

/*
 * Make it, find it, mend it: the finding is gone, and at last the box is
 * healthy.
 */
void sick_check(struct lab *lab, const struct sick *s);
void sick_check_all(struct lab *lab, const struct sick *list, size_t n);

#define SICK_CHECK_ALL(lab, list)                                              \
	sick_check_all(lab, list, sizeof(list) / sizeof((list)[0]))

#endif
