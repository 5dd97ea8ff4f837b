/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket's name is the same in every network namespace, so who listens
 * there may be a proxyd of another one: its process is looked at first. No
 * call waits but poll(2), and that has a deadline, so that a proxyd that is
 * stopped holds nobody up.
 */
#include "netsetup/kernel/daemon.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/str.h"
#include "policy/policy.h"

enum {
	WAIT_MS = 500,
	ANSWER_MAX = 1024 * 1024, /* with 1024 workers it is a tenth of that */
};

static int
dial(void)
{
	struct sockaddr_un sa = {
		.sun_family = AF_UNIX,
		.sun_path = POLICY_CONTROL_PATH,
	};
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	close(fd);
	return -ENOENT;
}

/* Does it run where we do? Not if that cannot be seen. */
static bool
is_ours(int fd)
{
	socklen_t len = sizeof(struct ucred);
	struct stat ours, theirs;
	struct ucred peer;
	char path[64];

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)peer.pid);
	return stat(path, &theirs) == 0 &&
	       stat("/proc/self/ns/net", &ours) == 0 &&
	       theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* Until its end, or the deadline. Is it all? */
static bool
receive(int fd, struct str *doc)
{
	uint64_t now_ms, end_ms = clock_now_ms() + WAIT_MS;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char buf[16384];
	ssize_t n = -1;

	while (doc->len < ANSWER_MAX && (now_ms = clock_now_ms()) < end_ms) {
		if (poll(&p, 1, (int)(end_ms - now_ms)) <= 0)
			continue;
		n = recv(fd, buf, sizeof(buf), 0);
		if (n > 0)
			str_add_bytes(doc, buf, (size_t)n);
		else if (n == 0 || errno != EAGAIN)
			break;
	}
	return n == 0;
}

/* In these states it serves what it says, and goes on to. */
static bool
is_settled(const char *state)
{
	return state &&
	       (!strcmp(state, "serving") || !strcmp(state, "starting"));
}

static int
read_answer(const struct str *doc, struct arena *arena,
	    struct daemon_policy *ret)
{
	const char *path, *since, *digest, *state;
	json_t *root = json_loadb(str_text(doc), doc->len, 0, NULL);
	int r = -ENOENT;

	if (json_unpack(root, "{s:s, s:{s:s, s:s, s:s}}", "state", &state,
			"policy", "path", &path, "since", &since, "digest",
			&digest) == 0 &&
	    is_settled(state)) {
		ret->path = arena_strdup(arena, path);
		ret->since = arena_strdup(arena, since);
		ret->digest = strtoull(digest, NULL, 16);
		r = 0;
	}
	json_decref(root);
	return r;
}

int
daemon_ask(struct arena *arena, struct daemon_policy *ret)
{
	static const char question[] = "status\n";
	struct str doc = {0};
	int fd = dial(), r = -ENOENT;

	if (fd < 0)
		return -ENOENT;
	if (is_ours(fd) &&
	    send(fd, question, strlen(question), MSG_NOSIGNAL) > 0 &&
	    receive(fd, &doc))
		r = read_answer(&doc, arena, ret);
	str_fini(&doc);
	close(fd);
	return r;
}
