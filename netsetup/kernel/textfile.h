/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * textfile.h - files below a root directory, by pattern.
 */
#ifndef NETSETUP_KERNEL_TEXTFILE_H
#define NETSETUP_KERNEL_TEXTFILE_H

#include "netsetup/doctor/box.h"

enum { TEXTFILE_MAX = 256 * 1024 };

/*
 * Append to the files of *b, in `arena`, those that match the glob(7) pattern,
 * which begins with a slash, sorted; their paths are without `root`. More
 * than TEXTFILE_MAX bytes are not read. What cannot be read is there without
 * text. Symbolic links are followed as the system does, not below `root`.
 */
void textfile_add(const char *root, const char *pattern, struct arena *arena,
		  struct box *b);

/* The text of one file, or NULL. */
const char *textfile_read(const char *path, struct arena *arena);

#endif
