/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * baton.c - execve(), and the first look around after it.
 *
 * PROXYD_HANDOVER=PID:FD names the memfd. The pid is ours before and after;
 * in any other process the variable is a leftover and means nothing.
 */
#include "proxyd/baton.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

#include "proxyd/base/priv.h"

#define VARIABLE "PROXYD_HANDOVER"

enum {
	SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
	FDS_MAX = 1 << 20, /* where to stop looking for descriptors */
};

char *
baton_path(void)
{
	const char *path = (const char *)getauxval(AT_EXECFN);
	char cwd[PATH_MAX];
	char *text;

	if (!path)
		return NULL;
	if (path[0] == '/')
		return strdup(path);
	if (!getcwd(cwd, sizeof(cwd)) ||
	    asprintf(&text, "%s/%s", cwd, path) < 0)
		return NULL;
	return text;
}

/* --- passing -------------------------------------------------------------- */

/* All descriptors that are named: do they stay open? */
static int
keep_fds(const struct handover *h, bool keep)
{
	int flags = keep ? 0 : FD_CLOEXEC, r = 0;
	size_t i;

	if (h->shm_fd >= 0 && fcntl(h->shm_fd, F_SETFD, flags) < 0)
		r = -errno;
	for (i = 0; i < h->n_sockets; i++)
		if (fcntl(h->sockets[i], F_SETFD, flags) < 0)
			r = -errno;
	for (i = 0; i < h->n_children; i++)
		if (fcntl(h->children[i].talk_fd, F_SETFD, flags) < 0)
			r = -errno;
	return r;
}

static int
write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, text, len);
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The state, in a memfd that nobody changes any more. */
static int
make_memfd(const struct handover *h, int *ret_fd)
{
	struct str text = {0};
	int fd, r;

	fd = memfd_create("proxyd-handover", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	handover_write(h, &text);
	r = text.len <= HANDOVER_SIZE_MAX ? write_all(fd, text.data, text.len)
					  : -E2BIG;
	str_fini(&text);
	if (r == 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static int
execute(const char *path, char *const *argv, int memfd)
{
	char value[32];
	int r;

	snprintf(value, sizeof(value), "%d:%d", getpid(), memfd);
	if (setenv(VARIABLE, value, 1) < 0)
		return -errno;
	r = fcntl(memfd, F_SETFD, 0) < 0 ? -errno : 0;
	if (r == 0)
		r = priv_pass_on(PRIV_MASTER);
	if (r == 0) {
		execv(path, argv);
		r = -errno;
	}
	unsetenv(VARIABLE);
	return r;
}

int
baton_pass(const char *path, char *const *argv, const struct handover *h)
{
	int memfd = -1, r, back;

	r = make_memfd(h, &memfd);
	if (r < 0)
		return r;
	r = keep_fds(h, true);
	if (r == 0)
		r = execute(path, argv, memfd);
	close(memfd);
	keep_fds(h, false);
	back = priv_limit(PRIV_MASTER);
	if (back < 0)
		log_error("cannot give capabilities up again: %s",
			  strerror(-back));
	return r;
}

/* --- taking --------------------------------------------------------------- */

/* The descriptor that the variable names; -1: none that is meant for us. */
static int
find_memfd(void)
{
	const char *value = getenv(VARIABLE);
	int pid, fd = -1;
	char more;

	if (value && (sscanf(value, "%d:%d%c", &pid, &fd, &more) != 2 ||
		      pid != getpid()))
		fd = -1;
	unsetenv(VARIABLE);
	return fd;
}

/* Only what cannot change while it is read. */
static int
read_memfd(int fd, struct handover *h, unsigned int *ret_line)
{
	struct stat st;
	char *text;
	int r;

	*ret_line = 0;
	if ((fcntl(fd, F_GET_SEALS) & SEALS) != SEALS || fstat(fd, &st) < 0 ||
	    st.st_size <= 0 || st.st_size > HANDOVER_SIZE_MAX)
		return -EBADMSG;
	text = malloc((size_t)st.st_size);
	if (!text)
		return -ENOMEM;
	r = pread(fd, text, (size_t)st.st_size, 0) == st.st_size ? 0 : -EIO;
	if (r == 0)
		r = handover_read(h, text, (size_t)st.st_size, ret_line);
	free(text);
	return r;
}

/*
 * Nobody knows any more what is what: sockets tell by themselves, and the
 * end of everything else is understood by whoever had the other end.
 */
static void
salvage(struct inherited *in)
{
	struct rlimit limit;
	int fd, end = FDS_MAX;

	/* those that were found are found again */
	free(in->list);
	*in = (struct inherited){0};
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FDS_MAX)
		end = (int)limit.rlim_cur;
	for (fd = STDERR_FILENO + 1; fd < end; fd++)
		if (inherited_add(in, fd) < 0)
			close(fd);
}

/* Is it open at all? From now on close-on-exec. */
static bool
claim(int fd)
{
	return fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

static bool
claim_all(const struct handover *h, struct inherited *in)
{
	bool all = h->shm_fd < 0 || claim(h->shm_fd);
	size_t i;

	for (i = 0; i < h->n_children && all; i++)
		all = claim(h->children[i].talk_fd);
	for (i = 0; i < h->n_sockets && all; i++)
		all = inherited_add(in, h->sockets[i]) == 0;
	return all;
}

void
baton_take(struct handover *h, struct inherited *in)
{
	unsigned int line;
	int fd, r;

	handover_init(h);
	*in = (struct inherited){0};
	fd = find_memfd();
	if (fd < 0)
		return;
	r = read_memfd(fd, h, &line);
	if (r == 0)
		close(fd);
	if (r == 0 && claim_all(h, in))
		return;
	log_error("cannot read what the former proxyd left, line %u: %s;"
		  " its processes finish by themselves",
		  r ? line : 0, r ? strerror(-r) : "a descriptor is not there");
	handover_fini(h);
	salvage(in);
}
