/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy is the one that was named, or the one that was applied last, or
 * the usual file, or none: then the box itself is looked at.
 */
#include "netsetup/cmd/doctor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "netsetup/change/survey.h"
#include "netsetup/cmd/session.h"
#include "netsetup/doctor/doctor.h"

/* -1 to go on, or the exit status. */
static int
open_policy(struct session *s, const struct options *o, struct doctor_facts *f)
{
	bool named = strcmp(o->policy, POLICY_PATH) != 0;
	struct session last;
	int status;

	status = session_open_applied(&last);
	if (status >= 0 || (last.policy && !named) ||
	    (!named && access(POLICY_PATH, R_OK) < 0)) {
		*s = last;
		f->applied = last.policy;
		f->edited = last.edited;
		f->path = last.applied;
		return status;
	}
	status = session_open(s, o->policy);
	f->path = o->policy;
	f->applied = status < 0 && last.policy &&
		     policy_equal(last.policy, s->policy);
	if (f->applied && last.drain) { /* only a part of it is wanted */
		session_close(s);
		*s = last;
		return status;
	}
	session_close(&last);
	return status;
}

static void
print_findings(const struct findings *found, bool as_json)
{
	struct str text = {0};
	struct json j;

	if (as_json) {
		json_init(&j, &text, true);
		json_object(&j, NULL);
		doctor_json(found, &j);
		json_end(&j);
	} else {
		doctor_text(found, &text);
	}
	fputs(str_text(&text), stdout);
	str_fini(&text);
}

static int
examine(struct session *s, const struct options *o)
{
	struct doctor_facts f = {.facts = &s->facts, .observed = &s->observed};
	struct kdiff drift = {0};
	struct findings found;
	struct box box;
	int status, r;

	status = open_policy(s, o, &f);
	if (status < 0)
		status = session_observe(s, NFT_DEPTH_ALL);
	if (status >= 0)
		return status;
	r = survey(s->arena, s->policy, &s->observed, &box);
	if (r < 0)
		return common_fail("cannot look over this box", r);
	if (s->policy)
		drift = diff(&s->observed, &s->desired, s->arena);
	f.draining = s->drain != DRAIN_NONE;
	f.policy = s->policy;
	f.drift = &drift;
	f.box = &box;
	found = doctor(&f, s->arena);
	print_findings(&found, o->json);
	return found.n > 0 ? EXIT_DIFFERENCES : EXIT_DONE;
}

int
cmd_doctor(int argc, char **argv)
{
	return session_command(argc, argv, OPTION_FILE | OPTION_JSON, NULL,
			       examine);
}
