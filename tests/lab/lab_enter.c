/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_enter.c - a lab program goes into namespaces of its own.
 *
 * Four processes stand in a row: the one that was started, which may still
 * write the map of user ids; one in the new user namespace; the first of the
 * new pid namespace, which only reaps; and the one that runs the tests. Each
 * dies with the one before it, and with the third die all the rest.
 */
#include "tests/lab/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit status of the inner processes: namespaces are not to be had. */
enum { CANNOT = 111 };

static int
write_text(const char *path, const char *text)
{
	ssize_t n;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -EIO : 0;
}

/* Map user and group ids of `pid`: all of them, or only our own. */
static int
write_maps(pid_t pid)
{
	char path[64], uids[64], gids[64];
	int r;

	if (geteuid() == 0) {
		snprintf(uids, sizeof(uids), "0 0 65536");
		snprintf(gids, sizeof(gids), "0 0 65536");
	} else {
		snprintf(uids, sizeof(uids), "0 %u 1", geteuid());
		snprintf(gids, sizeof(gids), "0 %u 1", getegid());
		snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
		r = write_text(path, "deny");
		if (r < 0)
			return r;
	}
	snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
	r = write_text(path, uids);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
	return write_text(path, gids);
}

static int
wait_for(pid_t pid)
{
	int status;
	pid_t got;

	do
		got = wait(&status);
	while (got != pid && (got > 0 || errno == EINTR));
	if (got != pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
mount_own(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV, NULL) < 0 ||
	    mount("lab", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
		return -errno;
	return 0;
}

/* Sanitizers of all processes write beside each other, for lab_down(). */
static void
set_environment(void)
{
	char self[4096], path[3 * sizeof(self)];
	ssize_t n;
	int i;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[n < 0 ? 0 : n] = '\0';
	for (i = 0; i < 3 && strrchr(self, '/'); i++)
		*strrchr(self, '/') = '\0';
	snprintf(path, sizeof(path),
		 "%s/bin:%s/tests/lab:/usr/local/sbin:/usr/local/bin:"
		 "/usr/sbin:/usr/bin:/sbin:/bin",
		 self, self);
	setenv("PATH", path, 1);
	setenv("LC_ALL", "C", 1);
	setenv("ASAN_OPTIONS",
	       "detect_leaks=1:exitcode=99:log_path=" LAB_DIR "/sanitizer", 1);
	setenv("UBSAN_OPTIONS",
	       "print_stacktrace=1:log_path=" LAB_DIR "/sanitizer", 1);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("JOURNAL_STREAM");
}

/* The first process of the pid namespace. Does not return. */
static void
be_init(int argc, char **argv, const char *suite, const struct unit_test *tests,
	size_t n)
{
	pid_t pid;
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	r = mount_own();
	if (r < 0) {
		fprintf(stderr, "%s: mount: %s\n", suite, strerror(-r));
		_exit(CANNOT);
	}
	pid = fork();
	if (pid == 0) {
		/* workers whose master was killed come to us, not to init */
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		set_environment();
		exit(unit_main(argc, argv, suite, tests, n));
	}
	_exit(pid < 0 ? CANNOT : wait_for(pid));
}

/* Between the user namespace and the pid namespace. Does not return. */
static void
be_outer(int ready, int mapped, int argc, char **argv, const char *suite,
	 const struct unit_test *tests, size_t n)
{
	pid_t pid;
	char c = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID |
		    CLONE_NEWIPC) < 0) {
		fprintf(stderr, "%s: unshare: %s\n", suite, strerror(errno));
		_exit(CANNOT);
	}
	if (write(ready, &c, 1) != 1 || read(mapped, &c, 1) != 1)
		_exit(CANNOT);
	close(ready);
	close(mapped);
	pid = fork();
	if (pid == 0)
		be_init(argc, argv, suite, tests, n);
	_exit(pid < 0 ? CANNOT : wait_for(pid));
}

static int
skip_all(const char *suite, size_t n)
{
	bool fail = getenv("UNIT_NO_SKIP");

	printf("skipped: %s: no namespaces for us here\n", suite);
	printf("\n%s: 0 passed, %zu failed, %zu skipped\n", suite, fail ? n : 0,
	       fail ? 0 : n);
	return fail;
}

int
lab_main(int argc, char **argv, const char *suite,
	 const struct unit_test *tests, size_t n)
{
	int ready[2], mapped[2], r;
	pid_t pid;
	char c = 0;

	if (argc == 2 && !strcmp(argv[1], "-l"))
		return unit_main(argc, argv, suite, tests, n);
	fflush(NULL);
	if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(mapped, O_CLOEXEC) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		close(ready[0]);
		close(mapped[1]);
		be_outer(ready[1], mapped[0], argc, argv, suite, tests, n);
	}
	close(ready[1]);
	close(mapped[0]);
	if (read(ready[0], &c, 1) == 1) {
		r = write_maps(pid);
		if (r < 0)
			fprintf(stderr, "%s: map of user ids: %s\n", suite,
				strerror(-r));
		if (r < 0 || write(mapped[1], &c, 1) != 1)
			kill(pid, SIGKILL);
	}
	close(ready[0]);
	close(mapped[1]);
	r = wait_for(pid);
	return r == CANNOT || r == 128 + SIGKILL ? skip_all(suite, n) : r;
}

const char *
lab_user(void)
{
	unsigned long in, out, n = 0;
	FILE *f;

	f = fopen("/proc/self/uid_map", "re");
	if (f && fscanf(f, "%lu %lu %lu", &in, &out, &n) != 3)
		n = 0;
	if (f)
		fclose(f);
	return n > 65534 ? "nobody" : "root";
}
