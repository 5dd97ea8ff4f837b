/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serving.h - does proxyd serve the policy that was applied?
 */
#ifndef NETSETUP_CMD_SERVING_H
#define NETSETUP_CMD_SERVING_H

#include "lib/json.h"
#include "lib/str.h"
#include "netsetup/cmd/session.h"
#include "netsetup/kernel/daemon.h"

struct serving {
	bool known; /* there is a proxyd, and it said */
	bool same;  /* it serves what was applied */
	struct daemon_policy policy;
};

/* Ask about `p`, what was applied; NULL: nothing was, and nobody is asked. */
struct serving serving_ask(const struct policy *p, struct arena *arena);

/*
 * One sentence of what else it serves and what to type, without a newline;
 * nothing where there is no difference. `path` is the file that was applied,
 * and `edited` that it says something else now.
 */
void serving_text(const struct serving *s, const char *path, bool edited,
		  struct str *out);

/* A member `proxyd`: an object, or null. */
void serving_json(const struct serving *s, struct json *j);

#endif
