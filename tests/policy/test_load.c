/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files: what includes do, and what cannot be read. What the bytes in them
 * can do is in test_bytes.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/policy/texts.h"
#include "tests/unit.h"

/* A directory of this test's own. */
struct dir {
	char path[64];
};

static struct dir
dir_make(void)
{
	struct dir d = {"/tmp/interpose-load-XXXXXX"};

	assert(mkdtemp(d.path));
	return d;
}

static void
dir_remove(const struct dir *d)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", d->path);
	CU_ASSERT_EQUAL(system(command), 0);
}

static void
put_bytes(const struct dir *d, const char *name, const void *data, size_t len)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	f = fopen(path, "we");
	assert(f);
	len -= fwrite(data, 1, len, f);
	fclose(f);
	assert(!len);
}

static void
put(const struct dir *d, const char *name, const char *text)
{
	put_bytes(d, name, text, strlen(text));
}

static void
put_dir(const struct dir *d, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	assert(!mkdir(path, 0755));
}

/* Load a file there. The result: canonical text or messages, in both the
 * directory written as "DIR". */
static bool
load(const struct dir *d, const char *name, struct str *ret_text)
{
	struct str text = {0};
	struct diags diags;
	struct policy *p;
	char path[256];
	const char *s, *found;

	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	diags_init(&diags);
	p = policy_load(path, &diags);
	CU_ASSERT_EQUAL(p == NULL, diags.n_errors > 0);
	diags_format(&diags, false, &text);
	if (p)
		policy_print(p, &text);
	policy_free(p);
	diags_fini(&diags);
	str_clear(ret_text);
	for (s = str_text(&text); (found = strstr(s, d->path));
	     s = found + strlen(d->path)) {
		str_add_bytes(ret_text, s, (size_t)(found - s));
		str_add(ret_text, "DIR");
	}
	str_add(ret_text, s);
	str_fini(&text);
	return p;
}

#define LOADS(d, name, want)                                                   \
	do {                                                                   \
		struct str got_ = {0};                                         \
		CU_ASSERT(load(d, name, &got_));                               \
		UNIT_STRINGS(str_text(&got_), want);                           \
		str_fini(&got_);                                               \
	} while (0)

#define FAILS(d, name, want)                                                   \
	do {                                                                   \
		struct str got_ = {0};                                         \
		CU_ASSERT(!load(d, name, &got_));                              \
		UNIT_STRINGS(str_text(&got_), want);                           \
		str_fini(&got_);                                               \
	} while (0)

static void
test_include(void)
{
	struct dir d = dir_make();

	put_dir(&d, "policy.d");
	put(&d, "policy.conf",
	    "include policy.d/*.conf\ninclude \"policy.d/none*\"\n"
	    "include no-such-dir/*.conf\n");
	put(&d, "policy.d/20.conf",
	    "service b { include ../shared; listen tcp 2 }\n");
	put(&d, "policy.d/10.conf",
	    "service a { include ../shared; listen tcp 1 }\n"
	    "define lan 10.0.0.0/8\n");
	put(&d, "policy.d/30.conf", "gateway { except from $lan }\n");
	put(&d, "policy.d/.40.conf", "nonsense\n");
	put(&d, "policy.d/50.txt", "nonsense\n");
	put(&d, "shared", "timeout idle 5s");
	LOADS(&d, "policy.conf",
	      "gateway {\n"
	      "    except from 10.0.0.0/8\n"
	      "}\n"
	      "\n"
	      "service a {\n"
	      "    listen tcp 1\n"
	      "    timeout idle 5s\n"
	      "}\n"
	      "\n"
	      "service b {\n"
	      "    listen tcp 2\n"
	      "    timeout idle 5s\n"
	      "}\n");
	dir_remove(&d);
}

/* A mistake is shown where it stands, with its line. */
static void
test_include_mistake(void)
{
	struct dir d = dir_make();

	put(&d, "policy.conf",
	    "service a { include shared; listen tcp 1 }\n"
	    "service b { lsten tcp 2 }\n");
	put(&d, "shared", "\n  timout idle 5s");
	FAILS(&d, "policy.conf",
	      "DIR/shared:2:3: error: unknown keyword 'timout', did you mean "
	      "'timeout'?\n"
	      "  timout idle 5s\n"
	      "  ^~~~~~\n"
	      "DIR/policy.conf:2:9: error: service 'b' has neither "
	      "'intercept' nor 'listen'\n"
	      "service b { lsten tcp 2 }\n"
	      "        ^\n"
	      "DIR/policy.conf:2:13: error: unknown keyword 'lsten', did you "
	      "mean 'listen'?\n"
	      "service b { lsten tcp 2 }\n"
	      "            ^~~~~\n");
	dir_remove(&d);
}

