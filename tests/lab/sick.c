/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sick.c - conditions that doctor finds, for the tests of sick.h. */
#include "tests/lab/sick.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

const char sick_usual[] = "gateway {\n\tinside in0\n\tuser %s\n}\n"
			  "service web {\n\tintercept tcp port 80\n}\n";

/* An /etc with what programs cannot do without. */
void
sick_own_etc(struct lab *lab)
{
	lab_must(lab, LAB_GATEWAY,
		 "mkdir " LAB_DIR "/etc " LAB_DIR "/bin && cd /etc && "
		 "cp -a passwd group protocols alternatives " LAB_DIR "/etc && "
		 "echo '#!/bin/sh' >" LAB_DIR "/bin/systemctl && "
		 "chmod 755 " LAB_DIR "/bin/systemctl && "
		 "mount --bind " LAB_DIR "/etc /etc");
}

void
sick_give_back_etc(struct lab *lab)
{
	lab_must(lab, LAB_GATEWAY, "umount /etc");
}

/* The line of a finding, and the one below it; false if there is none. */
bool
sick_look_for(const char *text, const char *name, struct str *line,
	      struct str *mend)
{
	const char *end, *next;
	char tag[64];

	snprintf(tag, sizeof(tag), " [%s]\n    ", name);
	end = strstr(text, tag);
	if (!end)
		return false;
	next = end + strlen(tag);
	str_add_bytes(mend, next, strcspn(next, "\n"));
	for (next = end; next > text && next[-1] != '\n'; next--)
		continue;
	str_add_bytes(line, next, (size_t)(end - next));
	return true;
}

/* What doctor says; 0 exactly if it says nothing. */
void
sick_examine(struct lab *lab, const char *command, struct str *out)
{
	int r = lab_run(lab, LAB_GATEWAY, out, "%s", command);

	UNIT_CHECK(r == (out->len ? 2 : 0), "%s: %d: %s", command, r,
		   str_text(out));
}

void
sick_healthy(struct lab *lab)
{
	struct str out = {0};

	sick_examine(lab, SICK_DOCTOR, &out);
	UNIT_STRINGS(str_text(&out), "");
	str_fini(&out);
}

/* The policy with a statement more: is the finding gone? */
static void
try_statement(struct lab *lab, const struct sick *s, const char *mend)
{
	struct str out = {0}, line = {0}, other = {0}, policy = {0};
	const char *rest;

	lab_read_file(SICK_POLICY, &policy);
	rest = strchr(str_text(&policy), '{') + 1;
	str_addf(&out, "%.*s\n%.*s\n%s", (int)(rest - str_text(&policy)),
		 str_text(&policy), (int)(strlen(mend) - strlen("gateway { }")),
		 mend + strlen("gateway { "), rest);
	lab_write_file(LAB_DIR "/mended.conf", str_text(&out));
	str_clear(&out);
	sick_examine(lab, "netsetup doctor -f " LAB_DIR "/mended.conf", &out);
	UNIT_CHECK(!sick_look_for(str_text(&out), s->name, &line, &other),
		   "%s: not mended by %s: %s", s->name, mend, str_text(&out));
	str_fini(&policy);
	str_fini(&other);
	str_fini(&line);
	str_fini(&out);
}

static void
type_mend(struct lab *lab, const struct sick *s, const char *mend)
{
	struct str out = {0}, line = {0}, other = {0};
	int r;

	r = lab_run(lab, LAB_GATEWAY, &out, "PATH=" LAB_DIR "/bin:$PATH; %s",
		    mend);
	UNIT_CHECK(r == 0, "%s: %d: %s", mend, r, str_text(&out));
	str_clear(&out);
	sick_examine(lab, SICK_DOCTOR, &out);
	UNIT_CHECK(!sick_look_for(str_text(&out), s->name, &line, &other),
		   "%s: not mended by %s: %s", s->name, mend, str_text(&out));
	str_fini(&other);
	str_fini(&line);
	str_fini(&out);
}

/* Make it, find it, mend it; then the box is healthy again. */
void
sick_check(struct lab *lab, const struct sick *s)
{
	struct str out = {0}, line = {0}, mend = {0};

	lab_must(lab, LAB_GATEWAY, "%s", s->make);
	sick_examine(lab, SICK_DOCTOR, &out);
	UNIT_CHECK(sick_look_for(str_text(&out), s->name, &line, &mend),
		   "%s: not found: %s", s->name, str_text(&out));
	UNIT_CHECK(strstr(str_text(&line), s->says) != NULL, "%s says: %s",
		   s->name, str_text(&line));
	UNIT_CHECK(!strncmp(str_text(&mend), s->mend, strlen(s->mend)),
		   "%s is mended by %s", s->name, str_text(&mend));
	if (!strncmp(str_text(&mend), "gateway {", 9))
		try_statement(lab, s, str_text(&mend));
	else if (!s->undo || strncmp(s->undo, "instead ", 8) != 0)
		type_mend(lab, s, str_text(&mend));
	if (s->undo)
		lab_must(lab, LAB_GATEWAY, "%s",
			 s->undo + (strncmp(s->undo, "instead ", 8) ? 0 : 8));
	sick_healthy(lab);
	str_fini(&mend);
	str_fini(&line);
	str_fini(&out);
}

void
sick_check_all(struct lab *lab, const struct sick *list, size_t n)
{
	size_t i;

	sick_healthy(lab);
	for (i = 0; i < n; i++)
		sick_check(lab, &list[i]);
}

struct lab *
sick_begin(pid_t *ret_proxyd)
{
	struct lab *lab = lab_up(NULL);

	sick_own_etc(lab);
	lab_policy(lab, sick_usual, lab_user());
	lab_apply(lab);
	*ret_proxyd = lab_proxyd_up(lab);
	CU_ASSERT(LAB_WAIT(lab_armed(lab), 3000));
	return lab;
}

void
sick_end(struct lab *lab, pid_t proxyd)
{
	lab_stop_proxyd(lab, proxyd);
	sick_give_back_etc(lab);
	lab_down(lab);
}
