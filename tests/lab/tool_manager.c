/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tool_manager.c - as much of a service manager as a descriptor store needs.
 *
 *	tool_manager SOCKET UPSTREAM PROGRAM [ARGUMENT...]
 *
 * Starts PROGRAM with NOTIFY_SOCKET=SOCKET, keeps the descriptors that it
 * sends there and passes all messages on to UPSTREAM. When PROGRAM fails or
 * is killed, all of its processes are killed, as in a cgroup, and it is
 * started again with what was kept. When it ends well, so does the manager:
 * nothing is kept for a service that was stopped. SIGTERM and SIGINT go to
 * PROGRAM; its pid and what becomes of descriptors is printed. Source:
 * sd_notify(3), sd_listen_fds(3), systemd.service(5), FileDescriptorStoreMax.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	KEPT_MAX = 256,
	NAME_LEN = 256,
	MESSAGE_FDS = 253,
	FIRST_FD = 3,
	RESTART_MS = 100, /* RestartSec= */
};

struct kept {
	int fd;
	char name[NAME_LEN];
};

struct manager {
	const char *upstream;
	char **command;
	int notify_fd;
	int signal_fd;
	pid_t pid;
	struct kept kept[KEPT_MAX];
	size_t n;
};

static void
die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static struct sockaddr_un
address(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	return sa;
}

/* --- the store ------------------------------------------------------------ */

/* systemd asks kcmp(2) whether it has a file already; sockets have this. */
static unsigned long long
cookie(int fd)
{
	unsigned long long c = 0;
	socklen_t len = sizeof(c);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &c, &len);
	return c;
}

static void
keep(struct manager *m, int fd, const char *name)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (cookie(m->kept[i].fd) == cookie(fd))
			break;
	if (i < m->n || m->n == KEPT_MAX) {
		close(fd);
		return;
	}
	m->kept[m->n].fd = fd;
	snprintf(m->kept[m->n].name, NAME_LEN, "%s", name);
	m->n++;
	printf("keeps %s\n", name);
}

static void
forget(struct manager *m, const char *name)
{
	size_t i, left = 0;

	for (i = 0; i < m->n; i++) {
		if (strcmp(m->kept[i].name, name)) {
			m->kept[left++] = m->kept[i];
			continue;
		}
		close(m->kept[i].fd);
		printf("forgets %s\n", name);
	}
	m->n = left;
}

/* The value of a line "KEY=..." of the message; "": it has none. */
static const char *
value_of(const char *message, const char *key, char buf[NAME_LEN])
{
	const char *at = message;
	size_t len = strlen(key), n;

	buf[0] = '\0';
	while (at && strncmp(at, key, len)) {
		at = strchr(at, '\n');
		at += at != NULL;
	}
	if (!at)
		return buf;
	n = strcspn(at + len, "\n");
	snprintf(buf, NAME_LEN, "%.*s", (int)n, at + len);
	return buf;
}

static void
act(struct manager *m, const char *message, const int *fds, size_t n)
{
	char name[NAME_LEN], set[NAME_LEN];
	size_t i;

	value_of(message, "FDNAME=", name);
	for (i = 0; i < n; i++) {
		if (*value_of(message, "FDSTORE=", set))
			keep(m, fds[i], name);
		else
			close(fds[i]);
	}
	if (*value_of(message, "FDSTOREREMOVE=", set))
		forget(m, name);
}

static void
receive(struct manager *m)
{
	_Alignas(struct cmsghdr) char
		control[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
	struct sockaddr_un up = address(m->upstream);
	int fds[MESSAGE_FDS];
	char text[4096];
	struct iovec iov = {text, sizeof(text) - 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c;
	size_t n_fds = 0;
	ssize_t n;

	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);
	n = recvmsg(m->notify_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return;
	text[n] = '\0';
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_type == SCM_RIGHTS) {
		n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), n_fds * sizeof(int));
	}
	act(m, text, fds, n_fds);
	(void)sendto(m->notify_fd, text, (size_t)n, MSG_DONTWAIT,
		     (struct sockaddr *)&up, sizeof(up));
}

/* --- the program ---------------------------------------------------------- */

/*
 * What is kept goes to 3 and on. All of it lies above that already, because
 * the manager opened descriptors of its own before.
 */
static void
pass_fds(struct manager *m)
{
	char text[32], names[KEPT_MAX * 64] = "";
	size_t i, len = 0;

	for (i = 0; i < m->n; i++)
		m->kept[i].fd =
			fcntl(m->kept[i].fd, F_DUPFD, FIRST_FD + KEPT_MAX);
	for (i = 0; i < m->n; i++) {
		dup2(m->kept[i].fd, FIRST_FD + (int)i);
		close(m->kept[i].fd);
		len += (size_t)snprintf(names + len, sizeof(names) - len,
					"%s%.60s", i ? ":" : "",
					m->kept[i].name);
	}
	snprintf(text, sizeof(text), "%d", getpid());
	setenv("LISTEN_PID", text, 1);
	snprintf(text, sizeof(text), "%zu", m->n);
	setenv("LISTEN_FDS", text, 1);
	setenv("LISTEN_FDNAMES", names, 1);
}

static void
start(struct manager *m)
{
	sigset_t none;

	fflush(stdout);
	m->pid = fork();
	if (m->pid < 0)
		die("fork");
	if (m->pid > 0) {
		printf("started %d with %zu\n", m->pid, m->n);
		fflush(stdout);
		return;
	}
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (m->n)
		pass_fds(m);
	execvp(m->command[0], m->command);
	die(m->command[0]);
}

/* Its end: with all of its processes, and again unless it was meant. */
static void
reap(struct manager *m)
{
	int status;

	if (waitpid(m->pid, &status, WNOHANG) != m->pid)
		return;
	/* what it said last may still be there */
	while (poll(&(struct pollfd){m->notify_fd, POLLIN, 0}, 1, 0) > 0)
		receive(m);
	kill(-m->pid, SIGKILL);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		exit(EXIT_SUCCESS);
	printf("ended with %x, %zu are kept\n", (unsigned int)status, m->n);
	poll(NULL, 0, RESTART_MS);
	start(m);
}

static void
on_signal(struct manager *m)
{
	struct signalfd_siginfo info;

	if (read(m->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCHLD)
		reap(m);
	else
		kill(m->pid, (int)info.ssi_signo);
}

static void
init(struct manager *m, char **argv)
{
	struct sockaddr_un sa = address(argv[1]);
	sigset_t set;

	setvbuf(stdout, NULL, _IOLBF, 0);
	m->upstream = argv[2];
	m->command = argv + 3;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	m->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	unlink(argv[1]);
	m->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (m->signal_fd < 0 || m->notify_fd < 0 ||
	    bind(m->notify_fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
	    chmod(argv[1], 0777) < 0)
		die(argv[1]);
	setenv("NOTIFY_SOCKET", argv[1], 1);
}

int
main(int argc, char **argv)
{
	struct manager *m = calloc(1, sizeof(*m));
	struct pollfd p[2];

	if (!m || argc < 4) {
		fputs("usage: tool_manager SOCKET UPSTREAM PROGRAM...\n",
		      stderr);
		return 64;
	}
	init(m, argv);
	start(m);
	for (;;) {
		p[0] = (struct pollfd){m->notify_fd, POLLIN, 0};
		p[1] = (struct pollfd){m->signal_fd, POLLIN, 0};
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (p[0].revents)
			receive(m);
		if (p[1].revents)
			on_signal(m);
	}
}
