/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Works out what this box needs, as apply does, but looks at nothing that is
 * installed and so needs no privilege.
 */
#include "netsetup/cmd/export.h"

#include <stdio.h>

#include "netsetup/cmd/session.h"
#include "netsetup/state/export.h"

static int export(struct session *s, const struct options *o)
{
	struct str text = {0};
	int status;

	status = session_open(s, o->policy);
	if (status >= 0)
		return status;
	common_print(&s->diags);
	if (s->refused)
		return EXIT_FAILED;
	export_script(&s->desired, o->policy, &text);
	fputs(str_text(&text), stdout);
	str_fini(&text);
	return EXIT_DONE;
}

int
cmd_export(int argc, char **argv)
{
	return session_command(argc, argv, OPTION_FILE, NULL, export);
}
