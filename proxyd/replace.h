/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replace.h - another program takes the place of this one.
 *
 * The program that is found at our own path, a newer version or the same, is
 * tried first, beside everything else. If it is content with the policy, it
 * is executed in this very process and takes over all crews. If not, or if
 * it cannot be executed, nothing has changed.
 */
#ifndef PROXYD_REPLACE_H
#define PROXYD_REPLACE_H

#include <stdbool.h>

#include "proxyd/crews.h"
#include "proxyd/tryout.h"

struct replace {
	struct crews *crews; /* borrows */
	struct loop *loop;   /* borrows */
	char *const *argv;   /* borrows: as main() has it */
	char *path;	     /* owns: of the program; NULL: not known */
	struct tryout tryout;
	bool wanted;
	bool approved; /* it may take over */
};

void replace_init(struct replace *r, struct crews *crews, struct loop *loop,
		  char *const *argv);

/* Kills a tryout; in a child of ours, which has none, `leave` it alone. */
void replace_fini(struct replace *r, bool leave);

/* There is to be a replacement, as soon as no crew is about to follow. */
void replace_ask(struct replace *r);

/* Several times a second; and after each SIGCHLD. */
void replace_mind(struct replace *r);

/* proxyd ends: what is wanted is not to be. */
void replace_stop(struct replace *r);

/* Is it time for replace_now()? */
bool replace_is_due(const struct replace *r);

/* Become the other program. Returns only if that failed, and has said why. */
void replace_now(struct replace *r);

#endif
