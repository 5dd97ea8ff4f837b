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

/*
 * Call visit(fd, arg) for all descriptors that are named. 0 or what it
 * returned first that is not 0.
 */
static int
each_fd(const struct handover *h, int (*visit)(int fd, void *arg), void *arg)
{
	const struct handover_child *c;
	size_t i;
	int r = 0;

	if (h->shm_fd >= 0)
		r = visit(h->shm_fd, arg);
	if (r == 0 && h->limits_fd >= 0)
		r = visit(h->limits_fd, arg);
	for (i = 0; i < h->n_crews && r == 0; i++) {
		r = visit(h->crews[i].policy_fd, arg);
		if (r == 0)
			r = visit(h->crews[i].tally_fd, arg);
	}
	for (i = 0; i < h->n_children && r == 0; i++) {
		c = &h->children[i];
		if (c->pid)
			r = visit(c->talk_fd, arg);
		if (r == 0 && !c->is_tracker)
			r = visit(c->pair_fds[0], arg);
		if (r == 0 && !c->is_tracker)
			r = visit(c->pair_fds[1], arg);
	}
	for (i = 0; i < h->n_sockets && r == 0; i++)
		r = visit(h->sockets[i], arg);
	return r;
}

static int
set_flags(int fd, void *flags)
{
	return fcntl(fd, F_SETFD, *(int *)flags) < 0 ? -errno : 0;
}

/* Do they stay open when a program is executed? */
static int
keep_fds(const struct handover *h, bool keep)
{
	int flags = keep ? 0 : FD_CLOEXEC;

	return each_fd(h, set_flags, &flags);
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

/* Does `ls` have it? */
static bool
is_taken(const struct listeners *ls, int fd)
{
	const struct sockets *s;
	uint32_t k;
	size_t i;

	for (i = 0; i < ls->n; i++) {
		s = ls->list[i].sockets;
		for (k = 0; k < s->n; k++)
			if (s->fds[k] == fd)
				return true;
	}
	return false;
}

/*
 * Nobody knows any more what is what: sockets tell by themselves, and the
 * end of everything else is understood by whoever had the other end.
 */
static void
salvage(struct listeners *ls)
{
	struct rlimit limit;
	int fd, end = FDS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FDS_MAX)
		end = (int)limit.rlim_cur;
	for (fd = STDERR_FILENO + 1; fd < end; fd++)
		if (!is_taken(ls, fd) && inherited_add(ls, fd) < 0)
			close(fd);
}

/* Is it open at all? From now on close-on-exec. */
static int
claim(int fd, void *unused)
{
	int flags = FD_CLOEXEC;

	(void)unused;
	return fd > STDERR_FILENO ? set_flags(fd, &flags) : -EBADF;
}

static bool
take_sockets(const struct handover *h, struct listeners *ls)
{
	size_t i;

	for (i = 0; i < h->n_sockets; i++)
		if (inherited_add(ls, h->sockets[i]) < 0)
			return false;
	return true;
}

void
baton_take(struct handover *h, struct listeners *ls)
{
	unsigned int line;
	int fd, r;

	handover_init(h);
	fd = find_memfd();
	if (fd < 0)
		return;
	r = read_memfd(fd, h, &line);
	if (r == 0)
		close(fd);
	if (r == 0 && each_fd(h, claim, NULL) == 0 && take_sockets(h, ls))
		return;
	log_error("cannot read what the former proxyd left, line %u: %s;"
		  " its processes finish by themselves",
		  r ? line : 0, r ? strerror(-r) : "a descriptor is not there");
	handover_fini(h);
	salvage(ls);
}
