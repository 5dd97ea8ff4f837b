/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads the policy and says what came of it.
 */
#include "netsetup/cmd/check.h"

#include <stdio.h>

#include "netsetup/cmd/common.h"

int
cmd_check(int argc, char **argv)
{
	struct str text = {0};
	struct options o;
	struct policy *p;
	struct diags d;
	int status;

	status = common_options(argc, argv, OPTION_FILE | OPTION_PRINT, NULL,
				&o);
	if (status >= 0)
		return status;
	diags_init(&d);
	p = policy_load(o.policy, &d);
	common_print(&d);
	if (p && o.print) {
		policy_print(p, &text);
		fputs(str_text(&text), stdout);
		str_fini(&text);
	}
	status = p ? EXIT_DONE : EXIT_POLICY;
	diags_fini(&d);
	policy_free(p);
	return status;
}
