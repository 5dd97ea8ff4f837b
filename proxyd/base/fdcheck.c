/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fdcheck.c - looks into /proc/self/fd at the start and at the end. */
#include "proxyd/base/fdcheck.h"

#ifdef __SANITIZE_ADDRESS__

#include <dirent.h>
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void
complain(int fd)
{
	char path[64], what[128], text[256], process[16] = "";
	ssize_t n;

	prctl(PR_GET_NAME, process, 0L, 0L, 0L);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, what, sizeof(what) - 1);
	what[n > 0 ? n : 0] = '\0';
	snprintf(text, sizeof(text),
		 "FdCheck: %s: descriptor %d (%s) left open", process, fd,
		 what);
	__sanitizer_report_error_summary(text);
}

/* Mark what is open in `now`; without /proc nothing is. */
static void
look(uint8_t now[FDCHECK_MAX])
{
	struct dirent *e;
	DIR *dir;
	int fd;

	memset(now, 0, FDCHECK_MAX);
	dir = opendir("/proc/self/fd");
	if (!dir)
		return;
	while ((e = readdir(dir))) {
		fd = atoi(e->d_name);
		if (e->d_name[0] != '.' && fd < FDCHECK_MAX && fd != dirfd(dir))
			now[fd] = 1;
	}
	closedir(dir);
}

void
fdcheck_init(struct fdcheck *c)
{
	look(c->open);
}

unsigned int
fdcheck_count(const struct fdcheck *c)
{
	uint8_t now[FDCHECK_MAX];
	unsigned int n = 0;
	int fd;

	look(now);
	for (fd = 0; fd < FDCHECK_MAX; fd++) {
		if (!now[fd] || c->open[fd])
			continue;
		complain(fd);
		n++;
	}
	return n;
}

#else

void
fdcheck_init(struct fdcheck *c)
{
	(void)c;
}

unsigned int
fdcheck_count(const struct fdcheck *c)
{
	(void)c;
	return 0;
}

#endif