/* The directory's own letters are no pattern. */
static void
test_include_odd_names(void)
{
	struct dir d = dir_make();

	put_dir(&d, "a[b]*");
	put(&d, "a[b]*/policy.conf",
	    "include \"*.inc\"\ninclude \"a b\"\ninclude [x].c\n");
	put(&d, "a[b]*/1.inc", "gateway { zone 1 }\n");
	put(&d, "a[b]*/a b", "service s { listen tcp 5 }\n");
	put(&d, "a[b]*/x.c", "service t { listen tcp 6 }\n");
	LOADS(&d, "a[b]*/policy.conf",
	      "gateway {\n    zone 1\n}\n\n"
	      "service s {\n    listen tcp 5\n}\n\n"
	      "service t {\n    listen tcp 6\n}\n");
	dir_remove(&d);
}

static void
test_include_unreadable(void)
{
	struct dir d = dir_make();

	put(&d, "policy.conf",
	    "include missing\n"
	    "include sub\n"
	    "include /dev/null\n"
	    "include su*\n"
	    "include fifo\n");
	put_dir(&d, "sub");
	{
		char path[128];

		snprintf(path, sizeof(path), "%s/fifo", d.path);
		CU_ASSERT_EQUAL(mkfifo(path, 0600), 0);
	}
	FAILS(&d, "policy.conf",
	      "DIR/policy.conf:1:9: error: cannot read 'DIR/missing': No such "
	      "file or directory\n"
	      "include missing\n"
	      "        ^~~~~~~\n"
	      "DIR/policy.conf:2:9: error: cannot read 'DIR/sub': Is a "
	      "directory\n"
	      "include sub\n"
	      "        ^~~\n"
	      "DIR/policy.conf:3:9: error: cannot read '/dev/null': not a "
	      "regular file\n"
	      "include /dev/null\n"
	      "        ^~~~~~~~~\n"
	      "DIR/policy.conf:4:9: error: cannot read 'DIR/sub': Is a "
	      "directory\n"
	      "include su*\n"
	      "        ^~~\n"
	      "DIR/policy.conf:5:9: error: cannot read 'DIR/fifo': not a "
	      "regular file\n"
	      "include fifo\n"
	      "        ^~~~\n");
	dir_remove(&d);
}

/* Only who is not root can be refused. */
static void
test_permission(void)
{
	struct dir d = dir_make();
	char path[128];

	put(&d, "secret", "gateway {}\n");
	snprintf(path, sizeof(path), "%s/secret", d.path);
	CU_ASSERT_EQUAL(chmod(path, 0), 0);
	CU_ASSERT_EQUAL(chmod(d.path, 0755), 0);
	if (!geteuid())
		CU_ASSERT_EQUAL(seteuid(65534), 0);
	FAILS(&d, "secret",
	      "DIR/secret: error: cannot read it: Permission denied\n");
	if (!getuid())
		CU_ASSERT_EQUAL(seteuid(0), 0);
	dir_remove(&d);
}

static void
test_loops(void)
{
	struct dir d = dir_make();
	int i;

	put(&d, "self", "include self\n");
	FAILS(&d, "self",
	      "DIR/self:1:9: error: 'DIR/self' includes itself, here or "
	      "through others\n"
	      "include self\n"
	      "        ^~~~\n");
	put(&d, "a", "include b\n");
	put(&d, "b", "include ./a\n");
	FAILS(&d, "a",
	      "DIR/b:1:9: error: 'DIR/./a' includes itself, here or through "
	      "others\n"
	      "include ./a\n"
	      "        ^~~\n");
	/* twice is no loop */
	put(&d, "twice", "include empty\ninclude empty\n");
	put(&d, "empty", "");
	LOADS(&d, "twice", "");

	for (i = 0; i < 18; i++) {
		char name[16], text[32];

		snprintf(name, sizeof(name), "deep%d", i);
		snprintf(text, sizeof(text), "include deep%d\n", i + 1);
		put(&d, name, text);
	}
	put(&d, "deep18", "");
	LOADS(&d, "deep2", "");
	FAILS(&d, "deep1",
	      "DIR/deep17:1:9: error: files include files more than 16 deep\n"
	      "include deep18\n"
	      "        ^~~~~~\n");
	dir_remove(&d);
}

