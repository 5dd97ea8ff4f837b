/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pipes.c - opens the pipes of pipes.h.
 *
 * The kernel counts the pages of all pipes of a user, and beyond
 * /proc/sys/fs/pipe-user-pages-soft (64 MB) an unprivileged one gets pipes of
 * two pages, which are slower than copying. Such a pipe is not used.
 */
#include "proxyd/stream/pipes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proxyd/base/fds.h"

void
pipes_init(struct pipes *ps)
{
	struct rlimit limit;

	memset(ps, 0, sizeof(*ps));
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		ps->max = fds_pipes(limit.rlim_cur);
}

static void
pipe_free(struct pipes *ps, struct pipe *p)
{
	close(p->in);
	close(p->out);
	free(p);
	ps->n--;
}

void
pipes_fini(struct pipes *ps)
{
	struct pipe *p;

	while ((p = ps->spare)) {
		ps->spare = p->next;
		ps->n_spare--;
		pipe_free(ps, p);
	}
}

/* How many bytes the kernel lets it hold, at best PIPE_SIZE. */
static int
grow(int fd)
{
	int size;

	size = fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
	return size < 0 ? fcntl(fd, F_GETPIPE_SZ) : size;
}

static struct pipe *
pipe_new(struct pipes *ps)
{
	struct pipe *p;
	int fds[2];

	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0) {
		free(p);
		return NULL;
	}
	p->out = fds[0];
	p->in = fds[1];
	ps->n++;
	if (grow(p->in) >= PIPE_SIZE_LEAST)
		return p;
	pipe_free(ps, p);
	return NULL;
}

struct pipe *
pipes_get(struct pipes *ps)
{
	struct pipe *p = ps->spare;

	if (!p)
		return ps->n < ps->max ? pipe_new(ps) : NULL;
	ps->spare = p->next;
	ps->n_spare--;
	return p;
}

void
pipes_put(struct pipes *ps, struct pipe *p)
{
	if (p->held || ps->n_spare == PIPES_SPARE) {
		pipe_free(ps, p);
		return;
	}
	p->next = ps->spare;
	ps->spare = p;
	ps->n_spare++;
}

size_t
pipe_take(struct pipe *p, void *buf, size_t size)
{
	ssize_t n;

	n = read(p->out, buf, size);
	if (n <= 0)
		return 0;
	p->held -= (uint32_t)n;
	return (size_t)n;
}
