/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * survey.h - looks over the whole box: what is there beside ours.
 */
#ifndef NETSETUP_CHANGE_SURVEY_H
#define NETSETUP_CHANGE_SURVEY_H

#include "netsetup/doctor/box.h"

/*
 * Fill *ret_box, in `arena`, with what the checks of doctor look at. `policy`
 * may be NULL; `observed` has others' base chains. Needs CAP_NET_ADMIN. 0;
 * -EPERM; -EAGAIN if it changes faster than it can be read; else -errno.
 */
int survey(struct arena *arena, const struct policy *policy,
	   const struct kstate *observed, struct box *ret_box);

/* Only the files, those below `root` ("": the box's own). */
void survey_files(const char *root, struct arena *arena, struct box *b);

#endif
