/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text with a NUL in it ends there: nobody who wrote it for a program that
 * reads lines meant that.
 */
#include "netsetup/kernel/textfile.h"

#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/arena.h"

const char *
textfile_read(const char *path, struct arena *arena)
{
	size_t len = 0;
	char *text;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	text = malloc(TEXTFILE_MAX);
	while (text && len < TEXTFILE_MAX &&
	       (n = read(fd, text + len, TEXTFILE_MAX - len)) > 0)
		len += (size_t)n;
	close(fd);
	if (!text)
		return NULL;
	path = arena_strndup(arena, text, len);
	free(text);
	return path;
}

void
textfile_add(const char *root, const char *pattern, struct arena *arena,
	     struct box *b)
{
	struct box_file *f;
	const char *text;
	glob_t g;
	size_t i;

	if (glob(arena_printf(arena, "%s%s", root, pattern), 0, NULL, &g))
		return;
	for (i = 0; i < g.gl_pathc; i++) {
		text = textfile_read(g.gl_pathv[i], arena);
		b->files = arena_push(arena, b->files, b->n_files, sizeof(*f));
		f = &b->files[b->n_files++];
		f->path = arena_strdup(arena, g.gl_pathv[i] + strlen(root));
		f->text = text ? text : "";
	}
	globfree(&g);
}
