/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One command, its status and its words.
 */
#include "tests/lab/command.h"

#include <string.h>

static void
check(const char *command, int got, int want, const char *said,
      const char *output)
{
	UNIT_CHECK(got == want, "%s: %d, not %d: %s", command, got, want, said);
	if (output)
		UNIT_CHECK(strstr(said, output) != NULL,
			   "%s says:\n%s\nand not: %s", command, said, output);
}

void
command_check(struct lab *lab, const char *command, int status,
	      const char *output)
{
	struct str out = {0};
	int r = lab_netsetup(lab, &out, command);

	check(command, r, status, str_text(&out), output);
	str_fini(&out);
}

void
command_status(struct lab *lab, int status, const char *output)
{
	struct str out = {0};
	int r = lab_run(lab, LAB_GATEWAY, &out, "netsetup status");

	check("status", r, status, str_text(&out), output);
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
