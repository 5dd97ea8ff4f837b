/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * form.h - the arguments of one statement, as its row describes them.
 *
 * Values by position first, then options in any order, each once. The one
 * interpreter of the keyword table; no statement has code of its own here.
 */
#ifndef POLICY_FORM_H
#define POLICY_FORM_H

#include "policy/keywords_tbl.h"
#include "policy/value.h"

/*
 * Read the arguments at the cursor by the cursor's row into the block or
 * element at `base`; NULL: check the form only. Returns 0, or -EINVAL when
 * mistakes were reported; what was right is stored even then.
 */
int form_read(struct cursor *c, void *base);

/* A default of the row, arguments as text, into `base`. */
void form_default(struct sources *s, const struct keyword *row,
		  const char *text, void *base);

#endif
