/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.c - fork(), waitpid() and a talk, behind child.h. */
#include "proxyd/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"

#include "proxyd/base/sandbox.h"
#include "proxyd/base/talk.h"

enum {
	YOUNG_MS = 2000, /* one that ends earlier waits before its successor */
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MAX_MS = 5000,
};

void
child_init(struct child *c, const char *name)
{
	*c = (struct child){.name = name, .talk_fd = -1};
}

pid_t
child_start(struct child *c, uint64_t now_ms, int *ret_fd)
{
	char name[16];
	int ends[2], r;
	pid_t pid;

	r = talk_pair(ends);
	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(ends[0]);
		close(ends[1]);
		return r;
	}
	if (pid == 0) {
		close(ends[1]);
		snprintf(name, sizeof(name), "proxyd-%s", c->name);
		prctl(PR_SET_NAME, name, 0L, 0L, 0L);
		*ret_fd = ends[0];
		return 0;
	}
	close(ends[0]);
	c->pid = pid;
	c->talk_fd = ends[1];
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
child_tell(struct child *c, const void *order, size_t len, const int *fds,
	   size_t n_fds)
{
	int r;

	if (c->talk_fd < 0)
		return;
	r = talk_send(c->talk_fd, order, len, fds, n_fds);
	/* if it is gone, SIGCHLD says so */
	if (r < 0 && r != -EPIPE)
		child_kill(c);
}

void
child_let_go(struct child *c)
{
	if (c->talk_fd >= 0)
		close(c->talk_fd);
	c->talk_fd = -1;
}

void
child_kill(struct child *c)
{
	if (c->pid)
		kill(c->pid, SIGKILL);
	c->killed = true;
}

static const char *
why_killed(const struct child *c, int sig)
{
	if (c->killed)
		return ", because it hung";
	if (sig == SIGSYS)
		return ": it asked the kernel for what only an intruder wants; "
		       "see PROCESSES AND CAPABILITIES in proxyd(8)";
	return "";
}

void
child_say_ended(const struct child *c, int status)
{
	if (WIFSIGNALED(status))
		log_error("the %s was killed by signal %d%s", c->name,
			  WTERMSIG(status), why_killed(c, WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		log_error("the %s failed with status %d", c->name,
			  WEXITSTATUS(status));
	else
		log_info("the %s ended", c->name);
}

int
child_limit(enum priv_role role, const char *name)
{
	int r;

	r = priv_limit(role);
	if (r < 0) {
		log_error("the %s cannot give up its capabilities: %s", name,
			  strerror(-r));
		return r;
	}
	r = sandbox_enter(role);
	/* the master has said so */
	if (r == -ENOSYS)
		return 0;
	if (r < 0)
		log_error("the %s cannot filter its system calls: %s", name,
			  strerror(-r));
	return r;
}
