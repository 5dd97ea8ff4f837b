/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The edge of policy/: the only file here that opens others. Text comes in,
 * a whole struct policy or messages go out; what happens between is pure.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/hash.h"
#include "lib/str.h"
#include "policy/check.h"
#include "policy/model.h"
#include "policy/parse.h"
#include "policy/policy.h"
#include "policy/source.h"

/* The bytes of a file. */
struct content {
	const char *text; /* borrows from the scratch memory */
	size_t len;
	struct stat stat;
};

/* --- reading -------------------------------------------------------------- */

/*
 * Read until the end or until there is more than `max`. Returns 0, -EFBIG or
 * another -errno.
 */
static int
read_all(int fd, size_t max, struct str *text)
{
	char buf[65536];
	ssize_t n;

	for (;;) {
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		if ((size_t)n > max - text->len)
			return -EFBIG;
		str_add_bytes(text, buf, (size_t)n);
	}
}

/*
 * Read the file at `path`, at most `max` bytes. The policy itself may be a
 * pipe too; what it includes, not `any_kind`, must be a file.
 */
static int
read_file(struct arena *a, const char *path, bool any_kind, size_t max,
	  struct content *ret_content)
{
	struct content c = {0};
	struct str text = {0};
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC | (any_kind ? 0 : O_NONBLOCK));
	if (fd < 0)
		return -errno;
	r = fstat(fd, &c.stat) < 0 ? -errno : 0;
	if (!r && S_ISDIR(c.stat.st_mode))
		r = -EISDIR;
	if (!r && !any_kind && !S_ISREG(c.stat.st_mode))
		r = -EINVAL;
	if (!r)
		r = read_all(fd, max, &text);
	close(fd);
	if (!r) {
		c.text = arena_memdup(a, str_text(&text), text.len);
		c.len = text.len;
		*ret_content = c;
	}
	str_fini(&text);
	return r;
}

static const char *
why_unreadable(int error)
{
	switch (error) {
	case -EFBIG:
		return "more than 8 MiB of policy in all";
	case -EINVAL:
		return "not a regular file";
	default:
		return strerror(-error);
	}
}

/* --- include -------------------------------------------------------------- */

/* Is that file being read already, by one of those that include us? */
static bool
is_loop(const struct source *from, const struct stat *st)
{
	for (; from; from = from->parent)
		if (from->ino == st->st_ino && from->dev == st->st_dev)
			return true;
	return false;
}

/* Returns false if the file was no good; that was reported. */
static bool
include_file(struct sources *s, const char *path, const struct word *pattern,
	     const struct source *from)
{
	size_t room = SOURCE_BYTES_MAX - s->bytes;
	struct source *source;
	struct content c;
	char buf[SHOWN_LEN];
	int r;

	r = read_file(s->scratch, path, false, room, &c);
	if (r < 0) {
		report(s, DIAG_ERROR, pattern->place, "cannot read '%s': %s",
		       shown(path, buf), why_unreadable(r));
		return false;
	}
	if (is_loop(from, &c.stat)) {
		report(s, DIAG_ERROR, pattern->place,
		       "'%s' includes itself, here or through others",
		       shown(path, buf));
		return false;
	}
	source = source_add(s, path, c.text, c.len);
	source->parent = from;
	source->depth = from->depth + 1;
	source->dev = c.stat.st_dev;
	source->ino = c.stat.st_ino;
	return true;
}

/*
 * `pattern` as a path: absolute, or relative to the file that names it. In
 * a glob the letters of that file's directory stand for themselves.
 */
static const char *
resolve(struct sources *s, const char *pattern, const struct source *from,
	bool is_glob)
{
	struct str path = {0};
	const char *copy;
	size_t i, len;

	len = *pattern == '/' ? 0 : source_directory(from->name);
	for (i = 0; i < len; i++) {
		if (is_glob && strchr("*?[\\", from->name[i]))
			str_add_char(&path, '\\');
		str_add_char(&path, from->name[i]);
	}
	str_add(&path, pattern);
	copy = arena_strdup(s->scratch, str_text(&path));
	str_fini(&path);
	return copy;
}

/* A directory that is not there is as good as an empty one. */
static int
is_serious(const char *path, int error)
{
	(void)path;
	return error != ENOENT;
}

static int
compare_paths(const void *va, const void *vb)
{
	const char *const *a = va, *const *b = vb;

	return strcmp(*a, *b);
}

