/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two policies that print the same are the same, wherever their files lie:
 * digests are compared. Only what to type depends on the files.
 */
#include "netsetup/cmd/serving.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct serving
serving_ask(const struct policy *p, struct arena *arena)
{
	struct serving s = {0};

	s.known = p && daemon_ask(arena, &s.policy) == 0;
	s.same = s.known && s.policy.digest == p->digest;
	return s;
}

/* Its working directory may be another: a relative path is not known. */
static bool
is_file(const char *theirs, const char *ours)
{
	char real[PATH_MAX];

	return theirs[0] == '/' &&
	       (!strcmp(theirs, ours) ||
		(realpath(theirs, real) && !strcmp(real, ours)));
}

void
serving_text(const struct serving *s, const char *path, bool edited,
	     struct str *out)
{
	if (!s->known || s->same)
		return;
	str_addf(out, "proxyd serves another policy than was applied: %s",
		 s->policy.path);
	if (!is_file(s->policy.path, path)) {
		str_add(out, "; `netsetup apply");
		if (strcmp(s->policy.path, POLICY_PATH) != 0)
			str_addf(out, " -f %s", s->policy.path);
		str_add(out, "` applies that one");
		return;
	}
	str_addf(out, " as it was at %s; ", s->policy.since);
	if (edited)
		str_add(out, "`proxyctl reload` and `netsetup apply` bring "
			     "both to what it says now");
	else
		str_add(out, "`proxyctl reload` has it read the file again");
}

void
serving_json(const struct serving *s, struct json *j)
{
	char digest[17];

	if (!s->known) {
		json_null(j, "proxyd");
		return;
	}
	snprintf(digest, sizeof(digest), "%016" PRIx64, s->policy.digest);
	json_object(j, "proxyd");
	json_string(j, "policy", s->policy.path);
	json_string(j, "digest", digest);
	json_string(j, "since", s->policy.since);
	json_bool(j, "same", s->same);
	json_end(j);
}
