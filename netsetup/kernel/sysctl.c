/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading, writing, recording and restoring files below /proc/sys. The root
 * is a parameter so that tests can use a directory of their own.
 */
#include "netsetup/kernel/sysctl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/arena.h"

static int
open_sysctl(const char *root, const char *path, int flags)
{
	char full[PATH_MAX];
	int fd, n;

	n = snprintf(full, sizeof(full), "%s/%s", root, path);
	if (n < 0 || (size_t)n >= sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, flags | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fd;
}

int
sysctl_read(const char *root, const char *path,
	    char ret_value[SYSCTL_VALUE_LEN])
{
	char buf[SYSCTL_VALUE_LEN];
	ssize_t n;
	int fd;

	fd = open_sysctl(root, path, O_RDONLY);
	if (fd < 0)
		return fd;
	n = read(fd, buf, sizeof(buf) - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return (int)n;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	memcpy(ret_value, buf, sizeof(buf));
	return 0;
}

int
sysctl_write(const char *root, const char *path, const char *value)
{
	size_t len = strlen(value);
	ssize_t n;
	int fd, r = 0;

	fd = open_sysctl(root, path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return fd;
	n = write(fd, value, len);
	if (n < 0)
		r = -errno;
	else if ((size_t)n != len)
		r = -EIO;
	close(fd);
	return r;
}

/* "net/ipv4/" and "net/ipv6/" are equally long. */
static bool
same_family(const char *a, const char *b)
{
	return !strncmp(a, b, strlen("net/ipv4/"));
}

bool
sysctl_recorded(const struct sysctl_record *rec, const char *path)
{
	size_t i;

	for (i = 0; i < rec->n; i++) {
		if (same_family(rec->list[i].path, path))
			return true;
	}
	return false;
}

/* Recording of one family under way. */
struct recorder {
	const char *root;
	const char *family; /* "ipv4" */
	struct arena *arena;
	struct sysctl_record rec;
};

/* A file that is missing is not recorded: nothing can overwrite it. */
static int
record(struct recorder *r, const char *iface, const char *name,
       const char *ours)
{
	char value[SYSCTL_VALUE_LEN];
	struct sysctl_entry *e;
	char *path;
	int error;

	path = arena_printf(r->arena, "net/%s/conf/%s/%s", r->family, iface,
			    name);
	error = sysctl_read(r->root, path, value);
	if (error == -ENOENT)
		return 0;
	if (error < 0)
		return error;
	r->rec.list = arena_push(r->arena, r->rec.list, r->rec.n, sizeof(*e));
	e = &r->rec.list[r->rec.n++];
	e->path = path;
	e->before = arena_strdup(r->arena, value);
	e->ours = ours;
	return 0;
}

static int
is_iface(const struct dirent *e)
{
	return e->d_name[0] != '.' && strcmp(e->d_name, "all") != 0 &&
	       strcmp(e->d_name, "default") != 0;
}

/* `forwarding` of every interface, by name. */
static int
record_ifaces(struct recorder *r)
{
	struct dirent **list;
	int n, i, error = 0;

	n = scandir(
		arena_printf(r->arena, "%s/net/%s/conf", r->root, r->family),
		&list, is_iface, alphasort);
	if (n < 0)
		return -errno;
	for (i = 0; i < n; i++) {
		if (error == 0)
			error = record(r, list[i]->d_name, "forwarding", "1");
		free(list[i]);
	}
	free(list);
	return error;
}

/*
 * What the kernel overwrites: inet_forward_change() in net/ipv4/devinet.c,
 * addrconf_fixup_forwarding() in net/ipv6/addrconf.c.
 */
static int
record_family(struct recorder *r)
{
	int error;

	error = record(r, "all", "forwarding", "1");
	if (error == 0 && !strcmp(r->family, "ipv4"))
		error = record(r, "all", "accept_redirects", "0");
	if (error == 0)
		error = record(r, "default", "forwarding", "1");
	if (error == 0)
		error = record_ifaces(r);
	return error;
}

int
sysctl_record_forwarding(const char *root, const char *path,
			 struct arena *arena, struct sysctl_record *rec)
{
	struct recorder r = {.root = root, .arena = arena};
	size_t i;
	int error;

	r.family = same_family(path, "net/ipv4/") ? "ipv4" : "ipv6";
	error = record_family(&r);
	if (error < 0)
		return error;
	for (i = 0; i < r.rec.n; i++) {
		rec->list = arena_push(arena, rec->list, rec->n,
				       sizeof(*rec->list));
		rec->list[rec->n++] = r.rec.list[i];
	}
	return 0;
}

/* In the place of `ours`: it is settled what it shall be. */
static const char settled[] = "*";

static bool
is_settled(const struct sysctl_entry *e)
{
	return !strcmp(e->ours, settled);
}

/*
 * What each value shall be, decided before the first is written, because
 * that one changes the others. Empty: leave it alone.
 */
static void
choose_targets(const char *root, const struct sysctl_record *rec,
	       const char *path, char (*targets)[SYSCTL_VALUE_LEN])
{
	size_t i;

	for (i = 0; i < rec->n; i++) {
		const struct sysctl_entry *e = &rec->list[i];

		targets[i][0] = '\0';
		if (!same_family(e->path, path) ||
		    sysctl_read(root, e->path, targets[i]) < 0)
			continue;
		if (is_settled(e) || !strcmp(targets[i], e->ours))
			snprintf(targets[i], SYSCTL_VALUE_LEN, "%s", e->before);
	}
}

static const struct sysctl_entry *
find_entry(const struct sysctl_record *rec, const char *path)
{
	size_t i;

	for (i = 0; i < rec->n; i++) {
		if (!strcmp(rec->list[i].path, path))
			return &rec->list[i];
	}
	return NULL;
}

/*
 * Interfaces that came since have our value from `default`. Without us they
 * would have had the one from before.
 */
static void
settle_newcomers(const char *root, const char *family, struct arena *arena,
		 struct sysctl_record *rec)
{
	struct recorder r = {.root = root, .family = family, .arena = arena};
	const struct sysctl_entry *from;
	size_t i;

	from = find_entry(rec, arena_printf(arena,
					    "net/%s/conf/default/"
					    "forwarding",
					    family));
	if (!from || record_ifaces(&r) < 0)
		return;
	for (i = 0; i < r.rec.n; i++) {
		struct sysctl_entry e = r.rec.list[i];

		if (strcmp(e.before, e.ours) != 0 || find_entry(rec, e.path))
			continue;
		e.before = from->before;
		e.ours = settled;
		rec->list = arena_push(arena, rec->list, rec->n, sizeof(e));
		rec->list[rec->n++] = e;
		from = find_entry(rec, from->path); /* it may have moved */
	}
}

struct sysctl_record
sysctl_settle(const char *root, const struct sysctl_record *rec,
	      const char *path, struct arena *arena)
{
	const char *family = same_family(path, "net/ipv4/") ? "ipv4" : "ipv6";
	const char *all =
		arena_printf(arena, "net/%s/conf/all/forwarding", family);
	const struct sysctl_entry *e = find_entry(rec, all);
	struct sysctl_record result = {0};
	char(*targets)[SYSCTL_VALUE_LEN], now[SYSCTL_VALUE_LEN];
	size_t i;

	targets = arena_calloc(arena, rec->n + 1, sizeof(*targets));
	choose_targets(root, rec, path, targets);
	for (i = 0; i < rec->n; i++) {
		result.list =
			arena_push(arena, result.list, i, sizeof(*rec->list));
		result.list[i] = rec->list[i];
		result.n++;
		if (targets[i][0] == '\0')
			continue;
		result.list[i].before = targets[i];
		result.list[i].ours = settled;
	}
	/* is it us who will overwrite them? */
	if (e && !is_settled(e) && sysctl_read(root, all, now) == 0 &&
	    !strcmp(now, e->ours) && strcmp(now, e->before) != 0)
		settle_newcomers(root, family, arena, &result);
	return result;
}

const char *
sysctl_settled(const struct sysctl_record *rec)
{
	size_t i;

	for (i = 0; i < rec->n; i++) {
		if (is_settled(&rec->list[i]))
			return rec->list[i].path;
	}
	return NULL;
}

int
sysctl_restore(const char *root, const struct sysctl_record *rec,
	       const char *path)
{
	char(*targets)[SYSCTL_VALUE_LEN];
	char now[SYSCTL_VALUE_LEN];
	int error = 0, r;
	size_t i;

	targets = calloc(rec->n + 1, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	choose_targets(root, rec, path, targets);
	for (i = 0; i < rec->n; i++) {
		const char *p = rec->list[i].path;

		if (targets[i][0] == '\0' || sysctl_read(root, p, now) < 0 ||
		    !strcmp(now, targets[i]))
			continue;
		r = sysctl_write(root, p, targets[i]);
		if (r < 0 && r != -ENOENT && error == 0)
			error = r;
	}
	free(targets);
	return error;
}

struct sysctl_record
sysctl_record_without(const struct sysctl_record *rec, const char *path,
		      struct arena *arena)
{
	struct sysctl_record left = {0};
	size_t i;

	for (i = 0; i < rec->n; i++) {
		if (same_family(rec->list[i].path, path))
			continue;
		left.list = arena_push(arena, left.list, left.n,
				       sizeof(*left.list));
		left.list[left.n++] = rec->list[i];
	}
	return left;
}
