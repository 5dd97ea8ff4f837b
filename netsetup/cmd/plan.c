/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints the difference. Warnings are worth a line only when there is one.
 */
#include "netsetup/cmd/plan.h"

#include <stdio.h>

#include "netsetup/cmd/session.h"
#include "netsetup/state/plan.h"

static void
print_plan(const struct kdiff *d, bool as_json)
{
	struct str text = {0};
	struct json j;

	if (as_json) {
		json_init(&j, &text, true);
		json_object(&j, NULL);
		plan_json(d, &j);
		json_end(&j);
	} else if (d->n > 0) {
		plan_text(d, &text);
	}
	fputs(str_text(&text), stdout);
	str_fini(&text);
}

static int
plan(struct session *s, const struct options *o)
{
	struct kdiff d;
	int status;

	status = session_open(s, o->policy);
	if (status < 0)
		status = session_observe(s);
	if (status >= 0)
		return status;
	d = diff(&s->observed, &s->desired, s->arena);
	if (d.n > 0 || s->refused)
		common_print(&s->diags);
	if (s->refused)
		return EXIT_FAILED;
	print_plan(&d, o->json);
	return d.n > 0 ? EXIT_DIFFERENCES : EXIT_DONE;
}

int
cmd_plan(int argc, char **argv)
{
	return session_command(argc, argv, OPTION_FILE | OPTION_JSON, NULL,
			       plan);
}
