/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * readback.h - what the kernel made of our rules, byte for byte.
 *
 * A rule's comment tells which of ours it is; it does not tell whether
 * somebody has changed the rule and left the comment alone. So after each
 * change the rules are read back, and the journal keeps a fingerprint for
 * each digest: the same digest stands for the same expressions.
 */
#ifndef NETSETUP_CHANGE_READBACK_H
#define NETSETUP_CHANGE_READBACK_H

#include "netsetup/change/journal.h"
#include "netsetup/state/kstate.h"

struct readback_entry {
	uint64_t digest;
	uint64_t raw;
};

/* Sorted by digest; lives in the arena it was loaded in. */
struct readback {
	struct readback_entry *list;
	size_t n;
};

/* Read the record; none when there is no file. 0 or -errno. */
int readback_load(const struct journal *j, struct arena *arena,
		  struct readback *ret_readback);

/* Say of each rule that was read whether somebody has edited it. */
void readback_mark(const struct readback *rb, struct kstate *observed);

/*
 * Put `now`, what is installed, on record. What is in `before` stays as it
 * is, for as long as a rule has that digest: only what is new is believed.
 * 0 or -errno.
 */
int readback_store(const struct journal *j, const struct readback *before,
		   const struct kstate *now, struct arena *arena);

#endif