static size_t
include_glob(struct sources *s, const char *path, const struct word *pattern,
	     const struct source *from)
{
	glob_t found = {0};
	size_t i, n = 0;
	int r;

	r = glob(path, GLOB_NOSORT, is_serious, &found);
	if (r == GLOB_ABORTED || r == GLOB_NOSPACE)
		report(s, DIAG_ERROR, pattern->place,
		       "cannot read the directory: %s", strerror(errno));
	if (r == 0 && found.gl_pathc > SOURCE_FILES_MAX - s->n) {
		report(s, DIAG_ERROR, pattern->place,
		       "more than %d files in all", SOURCE_FILES_MAX);
	} else if (r == 0) {
		/* not by glob(), whose order depends on the locale */
		qsort(found.gl_pathv, found.gl_pathc, sizeof(char *),
		      compare_paths);
		for (i = 0; i < found.gl_pathc; i++)
			n += include_file(s, found.gl_pathv[i], pattern, from);
	}
	globfree(&found);
	return n;
}

/* struct reader's: see parse.h. */
static size_t
include(void *context, struct sources *s, const struct word *pattern,
	const struct source *from)
{
	bool is_glob = strpbrk(pattern->text, "*?[");
	const char *path;

	(void)context;
	if (from->depth == SOURCE_DEPTH_MAX) {
		report(s, DIAG_ERROR, pattern->place,
		       "files include files more than %d deep",
		       SOURCE_DEPTH_MAX);
		return 0;
	}
	if (s->n >= SOURCE_FILES_MAX) {
		report(s, DIAG_ERROR, pattern->place,
		       "more than %d files in all", SOURCE_FILES_MAX);
		return 0;
	}
	if (!*pattern->text) {
		report(s, DIAG_ERROR, pattern->place, "a path is expected");
		return 0;
	}
	path = resolve(s, pattern->text, from, is_glob);
	return is_glob ? include_glob(s, path, pattern, from)
		       : include_file(s, path, pattern, from);
}

/* --- all together --------------------------------------------------------- */

static uint64_t
digest_of(const struct policy *p)
{
	struct str text = {0};
	uint64_t digest;

	policy_print(p, &text);
	digest = hash64(str_text(&text), text.len, 0);
	str_fini(&text);
	return digest;
}

/* Takes over neither the text nor the scratch memory. */
static struct policy *
load(const char *path, const struct content *c, struct arena *scratch,
     struct diags *diags)
{
	static const struct reader reader = {include, NULL};
	struct arena *keep = arena_new();
	struct sources s = {.keep = keep, .scratch = scratch, .diags = diags};
	struct model_notes notes;
	struct source *source;
	struct policy *p;
	struct tree tree;

	p = arena_alloc(keep, sizeof(*p));
	p->arena = keep;
	source = source_add(&s, path, c->text, c->len);
	source->dev = c->stat.st_dev;
	source->ino = c->stat.st_ino;
	parse_policy(&s, source, &reader, &tree);
	model_build(&s, &tree, p, &notes);
	check_policy(&s, &notes, p);
	if (s.errors) {
		policy_free(p);
		return NULL;
	}
	p->digest = digest_of(p);
	return p;
}

/* A mistake that has no line. */
static void
report_file(struct diags *diags, const char *path, int error)
{
	struct place place = {.file = arena_strdup(diags->arena, path)};

	diag_add(diags, DIAG_ERROR, place, NULL, "cannot read it: %s",
		 why_unreadable(error));
}

struct policy *
policy_load(const char *path, struct diags *diags)
{
	struct arena *scratch = arena_new();
	struct policy *p = NULL;
	struct content c;
	int r;

	r = read_file(scratch, path, true, SOURCE_BYTES_MAX, &c);
	if (r < 0)
		report_file(diags, path, r);
	else
		p = load(path, &c, scratch, diags);
	arena_free(scratch);
	return p;
}

struct policy *
policy_load_text(const char *path, const char *text, size_t len,
		 struct diags *diags)
{
	struct content c = {.text = text, .len = len};
	struct arena *scratch;
	struct policy *p;

	if (len > SOURCE_BYTES_MAX) {
		report_file(diags, path, -EFBIG);
		return NULL;
	}
	scratch = arena_new();
	p = load(path, &c, scratch, diags);
	arena_free(scratch);
	return p;
}

void
policy_free(struct policy *p)
{
	if (p)
		arena_free(p->arena);
}
