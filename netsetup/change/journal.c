/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records are text files, replaced as a whole. Former values: one
 * `PATH BEFORE OURS` a line, in the order in which they are put back; a line
 * that is not so is passed over. A policy: a comment that names its file,
 * perhaps one that says how far it is drained, then its canonical text.
 */
#include "netsetup/change/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/arena.h"

/* More than any policy comes to in canonical form. */
enum { RECORD_MAX = 64 << 20 };

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* linux 5.14, asm-generic/socket.h */
#endif

int
journal_open(struct journal *j, const char *dir)
{
	socklen_t len = sizeof(j->netns);
	int fd, r = 0;

	j->dir = dir;
	j->netns = 0;
	j->lock_fd = -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &j->netns, &len) < 0)
		r = -errno;
	close(fd);
	return r;
}

void
journal_close(struct journal *j)
{
	if (j->lock_fd >= 0)
		close(j->lock_fd);
	j->lock_fd = -1;
}

int
journal_file(const struct journal *j, const char *kind, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/netsetup.%s.%" PRIu64, j->dir,
			 kind, j->netns);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/*
 * What is in the directory is written to /proc/sys: nobody else may have a
 * hand in it.
 */
static int
own_dir(const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (stat(dir, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return -ENOTUNIQ;
	return 0;
}

/* The descriptor, or -errno. */
static int
open_lock(const struct journal *j, int flags)
{
	char path[PATH_MAX];
	int fd, r;

	r = journal_file(j, "lock", path);
	if (r == 0 && flags & O_CREAT)
		r = own_dir(j->dir);
	if (r < 0)
		return r;
	fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	return fd;
}

int
journal_lock(struct journal *j, pid_t *ret_holder)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd, r;

	*ret_holder = 0;
	fd = open_lock(j, O_RDWR | O_CREAT);
	if (fd < 0)
		return fd;
	if (fcntl(fd, F_SETLK, &lock) == 0) {
		j->lock_fd = fd;
		return 0;
	}
	r = errno == EACCES ? -EAGAIN : -errno;
	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		*ret_holder = lock.l_pid;
	close(fd);
	return r;
}

int
journal_lock_wait(struct journal *j)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int r = open_lock(j, O_RDWR | O_CREAT);

	j->lock_fd = r;
	while (r >= 0 && fcntl(j->lock_fd, F_SETLKW, &lock) < 0) {
		if (errno != EINTR)
			r = -errno;
	}
	if (r < 0)
		journal_close(j);
	return r < 0 ? r : 0;
}

bool
journal_at_work(const struct journal *j)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	bool held;
	int fd;

	fd = open_lock(j, O_RDONLY);
	if (fd < 0)
		return false;
	held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	close(fd);
	return held;
}

/* A file that only we write. */
static int
check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_mode & (S_IWGRP | S_IWOTH) ||
	    (st.st_uid != 0 && st.st_uid != geteuid()))
		return -ENOTUNIQ;
	return st.st_size > RECORD_MAX ? -EFBIG : 0;
}

/* What it grew beyond that is not read. */
static int
read_fd(int fd, struct str *text)
{
	char buf[16 * 1024];
	size_t left = RECORD_MAX;
	ssize_t n = 1;

	while (left > 0 && n > 0) {
		n = read(fd, buf, left < sizeof(buf) ? left : sizeof(buf));
		if (n < 0)
			return -errno;
		str_add_bytes(text, buf, (size_t)n);
		left -= (size_t)n;
	}
	return 0;
}

/* No file: no text. */
static int
read_all(const char *path, struct str *text)
{
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ELOOP)
		return -ENOTUNIQ;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = check_file(fd);
	if (r == 0)
		r = read_fd(fd, text);
	close(fd);
	return r;
}

int
journal_read(const struct journal *j, const char *kind, struct str *text)
{
	char path[PATH_MAX];
	int r;

	r = journal_file(j, kind, path);
	if (r == 0)
		r = read_all(path, text);
	return r;
}

static void
take_line(char *line, struct arena *arena, struct sysctl_record *rec)
{
	struct sysctl_entry e;
	char *save;

	e.path = strtok_r(line, " \n", &save);
	e.before = strtok_r(NULL, " \n", &save);
	e.ours = strtok_r(NULL, " \n", &save);
	/* only what we would have written ourselves */
	if (!e.ours || strncmp(e.path, "net/ipv", 7) != 0 ||
	    strstr(e.path, "/../"))
		return;
	rec->list = arena_push(arena, rec->list, rec->n, sizeof(*rec->list));
	rec->list[rec->n].path = arena_strdup(arena, e.path);
	rec->list[rec->n].before = arena_strdup(arena, e.before);
	rec->list[rec->n++].ours = arena_strdup(arena, e.ours);
}

