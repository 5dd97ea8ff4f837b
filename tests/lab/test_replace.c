/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_replace.c - another proxyd takes the place of the running one, and
 * nobody notices.
 */
#include <CUnit/CUnit.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/lab.h"

enum { TIMES = 100 };

static const char usual[] = "gateway {\n"
			    "	inside in0\n"
			    "	outside out0\n"
			    "	user %s\n"
			    "	workers 2\n"
			    "}\n"
			    "service web {\n"
			    "	intercept tcp port 80\n"
			    "}\n";

/* SIGUSR2, and wait until it is done. */
static bool
replace(pid_t pid)
{
	size_t before = lab_log_count("proxyd", "replaced");

	kill(pid, SIGUSR2);
	return LAB_WAIT(lab_log_count("proxyd", "replaced") > before, 10000);
}

static void
one(void)
{
	pid_t pid;
	struct lab *lab = lab_begin(NULL, usual, &pid);
	int listener = lab_serve(lab, AF_INET, 80);
	struct lab_flow old, new;

	lab_flow_open(lab, AF_INET, listener, NULL, 80, &old);
	CU_ASSERT(lab_flow_works(&old));
	CU_ASSERT(replace(pid));
	CU_ASSERT(lab_alive(pid));
	CU_ASSERT(lab_flow_works(&old));
	lab_flow_open(lab, AF_INET, listener, NULL, 80, &new);
	CU_ASSERT(lab_flow_works(&new));
	lab_flow_close(&old);
	lab_flow_close(&new);
	close(listener);
	lab_end(lab, pid);
}

static const struct unit_test tests[] = {
	{"one", one},
};

LAB_MAIN("replace", tests)
