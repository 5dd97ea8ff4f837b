/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lab_proc.c - commands, background processes and files of the lab.
 *
 * A command runs under sh in one namespace. Nobody keeps a list of
 * processes: lab_down() ends every one of the lab's pid namespace.
 */
#include "tests/lab/lab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: become `sh -c command` in the namespace. */
static void
become(struct lab *lab, enum lab_where where, const char *command, int out)
{
	int null;

	if (lab->ns[where] < 0 || setns(lab->ns[where], CLONE_NEWNET) < 0)
		_exit(126);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static int
exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
run_command(struct lab *lab, enum lab_where where, struct str *out,
	    const char *command)
{
	int pipe_fd[2], status;
	char buf[4096];
	ssize_t n;
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		lab_die("pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		lab_die("fork: %s", strerror(errno));
	if (pid == 0) {
		alarm(60);
		become(lab, where, command, pipe_fd[1]);
	}
	close(pipe_fd[1]);
	while ((n = read(pipe_fd[0], buf, sizeof(buf))) > 0)
		if (out)
			str_add_bytes(out, buf, (size_t)n);
	close(pipe_fd[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			lab_die("wait: %s", strerror(errno));
	return exit_code(status);
}

int
lab_run(struct lab *lab, enum lab_where where, struct str *out, const char *fmt,
	...)
{
	struct str command = {0};
	va_list ap;
	int r;

	va_start(ap, fmt);
	str_vaddf(&command, fmt, ap);
	va_end(ap);
	r = run_command(lab, where, out, str_text(&command));
	str_fini(&command);
	return r;
}

void
lab_must(struct lab *lab, enum lab_where where, const char *fmt, ...)
{
	struct str command = {0}, out = {0};
	va_list ap;
	int r;

	va_start(ap, fmt);
	str_vaddf(&command, fmt, ap);
	va_end(ap);
	r = run_command(lab, where, &out, str_text(&command));
	if (r)
		lab_die("'%s' returned %d: %s", str_text(&command), r,
			str_text(&out));
	str_fini(&command);
	str_fini(&out);
}

void
lab_nft(struct lab *lab, enum lab_where where, const char *text)
{
	lab_must(lab, where, "nft -f - <<'END'\n%s\nEND\n", text);
}

pid_t
lab_spawn(struct lab *lab, enum lab_where where, const char *name,
	  const char *fmt, ...)
{
	struct str command = {0};
	char path[256];
	va_list ap;
	pid_t pid;
	int fd;

	snprintf(path, sizeof(path), LAB_DIR "/%s.log", name);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		lab_die("%s: %s", path, strerror(errno));
	str_add(&command, "exec ");
	va_start(ap, fmt);
	str_vaddf(&command, fmt, ap);
	va_end(ap);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		lab_die("fork: %s", strerror(errno));
	if (pid == 0)
		become(lab, where, str_text(&command), fd);
	close(fd);
	str_fini(&command);
	return pid;
}

int
lab_stop(struct lab *lab, pid_t pid, int sig, unsigned int ms)
{
	uint64_t end = clock_now_ms() + ms;
	int status;
	pid_t got;

	(void)lab;
	if (sig && kill(pid, sig) < 0)
		return -errno;
	while ((got = waitpid(pid, &status, WNOHANG)) == 0) {
		if (clock_now_ms() >= end)
			return -ETIMEDOUT;
		lab_sleep(2);
	}
	return got < 0 ? -errno : exit_code(status);
}

/*
 * From /proc/PID/stat "1234 (na me) S 1 ...": name, state, parent. False if
 * there is no such process.
 */
static bool
read_stat(pid_t pid, char name[64], char *ret_state, pid_t *ret_parent)
{
	char path[64], line[512];
	size_t n = 0;
	char *open_at, *close_at;
	int parent;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f) {
		n = fread(line, 1, sizeof(line) - 1, f);
		fclose(f);
	}
	line[n] = '\0';
	open_at = strchr(line, '(');
	close_at = strrchr(line, ')');
	if (!open_at || !close_at)
		return false;
	*close_at = '\0';
	if (sscanf(close_at + 1, " %c %d", ret_state, &parent) != 2)
		return false;
	*ret_parent = parent;
	snprintf(name, 64, "%s", open_at + 1);
	return true;
}

bool
lab_alive(pid_t pid)
{
	pid_t parent;
	char name[64], state;

	return read_stat(pid, name, &state, &parent) && state != 'Z' &&
	       state != 'X';
}

unsigned long
lab_ticks(pid_t pid)
{
	unsigned long user = 0, system = 0;
	struct str text = {0};
	const char *at;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	lab_read_file(path, &text);
	at = strrchr(str_text(&text), ')');
	if (at)
		sscanf(at,
		       ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
		       "%lu %lu",
		       &user, &system);
	str_fini(&text);
	return user + system;
}

size_t
lab_children(pid_t pid, const char *name, pid_t *ret_pids, size_t max)
{
	struct dirent *e;
	char found[64], state;
	pid_t child, parent;
	size_t n = 0;
	DIR *d;

	d = opendir("/proc");
	if (!d)
		lab_die("/proc: %s", strerror(errno));
	while (n < max && (e = readdir(d))) {
		child = atoi(e->d_name);
		if (child <= 0 || !read_stat(child, found, &state, &parent))
			continue;
		if (parent != pid || state == 'Z')
			continue;
		if (!name || strstr(found, name))
			ret_pids[n++] = child;
	}
	closedir(d);
	return n;
}

void
lab_read_file(const char *path, struct str *out)
{
	char buf[4096];
	size_t n;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_add_bytes(out, buf, n);
	fclose(f);
}

void
lab_write_file(const char *path, const char *text)
{
	FILE *f;

	f = fopen(path, "we");
	if (!f || fputs(text, f) < 0 || fclose(f))
		lab_die("%s: %s", path, strerror(errno));
}

size_t
lab_log_count(const char *name, const char *text)
{
	struct str s = {0};
	char path[256];
	const char *at;
	size_t n = 0;

	snprintf(path, sizeof(path), LAB_DIR "/%s.log", name);
	lab_read_file(path, &s);
	for (at = str_text(&s); (at = strstr(at, text)); at++)
		n++;
	str_fini(&s);
	return n;
}

bool
lab_logged(const char *name, const char *text)
{
	return lab_log_count(name, text) > 0;
}

struct lab_descriptors
lab_descriptors(pid_t pid)
{
	struct lab_descriptors d = {0};
	char path[64], target[64];
	struct dirent *e;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		len = readlinkat(dirfd(dir), e->d_name, target, sizeof(target));
		d.pipes += len > 5 && !memcmp(target, "pipe:", 5);
		d.n++;
	}
	if (dir)
		closedir(dir);
	return d;
}
