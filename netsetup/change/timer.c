/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forks twice, so that nobody waits for it; leaves the session; gives up all
 * descriptors. The one who starts it waits until it holds its lock: a change
 * that needs it never begins without it.
 */
#include "netsetup/change/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"

static const struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

/* Open the file and take its lock, for as long as this process lives. */
static int
hold_lock(const struct journal *j)
{
	struct flock lock = whole;
	char path[PATH_MAX];
	int fd, r;

	r = journal_file(j, "timer", path);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	return fcntl(fd, F_SETLK, &lock) < 0 ? -errno : 0;
}

/* Only `keep`, and nothing to read or write at the usual three. */
static int
let_go(int keep)
{
	int fd, i;

	if (dup2(keep, 3) < 0 || close_range(4, ~0U, 0) < 0)
		return -errno;
	fd = open("/dev/null", O_RDWR);
	if (fd < 0)
		return -errno;
	for (i = 0; i < 3; i++) {
		if (dup2(fd, i) < 0)
			return -errno;
	}
	if (fd > 3)
		close(fd);
	return chdir("/") < 0 ? -errno : 0;
}

static void
never_mind_hangups(void)
{
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
}

/* The timer itself, from beginning to end. */
static void
be_timer(const struct journal *parent, int ready, uint64_t deadline_ms,
	 int (*fire)(struct journal *j, uint64_t deadline_ms))
{
	struct journal j = *parent;
	sigset_t none;
	int r;

	j.lock_fd = -1; /* a child does not inherit it */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	never_mind_hangups();
	prctl(PR_SET_NAME, "netsetup-timer");
	r = let_go(ready);
	if (r == 0)
		r = hold_lock(&j);
	if (write(3, &r, sizeof(r)) != sizeof(r) || r < 0)
		_exit(1);
	close(3);
	while (clock_boot_ms() < deadline_ms)
		clock_sleep_until_boot(deadline_ms);
	_exit(fire(&j, deadline_ms));
}

/* The process between; its end tells only that it is gone. */
static int
fork_twice(const struct journal *j, int ready, uint64_t deadline_ms,
	   int (*fire)(struct journal *j, uint64_t deadline_ms))
{
	pid_t pid, child;

	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		setsid();
		child = fork();
		if (child == 0)
			be_timer(j, ready, deadline_ms, fire);
		_exit(child < 0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return 0;
}

int
timer_start(const struct journal *j, uint64_t deadline_ms,
	    int (*fire)(struct journal *j, uint64_t deadline_ms))
{
	int ready[2], r, answer = -ECHILD;

	timer_end(j);
	if (pipe2(ready, O_CLOEXEC) < 0)
		return -errno;
	r = fork_twice(j, ready[1], deadline_ms, fire);
	close(ready[1]);
	if (r == 0 && read(ready[0], &answer, sizeof(answer)) != sizeof(answer))
		answer = -ECHILD;
	close(ready[0]);
	return r < 0 ? r : answer;
}

/* Who holds the lock? Its process, 0 if that cannot be told; -1: nobody. */
static pid_t
holder(const struct journal *j)
{
	struct flock lock = whole;
	char path[PATH_MAX];
	pid_t pid = -1;
	int fd;

	if (journal_file(j, "timer", path) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? -1 : 0;
	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		pid = lock.l_pid > 0 ? lock.l_pid : 0;
	close(fd);
	return pid;
}

bool
timer_runs(const struct journal *j)
{
	return holder(j) >= 0;
}

/* The number may be another's by the time it is used: a pidfd is not. */
static void
terminate(const struct journal *j, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return;
	if (holder(j) == pid)
		syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
	close(fd);
}

void
timer_end(const struct journal *j)
{
	char path[PATH_MAX];
	pid_t pid = holder(j);

	if (pid > 0)
		terminate(j, pid);
	if (journal_file(j, "timer", path) == 0)
		unlink(path);
}
