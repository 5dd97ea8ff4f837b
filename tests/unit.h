/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unit.h - a test program is one CUnit suite.
 *
 * A test file ends with UNIT_MAIN("lex", tests). The program runs all of its
 * tests, or those whose names are given as arguments, prints what failed,
 * then "N passed, N failed" ("N skipped" may follow), and exits 1 if any
 * failed or none ran. With -l it lists the names.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <CUnit/CUnit.h>
#include <stddef.h>

struct unit_test {
	const char *name;
	void (*run)(void);
};

/* Assert with a message of one's own, printf-like; goes on after failing. */
#define UNIT_CHECK(cond, ...)                                                  \
	unit_check((cond), __FILE__, __LINE__, __VA_ARGS__)

void unit_check(int cond, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Are both strings the same? Prints both where not. */
#define UNIT_STRINGS(got, want) unit_strings((got), (want), __FILE__, __LINE__)

void unit_strings(const char *got, const char *want, const char *file,
		  int line);

/* This test cannot run here; CI counts it as failed (UNIT_NO_SKIP=1). */
void unit_skip(const char *why);

/*
 * Compare `got` with the golden file tests/cases/`name`; with UNIT_UPDATE=1
 * in the environment write it instead.
 */
void unit_golden(const char *name, const char *got);

int unit_main(int argc, char **argv, const char *suite,
	      const struct unit_test *tests, size_t n);

#define UNIT_MAIN(suite, tests)                                                \
	int main(int argc, char **argv)                                        \
	{                                                                      \
		return unit_main(argc, argv, suite, tests,                     \
				 sizeof(tests) / sizeof((tests)[0]));          \
	}

#endif