static void
test_unreadable(void)
{
	struct dir d = dir_make();

	FAILS(&d, "missing",
	      "DIR/missing: error: cannot read it: No such file or "
	      "directory\n");
	FAILS(&d, ".", "DIR/.: error: cannot read it: Is a directory\n");
	dir_remove(&d);
}

static void
test_too_big(void)
{
	const size_t big = 10 << 20, half = 5 << 20;
	char *data = texts_fill(big, "# a comment\n");
	struct dir d = dir_make();
	struct str out = {0};

	put_bytes(&d, "big", data, big);
	FAILS(&d, "big",
	      "DIR/big: error: cannot read it: more than 8 MiB of policy in "
	      "all\n");
	/* two halves are too much as well */
	put_bytes(&d, "half1", data, half);
	put_bytes(&d, "half2", data, half);
	put(&d, "sum", "include half*\n");
	FAILS(&d, "sum",
	      "DIR/sum:1:9: error: cannot read 'DIR/half2': more than 8 MiB "
	      "of policy in all\n"
	      "include half*\n"
	      "        ^~~~~\n");
	put_bytes(&d, "just", data, 8 << 20);
	LOADS(&d, "just", "");
	CU_ASSERT_PTR_NULL(texts_load("text", data, big, &out));
	UNIT_STRINGS(str_text(&out), "text: error: cannot read it: more than "
				     "8 MiB of policy in all\n");
	str_fini(&out);
	free(data);
	dir_remove(&d);
}

/* An endless file is read no further than the limit. */
static void
test_endless(void)
{
	struct diags diags;

	diags_init(&diags);
	CU_ASSERT_PTR_NULL(policy_load("/dev/zero", &diags));
	CU_ASSERT_EQUAL(diags.n_errors, 1);
	diags_fini(&diags);
}

/* Files are many, too. */
static void
test_many_files(void)
{
	struct str text = {0}, out = {0};
	struct dir d = dir_make();
	int i;

	for (i = 0; i < 5000; i++)
		str_add(&text, "include empty\n");
	put(&d, "policy.conf", str_text(&text));
	put(&d, "empty", "");
	CU_ASSERT(!load(&d, "policy.conf", &out));
	CU_ASSERT(strstr(str_text(&out), "more than 4096 files in all") !=
		  NULL);
	str_fini(&text);
	str_fini(&out);
	dir_remove(&d);
}

static void
test_pipe(void)
{
	static const char text[] = "service web { listen tcp 80 }\n";
	struct diags diags;
	struct policy *p;
	char path[32];
	int fd[2];

	CU_ASSERT_EQUAL(pipe(fd), 0);
	CU_ASSERT_EQUAL(write(fd[1], text, strlen(text)),
			(ssize_t)strlen(text));
	close(fd[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[0]);
	diags_init(&diags);
	p = policy_load(path, &diags);
	CU_ASSERT_PTR_NOT_NULL(p);
	policy_free(p);
	diags_fini(&diags);
	close(fd[0]);
}

/* Nothing is left open. */
static void
test_descriptors(void)
{
	int before = dup(0), after;

	close(before);
	test_include();
	test_include_unreadable();
	test_too_big();
	after = dup(0);
	close(after);
	CU_ASSERT_EQUAL(before, after);
}

static const struct unit_test tests[] = {
	{"include", test_include},
	{"include_mistake", test_include_mistake},
	{"include_odd_names", test_include_odd_names},
	{"include_unreadable", test_include_unreadable},
	{"permission", test_permission},
	{"loops", test_loops},
	{"unreadable", test_unreadable},
	{"too_big", test_too_big},
	{"endless", test_endless},
	{"many_files", test_many_files},
	{"pipe", test_pipe},
	{"descriptors", test_descriptors},
};

UNIT_MAIN("load", tests)
