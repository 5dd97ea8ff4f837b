/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit.h"

#include <CUnit/Basic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A test framework is its own program's root; these are its only state. */
static unsigned int n_skipped;

void
unit_check(int cond, const char *file, int line, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	CU_assertImplementation(cond != 0, (unsigned int)line, text, file, "",
				CU_FALSE);
}

void
unit_strings(const char *got, const char *want, const char *file, int line)
{
	int same = got && want && !strcmp(got, want);

	unit_check(same, file, line, "got:\n%s\nwant:\n%s",
		   got ? got : "(null)", want ? want : "(null)");
}

void
unit_skip(const char *why)
{
	if (getenv("UNIT_NO_SKIP")) {
		unit_check(0, __FILE__, __LINE__, "skipped: %s", why);
		return;
	}
	printf("skipped: %s: %s\n", CU_get_current_test()->pName, why);
	n_skipped++;
}

static char *
read_golden(const char *path)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return NULL;
	if (getdelim(&text, &len, '\0', f) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(f);
	return text;
}

void
unit_golden(const char *name, const char *got)
{
	char path[512];
	char *want;
	FILE *f;

	snprintf(path, sizeof(path), "tests/cases/%s", name);
	if (getenv("UNIT_UPDATE")) {
		f = fopen(path, "we");
		if (f && fputs(got, f) >= 0 && !fclose(f))
			return;
		unit_check(0, __FILE__, __LINE__, "cannot write %s", path);
		return;
	}
	want = read_golden(path);
	unit_check(want && !strcmp(got, want), __FILE__, __LINE__,
		   "%s differs; got:\n%s\nwant:\n%s", path, got,
		   want ? want : "(no such file)");
	free(want);
}

static int
wanted(int argc, char **argv, const char *name)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return 1;
	return argc < 2;
}

int
unit_main(int argc, char **argv, const char *suite,
	  const struct unit_test *tests, size_t n)
{
	unsigned int failed, run;
	CU_pSuite s;
	size_t i;

	if (argc == 2 && !strcmp(argv[1], "-l")) {
		for (i = 0; i < n; i++)
			puts(tests[i].name);
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (CU_initialize_registry() != CUE_SUCCESS)
		return 1;
	s = CU_add_suite(suite, NULL, NULL);
	for (i = 0; i < n; i++)
		if (wanted(argc, argv, tests[i].name))
			CU_add_test(s, tests[i].name, tests[i].run);
	CU_basic_set_mode(CU_BRM_SILENT);
	CU_basic_run_tests();
	CU_basic_show_failures(CU_get_failure_list());
	failed = CU_get_number_of_tests_failed();
	run = CU_get_number_of_tests_run();
	CU_cleanup_registry();
	/* CU_get_error() is 0 when tests fail: count */
	printf("\n%s: %u passed, %u failed", suite, run - failed - n_skipped,
	       failed);
	if (n_skipped)
		printf(", %u skipped", n_skipped);
	printf("\n");
	return failed || !run;
}
