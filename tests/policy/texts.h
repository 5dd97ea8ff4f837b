/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * texts.h - what the tests of policy/ share: policies from text, messages as
 * text, files as text, and memory that ends where the text ends.
 */
#ifndef TESTS_POLICY_TEXTS_H
#define TESTS_POLICY_TEXTS_H

#include <assert.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/diag.h"
#include "lib/str.h"
#include "policy/policy.h"

/* Load `text`; its messages, formatted, go to `ret_messages`. */
static inline struct policy *
texts_load(const char *path, const char *text, size_t len,
	   struct str *ret_messages)
{
	struct diags diags;
	struct policy *p;

	diags_init(&diags);
	p = policy_load_text(path, text, len, &diags);
	str_clear(ret_messages);
	diags_format(&diags, false, ret_messages);
	assert(!p == (diags.n_errors > 0));
	diags_fini(&diags);
	return p;
}

/* A policy that must be right; NULL ends the test program. */
static inline struct policy *
texts_good(const char *text)
{
	struct str messages = {0};
	struct policy *p;

	p = texts_load("policy.conf", text, strlen(text), &messages);
	if (!p)
		fputs(str_text(&messages), stderr);
	assert(p);
	str_fini(&messages);
	return p;
}

/* The messages of a policy; *ret_good says whether it loads. */
static inline const char *
texts_messages(const char *text, struct str *messages, bool *ret_good)
{
	struct policy *p;

	p = texts_load("policy.conf", text, strlen(text), messages);
	*ret_good = p;
	policy_free(p);
	return str_text(messages);
}

static inline void
texts_read(const char *path, struct str *ret_text)
{
	char buf[4096];
	size_t n;
	FILE *f;

	str_clear(ret_text);
	f = fopen(path, "re");
	assert(f);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_add_bytes(ret_text, buf, n);
	fclose(f);
}

/* Call `run` for each file that `pattern` names. Returns their number. */
static inline size_t
texts_each(const char *pattern, void (*run)(const char *path))
{
	glob_t found = {0};
	size_t i, n;

	assert(glob(pattern, 0, NULL, &found) == 0);
	n = found.gl_pathc;
	for (i = 0; i < n; i++)
		run(found.gl_pathv[i]);
	globfree(&found);
	return n;
}

/* The name of a case beside `path`, below tests/cases/: its ending replaced. */
static inline const char *
texts_golden(const char *path, const char *ending, char buf[256])
{
	const char *name = path + strlen("tests/cases/");
	const char *dot = strrchr(name, '.');

	snprintf(buf, 256, "%.*s%s", (int)(dot - name), name, ending);
	return buf;
}

/* `len` bytes of a pattern again and again; the caller frees them. */
static inline char *
texts_fill(size_t len, const char *pattern)
{
	size_t i, n = strlen(pattern);
	char *data = malloc(len);

	assert(data);
	for (i = 0; i < len; i++)
		data[i] = pattern[i % n];
	return data;
}

/* A copy of the text that ends at a page nobody may touch. */
struct guarded {
	char *map;
	size_t size;
	const char *text;
};

static inline struct guarded
texts_guard(const char *text, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct guarded g = {.size = (len / page + 2) * page};
	char *start;

	g.map = mmap(NULL, g.size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(g.map != MAP_FAILED);
	start = g.map + g.size - page - len;
	if (len)
		memcpy(start, text, len);
	assert(!mprotect(g.map + g.size - page, page, PROT_NONE));
	g.text = start;
	return g;
}

static inline void
texts_unguard(struct guarded *g)
{
	munmap(g->map, g->size);
}

#endif
