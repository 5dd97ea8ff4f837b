/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * legs.h - finds the way of a flow, leg by leg.
 *
 * Walks the first packet of each leg through our rules (walk), asks the box
 * for what only its kernel knows, and puts it all down as steps. It installs
 * nothing and sends nothing.
 */
#ifndef NETSETUP_EXPLAIN_LEGS_H
#define NETSETUP_EXPLAIN_LEGS_H

#include "netsetup/explain/way.h"

/* Fill *ret_way, all of it in `arena`. 0, or what `box` returned. */
int legs_find(const struct way_question *q, const struct way_box *box,
	      struct arena *arena, struct way *ret_way);

#endif
