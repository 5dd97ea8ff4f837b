/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl.h - kernel settings below /proc/sys, and what they were before.
 *
 * Setting `forwarding` of a family writes to every interface at once, and to
 * accept_redirects. So a record holds all that is overwritten, and putting
 * back starts with the value that overwrites the others.
 */
#ifndef NETSETUP_KERNEL_SYSCTL_H
#define NETSETUP_KERNEL_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

#define SYSCTL_ROOT "/proc/sys"

enum { SYSCTL_VALUE_LEN = 64 };

/* Read the first line of `root`/`path`. 0 or -errno. */
int sysctl_read(const char *root, const char *path,
		char ret_value[SYSCTL_VALUE_LEN]);

/* 0 or -errno. */
int sysctl_write(const char *root, const char *path, const char *value);

struct sysctl_entry {
	const char *path;
	const char *before;
	const char *ours; /* what our change makes it; "*": no matter what */
};

/* Former values, in the order in which they must be put back. */
struct sysctl_record {
	struct sysctl_entry *list;
	size_t n;
};

/*
 * Is there a former value on record for the family of `path`, a setting of
 * net/ipv4/ or net/ipv6/?
 */
bool sysctl_recorded(const struct sysctl_record *rec, const char *path);

/*
 * Append all that setting `path`, net/FAMILY/conf/all/forwarding, to 1 will
 * overwrite. Nothing is written. 0, or -errno with *rec as it was.
 */
int sysctl_record_forwarding(const char *root, const char *path,
			     struct arena *arena, struct sysctl_record *rec);

/*
 * The record in which it is settled what each value of the family of `path`
 * shall become again, whatever it is by then. To be stored before the first
 * is put back: that changes others, and who is interrupted then could not
 * tell any more which of them are still ours.
 */
struct sysctl_record sysctl_settle(const char *root,
				   const struct sysctl_record *rec,
				   const char *path, struct arena *arena);

/* The path of a settled value: putting back was interrupted. Or NULL. */
const char *sysctl_settled(const struct sysctl_record *rec);

/*
 * Put back the family of `path`: each value that is still ours becomes what
 * it was; one that somebody else has changed since stays as it is; one that
 * is gone is passed over. Goes on after an error and returns the first.
 */
int sysctl_restore(const char *root, const struct sysctl_record *rec,
		   const char *path);

/* The record without the family of `path`; shares the entries. */
struct sysctl_record sysctl_record_without(const struct sysctl_record *rec,
					   const char *path,
					   struct arena *arena);

#endif
