/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * show.h - proxyd's answers, for people.
 *
 * From the JSON that proxyd sends to lines and aligned columns. Reads what it
 * knows and leaves out the rest, so that programs of two versions understand
 * each other. Pure: text in, text out. The door to jansson.
 */
#ifndef PROXYD_CTL_SHOW_H
#define PROXYD_CTL_SHOW_H

#include "lib/str.h"

#include "proxyd/ctl/wire.h"

enum show_result {
	SHOW_DONE,	    /* it did, and said what was asked */
	SHOW_PART,	    /* likewise, but somebody did not answer */
	SHOW_USAGE,	    /* proxyd did not understand */
	SHOW_NOT_PERMITTED, /* this user may not */
	SHOW_POLICY,	    /* the policy is wrong */
	SHOW_FAILED,	    /* something else kept it from it */
	SHOW_BROKEN,	    /* it is no answer, or not the whole of one */
};

/*
 * Read the answer to `command`. What was asked goes to `out`, as text; what
 * there is to say about it, and why it was refused, to `note`: lines
 * without "proxyctl:" before them, the last without newline.
 */
enum show_result show_answer(enum wire_command command, const struct str *doc,
			     struct str *out, struct str *note);

#endif
