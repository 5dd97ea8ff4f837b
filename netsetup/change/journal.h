/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal.h - what must outlive one run: the lock, former sysctl values, and
 * the policy that is in force, whatever became of its file since.
 *
 * Files in /run/interpose, one set for each network namespace, because that
 * is what they describe: their names end with the namespace's cookie, which
 * the kernel gives out once per boot.
 */
#ifndef NETSETUP_CHANGE_JOURNAL_H
#define NETSETUP_CHANGE_JOURNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/str.h"
#include "netsetup/kernel/sysctl.h"
#include "netsetup/state/drain.h"

#define JOURNAL_DIR "/run/interpose"

struct journal {
	const char *dir; /* borrows from the caller */
	uint64_t netns;	 /* the namespace's cookie */
	int lock_fd;	 /* owns; -1: not locked */
};

/* A policy in the journal: a policy again, in canonical form. */
struct journal_policy {
	const char *path; /* where it was read from; NULL: none is on record */
	const char *copy; /* its file here, once it is in force */
	const char *text; /* what is in that: comment lines, the policy */
	size_t len;
	enum drain drain; /* only that part of it is in force */
};

/* Finds out the namespace; creates nothing. 0 or -errno. */
int journal_open(struct journal *j, const char *dir);

/* Gives back the lock, if held. */
void journal_close(struct journal *j);

/*
 * Take the lock, or return -EAGAIN and in *ret_holder the process that holds
 * it, 0 if unknown. Creates the directory; -ENOTUNIQ if that belongs to another
 * user, or others may write to it. Else 0 or -errno.
 */
int journal_lock(struct journal *j, pid_t *ret_holder);

/* The same, but wait for it. 0 or -errno. */
int journal_lock_wait(struct journal *j);

/*
 * Does another process hold the lock? Never to be asked by who holds it: the
 * question gives it back.
 */
bool journal_at_work(const struct journal *j);

/* Where a record of that kind lies. 0 or -ENAMETOOLONG. */
int journal_file(const struct journal *j, const char *kind,
		 char path[PATH_MAX]);

/*
 * A record of any kind, a word that its file is named by: `text` gets what is
 * in it added, nothing if there is none. 0; -ENOTUNIQ if it is no file, or
 * others may write to it; -EFBIG; else -errno.
 */
int journal_read(const struct journal *j, const char *kind, struct str *text);

/*
 * Write it, all or nothing, durable on return; no text: no file any more.
 * 0 or -errno.
 */
int journal_replace(const struct journal *j, const char *kind,
		    const struct str *text);

/* It becomes the record of kind `as`, in the place of that. 0 or -errno. */
int journal_rename(const struct journal *j, const char *kind, const char *as);

/*
 * What changes whenever the record of that kind does; 0: there is none.
 */
uint64_t journal_stamp(const struct journal *j, const char *kind);

/* Read the former values; none when there is no file. 0 or -errno. */
int journal_load(const struct journal *j, struct arena *arena,
		 struct sysctl_record *ret_record);

/*
 * Write them, all or nothing, durable on return; an empty record removes the
 * file. 0 or -errno.
 */
int journal_store(const struct journal *j, const struct sysctl_record *rec);

/*
 * Read the policy in force; lives in `arena`. 0, also when there is none, or
 * -errno.
 */
int journal_load_policy(const struct journal *j, struct arena *arena,
			struct journal_policy *ret_policy);

/* Nothing if `text`, what is in a record, is no policy; lives in `arena`. */
struct journal_policy journal_parse_policy(const struct journal *j,
					   const char *text,
					   struct arena *arena);

/* The same policy, of which only that part is in force; lives in `arena`. */
struct journal_policy journal_drained(const struct journal *j,
				      const struct journal_policy *copy,
				      enum drain drain, struct arena *arena);

/* Do both say the same, wherever they come from? No policy is one, too. */
bool journal_same_policy(const struct journal_policy *a,
			 const struct journal_policy *b);

#endif
