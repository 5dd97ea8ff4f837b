/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * local.c - sockets of local.h.
 *
 * Whoever was killed leaves a name at which nobody listens: connecting to it
 * is refused, and that is how it is told from one that is in use.
 */
#include "proxyd/ctl/local.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/policy.h"

enum { BACKLOG = 32 };

/* A directory for everybody to look into. */
static int
make_directory(const char *path, uid_t uid, gid_t gid)
{
	if (mkdir(path, 0755) < 0)
		return errno == EEXIST ? 0 : -errno;
	/* whatever the umask is */
	if (chmod(path, 0755) < 0 || chown(path, uid, gid) < 0)
		return -errno;
	return 0;
}

int
local_prepare(const char *user)
{
	char path[] = POLICY_CONTROL_PATH, buf[4096];
	struct passwd pw, *found;
	int r;

	r = getpwnam_r(user, &pw, buf, sizeof(buf), &found);
	if (!found)
		return r ? -r : -ENOENT;
	*strrchr(path, '/') = '\0';
	*strrchr(path, '/') = '\0';
	r = make_directory(path, 0, 0);
	path[strlen(path)] = '/';
	if (r == 0)
		r = make_directory(path, pw.pw_uid, pw.pw_gid);
	return r;
}

static int
address_of(const char *path, struct sockaddr_un *ret_sa)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	strcpy(sa.sun_path, path);
	*ret_sa = sa;
	return 0;
}

/*
 * May the name be used again? 0: it was a socket that nobody listens at, and
 * is gone now; -EADDRINUSE: somebody listens; -EEXIST: no socket.
 */
static int
take_over(const struct sockaddr_un *sa)
{
	struct stat st;
	int fd, r;

	if (lstat(sa->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)sa, sizeof(*sa));
	r = r == 0 || errno != ECONNREFUSED ? -EADDRINUSE : 0;
	close(fd);
	if (r == 0 && unlink(sa->sun_path) < 0)
		r = -errno;
	return r;
}

/* Users of the group may connect, and others may not. */
static int
bind_to(int fd, const struct sockaddr_un *sa)
{
	mode_t before = umask(0117);
	int r;

	r = bind(fd, (const struct sockaddr *)sa, sizeof(*sa));
	r = r < 0 ? -errno : 0;
	umask(before);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	return r;
}

int
local_listen(const char *path, int *ret_fd)
{
	struct sockaddr_un sa;
	int fd, r;

	r = address_of(path, &sa);
	if (r == 0)
		r = take_over(&sa);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = bind_to(fd, &sa);
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

void
local_explain(const char *path, int error, struct str *why)
{
	if (error == -EADDRINUSE)
		str_addf(why,
			 "another one listens at %s; `-c SOCKET` gives each"
			 " its own",
			 path);
	else if (error == -EEXIST)
		str_addf(why, "%s is not a socket", path);
	else
		str_addf(why, "cannot listen at %s: %s", path,
			 strerror(-error));
}

int
local_connect(const char *path, unsigned int ms, int *ret_fd)
{
	struct timeval wait = {ms / 1000, ms % 1000 * 1000L};
	struct sockaddr_un sa;
	int fd, r;

	r = address_of(path, &sa);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
	    connect(fd, (const struct sockaddr *)&sa, sizeof(sa))) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}
