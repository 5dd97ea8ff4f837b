/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * legacy.h - crews that outlive the program that made them.
 *
 * A proxyd that is about to be replaced writes down what its crews are; the
 * one that takes its place makes the same crews of it, whose processes are
 * there already. From then on they are crews like any other: they are looked
 * after, replaced when they die, and drained when another one follows.
 */
#ifndef PROXYD_LEGACY_H
#define PROXYD_LEGACY_H

#include "proxyd/crew.h"
#include "proxyd/handover.h"

/*
 * Describe a crew, with its policy in a file of its own: to close that again
 * is the caller's, see legacy_forget(). Not one that is only starting. 0 or
 * -errno.
 */
int legacy_write(const struct crew *c, struct handover *h);

/* Close what legacy_write() opened. */
void legacy_forget(struct handover *h);

/* To whom the crews come. All borrowed. */
struct legacy {
	const struct handover *handover;
	const struct listeners *sockets; /* all that are named there */
	struct shm *shm;
	struct places *places;
	bool is_their_shm; /* else it is a new one */
	uint64_t now_ms;
};

/*
 * The crew of l->handover->crews[i]. All descriptors of it that are named
 * there are taken: they are its own, or closed. NULL, and `why`: nothing can
 * be made of it; its processes see that nobody talks to them any more, and
 * finish.
 */
struct crew *legacy_read(const struct legacy *l, size_t i, struct str *why);

#endif
