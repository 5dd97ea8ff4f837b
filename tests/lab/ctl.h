/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctl.h - for tests that ask a running proxyd: by proxyctl, as text or as
 * JSON.
 */
#ifndef TESTS_LAB_CTL_H
#define TESTS_LAB_CTL_H

#include <jansson.h>

#include "tests/lab/lab.h"

/*
 * Lab and proxyd with so many workers, and this in its gateway. Its service
 * is that of alone.h.
 */
struct lab *ctl_begin(int workers, const char *gateway, pid_t *ret_pid);

/* `proxyctl ARGUMENTS`: its status, and both its outputs. */
int ctl_run(struct lab *lab, struct str *out, const char *arguments);

/* The same has to end with `status` and say `text`. */
void ctl_expect(struct lab *lab, const char *arguments, int status,
		const char *text);

/* The answer to `proxyctl ARGUMENTS --json`, which must work; the caller's. */
json_t *ctl_ask(struct lab *lab, const char *arguments);

/* A number at the top of an answer. */
int64_t ctl_ask_number(struct lab *lab, const char *arguments, const char *key);

/* How many flows are listed; nobody was silent. */
size_t ctl_count_flows(struct lab *lab, const char *arguments);

/* Members of an object: 0 and "" where there is none. */
int64_t ctl_number(const json_t *object, const char *key);
const char *ctl_text(const json_t *object, const char *key);

/* Of an array in an object: one, and how many there are. */
json_t *ctl_member(const json_t *doc, const char *array, size_t i);
size_t ctl_count(const json_t *doc, const char *array);

#endif
