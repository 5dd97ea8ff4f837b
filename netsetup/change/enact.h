/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enact.h - a change that no kill can leave half done for long.
 *
 * What is about to be in force is put on record first; then the kernel
 * changes; then the record says what is in force. Who is killed between two
 * steps leaves old or new behaviour, and enough on record for the next run
 * to finish the change or undo it.
 */
#ifndef NETSETUP_CHANGE_ENACT_H
#define NETSETUP_CHANGE_ENACT_H

#include "netsetup/change/apply.h"

/*
 * apply() `desired`, with `path` and the canonical `text` of the policy that
 * it came from for the record; NULL twice: nothing is wanted. Errors as of
 * apply(), and where the journal cannot be written; but that never keeps it
 * from taking all away. What is in force in spite of them is on record, or
 * intended.
 */
int enact(struct journal *j, const char *path, const char *text,
	  const struct kstate *desired, struct arena *arena,
	  struct diags *diags, struct applied *ret_applied);

/* The same for a policy that is in the journal already, or for none. */
int enact_copy(struct journal *j, const struct journal_policy *copy,
	       struct arena *arena, struct diags *diags);

/*
 * Bring about what a policy wants of which the journal knows that already:
 * nothing is put on record. Errors as above.
 */
int enact_again(struct journal *j, const struct journal_policy *copy,
		struct arena *arena, struct diags *diags);

/* What somebody who was killed had left. */
struct interrupted {
	bool found;
	bool finished;	  /* else undone */
	const char *path; /* of the policy; NULL: it was a remove */
};

/*
 * Bring to an end what an intent without its owner tells of. If nftables has
 * what it wanted, it is finished, else undone: either way packets meet what
 * they met before. `j` must be locked. 0, or -errno: then the intent is as
 * it was, unless only something stale could not be taken away. *ret_what says
 * what was found.
 */
int enact_recover(struct journal *j, struct arena *arena, struct diags *diags,
		  struct interrupted *ret_what);

#endif