int
journal_load(const struct journal *j, struct arena *arena,
	     struct sysctl_record *ret_record)
{
	struct sysctl_record rec = {0};
	struct str text = {0};
	char *line, *rest;
	int r;

	r = journal_read(j, "sysctl", &text);
	rest = text.data;
	while (r == 0 && (line = strsep(&rest, "\n")))
		take_line(line, arena, &rec);
	str_fini(&text);
	if (r < 0)
		return r;
	*ret_record = rec;
	return 0;
}

static int
write_new(const char *path, const struct str *text)
{
	FILE *f;
	int r = 0;

	unlink(path); /* of somebody who was killed */
	f = fopen(path, "wxe");
	if (!f)
		return -errno;
	if (fwrite(str_text(text), 1, text->len, f) != text->len ||
	    fflush(f) != 0 || fsync(fileno(f)) < 0)
		r = errno ? -errno : -EIO;
	fclose(f);
	return r;
}

int
journal_replace(const struct journal *j, const char *kind,
		const struct str *text)
{
	char path[PATH_MAX], new_path[PATH_MAX];
	int r;

	r = journal_file(j, kind, path);
	if (r == 0)
		r = journal_file(j, "new", new_path);
	if (r < 0)
		return r;
	if (text->len == 0)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	r = write_new(new_path, text);
	if (r == 0 && rename(new_path, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(new_path);
	return r;
}

int
journal_store(const struct journal *j, const struct sysctl_record *rec)
{
	struct str text = {0};
	size_t i;
	int r;

	for (i = 0; i < rec->n; i++)
		str_addf(&text, "%s %s %s\n", rec->list[i].path,
			 rec->list[i].before, rec->list[i].ours);
	r = journal_replace(j, "sysctl", &text);
	str_fini(&text);
	return r;
}

int
journal_rename(const struct journal *j, const char *kind, const char *as)
{
	char path[PATH_MAX], new_path[PATH_MAX];
	int r;

	r = journal_file(j, kind, path);
	if (r == 0)
		r = journal_file(j, as, new_path);
	if (r == 0 && rename(path, new_path) < 0)
		r = -errno;
	return r;
}

uint64_t
journal_stamp(const struct journal *j, const char *kind)
{
	char path[PATH_MAX];
	struct stat st;

	if (journal_file(j, kind, path) < 0 || stat(path, &st) < 0)
		return 0;
	return ((uint64_t)st.st_ino << 40) ^
	       ((uint64_t)st.st_mtim.tv_sec * 1000000000 +
		(uint64_t)st.st_mtim.tv_nsec);
}

/* --- policies ------------------------------------------------------------ */

/* What stands below the name of the file. */
static const char *const drains[] = {
	[DRAIN_NONE] = "",
	[DRAIN_ACCEPTS] = "# draining\n",
	[DRAIN_REFUSES] = "# drained\n",
};

static const char *
below_name(const char *text)
{
	const char *end = strchr(text, '\n');

	return end ? end + 1 : "";
}

static enum drain
parse_drain(const char *text)
{
	enum drain d = DRAIN_REFUSES;

	while (strncmp(text, drains[d], strlen(drains[d])) != 0)
		d--;
	return d;
}

struct journal_policy
journal_parse_policy(const struct journal *j, const char *text,
		     struct arena *arena)
{
	struct journal_policy p = {0};
	char path[PATH_MAX];

	if (strncmp(text, "# ", 2) != 0 || journal_file(j, "policy", path) < 0)
		return p;
	p.copy = arena_strdup(arena, path);
	p.text = arena_strdup(arena, text);
	p.len = strlen(text);
	p.path = arena_strndup(arena, p.text + 2, strcspn(p.text + 2, "\n"));
	p.drain = parse_drain(below_name(p.text));
	return p;
}

struct journal_policy
journal_drained(const struct journal *j, const struct journal_policy *copy,
		enum drain drain, struct arena *arena)
{
	const char *policy = below_name(copy->text);

	policy += strlen(drains[copy->drain]);
	return journal_parse_policy(j,
				    arena_printf(arena, "# %s\n%s%s",
						 copy->path, drains[drain],
						 policy),
				    arena);
}

bool
journal_same_policy(const struct journal_policy *a,
		    const struct journal_policy *b)
{
	if (!a->path || !b->path)
		return !a->path && !b->path;
	return !strcmp(a->text + strcspn(a->text, "\n"),
		       b->text + strcspn(b->text, "\n"));
}

int
journal_load_policy(const struct journal *j, struct arena *arena,
		    struct journal_policy *ret_policy)
{
	struct str text = {0};
	int r;

	r = journal_read(j, "policy", &text);
	if (r == 0)
		*ret_policy = journal_parse_policy(j, str_text(&text), arena);
	str_fini(&text);
	return r;
}
