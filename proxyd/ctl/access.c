/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * access.c - targets of access.h.
 *
 * Several processes may share a target. A file is opened for appending and
 * gets all there is in one write; a pipe gets whole lines of at most
 * PIPE_BUF bytes, which the kernel does not split, and only when it has room.
 */
#include "proxyd/ctl/access.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

enum { TEXT_MAX = 256 * 1024 };

static enum access_kind
kind_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || S_ISREG(st.st_mode))
		return ACCESS_FILE;
	return S_ISSOCK(st.st_mode) ? ACCESS_SOCKET : ACCESS_PIPE;
}

static int
open_target(const char *path, int *ret_fd)
{
	int fd;

	if (!path) {
		*ret_fd = STDERR_FILENO;
		return 0;
	}
	/* NONBLOCK: a FIFO without a reader is an error and does not wait */
	fd = open(path,
		  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
			  O_NONBLOCK,
		  0640);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static bool
same_target(const struct access_target *t, const char *path)
{
	if (!t->path || !path)
		return t->path == path;
	return !strcmp(t->path, path);
}

static int
add_target(struct access *a, const char *path, size_t *ret_index)
{
	struct access_target *t;
	size_t i;
	int r;

	for (i = 0; i < a->n; i++)
		if (same_target(&a->targets[i], path))
			break;
	*ret_index = i;
	if (i < a->n)
		return 0;
	t = &a->targets[a->n];
	r = open_target(path, &t->fd);
	if (r < 0)
		return r;
	t->path = path;
	t->kind = kind_of(t->fd);
	a->n++;
	return 0;
}

/* Who may not, and where: what strerror(3) leaves out. */
static void
explain(const struct policy_service *s, int error, struct str *why)
{
	str_addf(why, "service %s: cannot open %s: %s", s->name, s->log.path,
		 strerror(error));
	if (error == EACCES)
		str_addf(why, "; it is written by user %u, not by root",
			 (unsigned int)geteuid());
	if (error == EROFS)
		str_add(why, "; the unit interpose.service allows "
			     "/var/log/interpose");
}

int
access_open(struct access *a, const struct policy *p, struct str *why)
{
	size_t i, n = p->n_services;
	int r = 0;

	memset(a, 0, sizeof(*a));
	a->policy = p;
	a->targets = calloc(n + 1, sizeof(*a->targets));
	a->of_service = calloc(n + 1, sizeof(*a->of_service));
	if (!a->targets || !a->of_service)
		r = -ENOMEM;
	for (i = 0; i < n && r == 0; i++) {
		a->of_service[i] = SIZE_MAX;
		if (p->services[i].log.target == LOG_TARGET_NONE)
			continue;
		r = add_target(a, p->services[i].log.path, &a->of_service[i]);
		if (r < 0)
			explain(&p->services[i], -r, why);
	}
	if (r < 0)
		access_close(a);
	return r;
}

void
access_close(struct access *a)
{
	size_t i;

	access_flush(a);
	for (i = 0; i < a->n; i++) {
		if (a->targets[i].path)
			close(a->targets[i].fd);
		str_fini(&a->targets[i].text);
	}
	free(a->targets);
	free(a->of_service);
	memset(a, 0, sizeof(*a));
}

static struct access_target *
target_of(const struct access *a, const struct policy_service *s)
{
	size_t i = a->of_service[s - a->policy->services];

	return i == SIZE_MAX ? NULL : &a->targets[i];
}

bool
access_wanted(const struct access *a, const struct policy_service *s)
{
	return target_of(a, s) != NULL;
}

void
access_write(struct access *a, const struct policy_service *s,
	     const struct record *r)
{
	struct access_target *t = target_of(a, s);

	if (!t)
		return;
	if (t->text.len > TEXT_MAX) {
		t->lost++;
		return;
	}
	record_format(r, s->log.format, &t->text);
}

/* --- writing -------------------------------------------------------------- */

/* How much of the text may go in one call: whole lines if there is room. */
static size_t
portion(const struct access_target *t)
{
	const char *end;

	if (t->kind == ACCESS_FILE || t->text.len <= PIPE_BUF)
		return t->text.len;
	end = memrchr(t->text.data, '\n', PIPE_BUF);
	return end ? (size_t)(end - t->text.data) + 1 : PIPE_BUF;
}

static bool
has_room(const struct access_target *t)
{
	struct pollfd fd = {.fd = t->fd, .events = POLLOUT};

	if (t->kind != ACCESS_PIPE)
		return true;
	return poll(&fd, 1, 0) == 1 && fd.revents & POLLOUT;
}

static ssize_t
write_some(const struct access_target *t)
{
	size_t len = portion(t);

	if (t->kind == ACCESS_SOCKET)
		return send(t->fd, t->text.data, len,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(t->fd, t->text.data, len);
}

static void
consume(struct str *s, size_t n)
{
	memmove(s->data, s->data + n, s->len - n + 1);
	s->len -= n;
}

static void
say_lost(struct access_target *t)
{
	if (!t->lost)
		return;
	log_warn("%" PRIu64 " access records were lost", t->lost);
	t->lost = 0;
}

/* Disk full, reader gone: there is no later. */
static void
lose(struct access_target *t)
{
	uint64_t held;
	size_t i;

	for (i = 0; i < t->text.len; i++)
		t->lost += t->text.data[i] == '\n';
	str_clear(&t->text);
	/* counted in `lost`, whatever is held */
	if (limiter_pass(&t->said, clock_now_ms(), &held))
		say_lost(t);
}

static void
flush_target(struct access_target *t)
{
	ssize_t n;

	while (t->text.len && has_room(t)) {
		n = write_some(t);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			lose(t);
			return;
		}
		consume(&t->text, (size_t)n);
		say_lost(t);
	}
}

void
access_flush(struct access *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		flush_target(&a->targets[i]);
}

void
access_reopen(struct access *a)
{
	struct access_target *t;
	size_t i;
	int fd = -1, r;

	access_flush(a);
	for (i = 0; i < a->n; i++) {
		t = &a->targets[i];
		if (!t->path)
			continue;
		r = open_target(t->path, &fd);
		if (r < 0) {
			log_error("cannot reopen %s: %s", t->path,
				  strerror(-r));
			continue;
		}
		close(t->fd);
		t->fd = fd;
		t->kind = kind_of(fd);
	}
}

/* --- for who may open no files -------------------------------------------- */

bool
access_give(const struct access *a, struct access_gift *gift,
	    int fds[ACCESS_GIFT])
{
	const struct access_target *t;

	gift->first += gift->n;
	for (gift->n = 0; gift->n < ACCESS_GIFT; gift->n++) {
		if (gift->first + gift->n >= a->n)
			break;
		t = &a->targets[gift->first + gift->n];
		gift->kinds[gift->n] = t->kind;
		fds[gift->n] = t->fd;
	}
	return gift->n > 0;
}

bool
access_take(struct access *a, const struct access_gift *gift, const int *fds,
	    size_t n)
{
	struct access_target *t;
	size_t i;

	if (n != gift->n || n > ACCESS_GIFT || gift->first > a->n ||
	    n > a->n - gift->first)
		return false;
	access_flush(a);
	for (i = 0; i < n; i++) {
		t = &a->targets[gift->first + i];
		/* standard error stays where it is */
		close(t->path ? t->fd : fds[i]);
		if (!t->path)
			continue;
		t->fd = fds[i];
		t->kind = (enum access_kind)gift->kinds[i];
	}
	return true;
}
