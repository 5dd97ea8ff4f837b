/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One command, its status and its words.
 */
#include "tests/lab/command.h"

#include <string.h>

void
command_check(struct lab *lab, const char *command, int status,
	      const char *output)
{
	struct str out = {0};
	int r = lab_netsetup(lab, &out, command);

	UNIT_CHECK(r == status, "%s: %d, not %d: %s", command, r, status,
		   str_text(&out));
	if (output)
		UNIT_CHECK(strstr(str_text(&out), output) != NULL,
			   "%s says:\n%s\nand not: %s", command, str_text(&out),
			   output);
	str_fini(&out);
}

void
command_silent(struct lab *lab, const char *command)
{
	struct str out = {0};

	UNIT_CHECK(lab_netsetup(lab, &out, command) == 0, "%s", command);
	UNIT_STRINGS(str_text(&out), "");
	str_fini(&out);
}
