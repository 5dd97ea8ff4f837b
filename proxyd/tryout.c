/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tryout.c - a process and a pipe, behind tryout.h. */
#include "proxyd/tryout.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* `argv` with -n behind the name. NULL: no memory. */
static char **
make_arguments(char *const *argv)
{
	size_t n = 0;
	char **copy;

	while (argv[n])
		n++;
	copy = calloc(n + 2, sizeof(*copy));
	if (!copy || n == 0)
		return copy;
	copy[0] = argv[0];
	copy[1] = (char *)(uintptr_t) "-n";
	memcpy(copy + 2, argv + 1, (n - 1) * sizeof(*copy));
	return copy;
}

/* What we block and ignore, it does not. */
static int
set_signals(posix_spawnattr_t *attr)
{
	sigset_t none, plain;
	int r;

	sigemptyset(&none);
	sigemptyset(&plain);
	sigaddset(&plain, SIGPIPE);
	sigaddset(&plain, SIGXFSZ);
	r = posix_spawnattr_setsigmask(attr, &none);
	if (r == 0)
		r = posix_spawnattr_setsigdefault(attr, &plain);
	if (r == 0)
		r = posix_spawnattr_setflags(
			attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return r;
}

/* 0 or a positive errno, as posix_spawn(3). */
static int
spawn(const char *path, char **argv, int out, pid_t *ret_pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int r;

	r = posix_spawnattr_init(&attr);
	if (r)
		return r;
	r = posix_spawn_file_actions_init(&files);
	if (r == 0) {
		r = posix_spawn_file_actions_adddup2(&files, out, 1);
		if (r == 0)
			r = posix_spawn_file_actions_adddup2(&files, out, 2);
		if (r == 0)
			r = set_signals(&attr);
		if (r == 0)
			r = posix_spawn(ret_pid, path, &files, &attr, argv,
					environ);
		posix_spawn_file_actions_destroy(&files);
	}
	posix_spawnattr_destroy(&attr);
	return r;
}

/* Take what it said. False: nothing more will come. */
static bool
listen_to(struct tryout *t)
{
	char buf[512];
	size_t room;
	ssize_t n;

	while ((n = read(t->fd, buf, sizeof(buf))) > 0) {
		room = TRYOUT_SAID_MAX - t->said.len;
		str_add_bytes(&t->said, buf,
			      (size_t)n < room ? (size_t)n : room);
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void
on_output(void *owner, uint32_t events)
{
	struct tryout *t = owner;

	(void)events;
	if (!listen_to(t))
		loop_remove(t->loop, &t->source);
}

static void
on_deadline(void *owner)
{
	struct tryout *t = owner;

	kill(t->pid, SIGKILL);
}

int
tryout_start(struct tryout *t, struct loop *loop, const char *path,
	     char *const *argv)
{
	char **args;
	int fds[2], r;

	if (t->pid)
		return -EBUSY;
	args = make_arguments(argv);
	if (!args)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		r = -errno;
		free(args);
		return r;
	}
	r = -spawn(path, args, fds[1], &t->pid);
	free(args);
	close(fds[1]);
	if (r < 0) {
		t->pid = 0;
		close(fds[0]);
		return r;
	}
	t->loop = loop;
	t->fd = fds[0];
	str_clear(&t->said);
	timer_init(&t->deadline, on_deadline, t);
	timer_set(&loop->timers, &t->deadline, loop->now_ms + TRYOUT_MS);
	/* if it cannot be waited for, it is read at the end */
	(void)loop_add(loop, &t->source, t->fd, EPOLLIN, on_output, t);
	return 0;
}

static void
forget(struct tryout *t)
{
	timer_clear(&t->loop->timers, &t->deadline);
	loop_remove(t->loop, &t->source);
	close(t->fd);
	t->pid = 0;
}

bool
tryout_ended(struct tryout *t, bool *ret_good)
{
	int status;

	if (!t->pid || waitpid(t->pid, &status, WNOHANG) != t->pid)
		return false;
	listen_to(t);
	forget(t);
	*ret_good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return true;
}

void
tryout_leave(struct tryout *t)
{
	if (t->pid)
		close(t->fd);
	t->pid = 0;
	str_fini(&t->said);
}

void
tryout_fini(struct tryout *t)
{
	if (t->pid) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, NULL, 0);
		forget(t);
	}
	str_fini(&t->said);
}
