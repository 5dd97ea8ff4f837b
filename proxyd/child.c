/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.c - fork(), waitpid() and a pipe, behind child.h. */
#include "proxyd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	YOUNG_MS = 2000, /* one that ends earlier waits before its successor */
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 5000,
};

void
child_init(struct child *c, const char *name)
{
	*c = (struct child){.name = name, .control_fd = -1};
}

pid_t
child_start(struct child *c, uint64_t now_ms, int *ret_fd)
{
	char name[16];
	int fds[2], r;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	if (pid == 0) {
		close(fds[1]);
		snprintf(name, sizeof(name), "proxyd-%s", c->name);
		prctl(PR_SET_NAME, name, 0L, 0L, 0L);
		*ret_fd = fds[0];
		return 0;
	}
	close(fds[0]);
	c->pid = pid;
	c->control_fd = fds[1];
	c->started_ms = now_ms;
	c->killed = false;
	return pid;
}

static void
back_off(struct child *c, uint64_t now_ms)
{
	if (now_ms - c->started_ms >= YOUNG_MS)
		c->backoff_ms = 0;
	c->retry_ms = now_ms + c->backoff_ms;
	c->backoff_ms = c->backoff_ms ? 2 * c->backoff_ms : BACKOFF_FIRST_MS;
	if (c->backoff_ms > BACKOFF_MAX_MS)
		c->backoff_ms = BACKOFF_MAX_MS;
}

bool
child_ended(struct child *c, uint64_t now_ms, int *ret_status)
{
	if (!c->pid || waitpid(c->pid, ret_status, WNOHANG) != c->pid)
		return false;
	c->pid = 0;
	child_let_go(c);
	back_off(c, now_ms);
	return true;
}

void
child_order(struct child *c, char order)
{
	/* if it is gone, SIGCHLD says so */
	if (c->control_fd >= 0 && write(c->control_fd, &order, 1) < 0)
		return;
}

void
child_let_go(struct child *c)
{
	if (c->control_fd >= 0)
		close(c->control_fd);
	c->control_fd = -1;
}

void
child_kill(struct child *c)
{
	if (c->pid)
		kill(c->pid, SIGKILL);
	c->killed = true;
}
