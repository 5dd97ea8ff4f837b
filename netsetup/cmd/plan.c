/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints the difference. Warnings are worth a line only when there is one.
 */
#include "netsetup/cmd/plan.h"

#include <stdio.h>

#include "lib/log.h"
#include "netsetup/cmd/guard.h"
#include "netsetup/cmd/leftover.h"
#include "netsetup/state/plan.h"

/* The members "cuts" and "guard". */
static void
guard_json(const struct guard *g, struct json *j)
{
	size_t i;

	json_uint(j, "cuts", g->cuts);
	json_array(j, "guard");
	for (i = 0; i < g->found.n; i++) {
		const struct diag *one = &g->found.list[i];

		json_object(j, NULL);
		json_string(j, "text", one->text);
		if (one->place.line) {
			json_string(j, "file", one->place.file);
			json_uint(j, "line", one->place.line);
			json_uint(j, "column", one->place.col);
		}
		json_end(j);
	}
	json_end(j);
}

static void
print_plan(const struct kdiff *d, const struct guard *g, bool as_json)
{
	struct str text = {0};
	struct json j;

	if (as_json) {
		json_init(&j, &text, true);
		json_object(&j, NULL);
		plan_json(d, &j);
		guard_json(g, &j);
		json_end(&j);
	} else if (d->n > 0) {
		plan_text(d, &text);
		if (g->cuts)
			str_addf(&text, "cuts %zu flow%s\n", g->cuts,
				 g->cuts == 1 ? "" : "s");
	}
	fputs(str_text(&text), stdout);
	str_fini(&text);
}

/* What is installed may be on trial. */
static void
note_unconfirmed(const struct session *s)
{
	struct leftover left = leftover_look(s->arena);
	struct str text = {0};

	leftover_text(&left, &text);
	if (left.pending.there)
		log_notice("what is installed is %s", str_text(&text));
	str_fini(&text);
}

static int
plan(struct session *s, const struct options *o)
{
	struct guard g = {0};
	struct kdiff d;
	int status;

	status = session_open(s, o->policy);
	if (status < 0)
		status = session_observe(s, NFT_DEPTH_RULES);
	if (status >= 0)
		return status;
	note_unconfirmed(s);
	d = diff(&s->observed, &s->desired, s->arena);
	if (d.n > 0 || s->refused)
		common_print(&s->diags);
	if (s->refused)
		return EXIT_FAILED;
	if (d.n > 0)
		status = guard_open(s, DIAG_WARNING, &g);
	if (status < 0) {
		common_print(&g.found);
		print_plan(&d, &g, o->json);
		status = d.n > 0 ? EXIT_DIFFERENCES : EXIT_DONE;
	}
	guard_close(&g);
	return status;
}

int
cmd_plan(int argc, char **argv)
{
	return session_command(argc, argv, OPTION_FILE | OPTION_JSON, NULL,
			       plan);
}
