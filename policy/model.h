/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model.h - the tree becomes a struct policy.
 *
 * Statement by statement, through the keyword table: values, defaults,
 * inheritance from the gateway. What one statement means for another is not
 * checked here, and pools are known by name only: check.c does the rest.
 */
#ifndef POLICY_MODEL_H
#define POLICY_MODEL_H

#include "policy/ast.h"
#include "policy/policy.h"
#include "policy/source.h"

enum {
	SERVICES_MAX = 4096,
	POOLS_MAX = 4096,
};

/* What check.c wants to know beside the model. */
struct model_notes {
	struct place gateway_inside; /* line 0: not written */
	struct place capture_ports;
	struct place mark;
	bool mark_bad; /* it has a mistake that was reported */
	struct place table;
};

/*
 * Fill `p`, whose arena is sources->keep. Mistakes are reported; the model
 * is whole enough for check_policy() even then.
 */
void model_build(struct sources *sources, const struct tree *tree,
		 struct policy *p, struct model_notes *ret_notes);

#endif
